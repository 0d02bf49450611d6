/**
 * Whether a movement that was asked for was made: begun after it was asked, far enough, long enough, and back to rest, with no other
 * movement beside it. Pure; over all frames since it was asked.
 *
 * Every movement is measured in units of what counts as made (1), from the person's own rest. Turning a flat picture is no turn: the
 * pose comes from how far the nose stands before the face (vision/geometry.ts), which on paper it does not.
 */
import type { Demand } from '../../src-contract/challenge.ts';
import type { Signals } from './signals.ts';

export type Movement = Exclude<Demand, 'light'>;

export interface MovementFrame {
  /** Camera's clock, ms. */
  readonly atMs: number;
  /** Null where the face was not seen well enough. */
  readonly signals: Signals | null;
}

export type Verdict =
  | { readonly is: 'open'; readonly progress: number }
  | { readonly is: 'passed'; readonly atMs: number }
  | { readonly is: 'wrong'; readonly why: string }
  | { readonly is: 'late' };

/** What counts as made. Each is well above what resting and talking faces show (docs/threat-model.md has the figures). */
export const TURN_DEG = 15;
export const NOD_DEG = 10;
/** Eyes at most this much of their opening at rest. */
export const EYES_CLOSED = 0.65;
/** Between the lips, height by width, more than at rest; a broad smile or a word stays below. */
export const MOUTH_OPEN = 0.45;

/** From here on a movement has begun. */
const BEGUN = 0.6;
/** Back at rest. */
const RESTING = 0.45;
/** Nobody reacts to a sentence faster, ms; what comes sooner was under way before. Simple reactions to light take some 200 ms. */
export const REACTION_MS_MIN = 200;
/** How long what was asked for has to come, ms. Reading takes its time. */
export const MOVEMENT_MS_MAX = 8_000;
/** How long it must be held, ms. Eyes by themselves close for 100 to 400 ms. */
const HELD_MS: Readonly<Record<Movement, number>> = {
  'turn-left': 100,
  'turn-right': 100,
  nod: 100,
  blink: 450,
  mouth: 200,
};
/** A movement that was not asked for counts when it is seen this long, ms: longer than one frame that went wrong. */
const STRAY_MS = 100;
/** Frames at rest after it. */
const RESTING_FRAMES = 2;

/**
 * Which other movements make it the wrong one, and from what strength on. Left out is what belongs to it: who nods lowers the lids, who
 * turns shows one eye narrower; and pitch is the coarsest of the four.
 */
const STRAYS: Readonly<Record<Movement, Partial<Readonly<Record<Movement, number>>>>> = {
  'turn-left': { 'turn-right': 1, nod: 2, mouth: 1 },
  'turn-right': { 'turn-left': 1, nod: 2, mouth: 1 },
  nod: { 'turn-left': 1, 'turn-right': 1, mouth: 1 },
  blink: { 'turn-left': 1, 'turn-right': 1, nod: 1.5, mouth: 1 },
  mouth: { 'turn-left': 1, 'turn-right': 1, nod: 2 },
};

/** How much of the movement this frame shows: 0 at rest, 1 when it counts as made. */
export function strength(movement: Movement, now: Signals, rest: Signals): number {
  switch (movement) {
    case 'turn-left':
      return (now.yawDeg - rest.yawDeg) / TURN_DEG;
    case 'turn-right':
      return (rest.yawDeg - now.yawDeg) / TURN_DEG;
    case 'nod':
      return (now.pitchDeg - rest.pitchDeg) / NOD_DEG;
    case 'blink':
      return (1 - now.eyes / rest.eyes) / (1 - EYES_CLOSED);
    case 'mouth':
      return (now.mouth - rest.mouth) / MOUTH_OPEN;
  }
}

/** Whether the face is at rest: no movement has begun. Quick blinks aside, which nobody can hold back. */
export function atRest(now: Signals, rest: Signals): boolean {
  return (['turn-left', 'turn-right', 'nod', 'mouth'] as const).every((one) => strength(one, now, rest) < BEGUN);
}

/**
 * @param frames all since it was asked, oldest first
 * @param askedMs of the camera's clock
 */
export function judgeMovement(
  movement: Movement,
  frames: readonly MovementFrame[],
  rest: Signals,
  askedMs: number,
): Verdict {
  const strays = Object.entries(STRAYS[movement]) as [Movement, number][];
  const straySince = new Map<Movement, number>();
  let heldSinceMs: number | null = null;
  let made = false;
  let resting = 0;
  let most = 0;
  for (const { atMs, signals } of frames) {
    const sinceMs = atMs - askedMs;
    if (sinceMs > MOVEMENT_MS_MAX) return { is: 'late' };
    if (!signals) continue;
    for (const [stray, from] of strays) {
      if (strength(stray, signals, rest) < from) {
        straySince.delete(stray);
        continue;
      }
      const since = straySince.get(stray) ?? atMs;
      straySince.set(stray, since);
      if (atMs - since >= STRAY_MS) return { is: 'wrong', why: `${stray} instead` };
    }
    const here = strength(movement, signals, rest);
    if (here >= BEGUN && sinceMs < REACTION_MS_MIN) return { is: 'wrong', why: 'under way before it was asked for' };
    most = Math.max(most, here);
    if (here >= 1) {
      heldSinceMs ??= atMs;
      made ||= atMs - heldSinceMs >= HELD_MS[movement];
    } else heldSinceMs = null;
    resting = made && here <= RESTING ? resting + 1 : 0;
    if (resting >= RESTING_FRAMES) return { is: 'passed', atMs };
  }
  return { is: 'open', progress: made ? 1 : Math.min(0.9, Math.max(0, most)) };
}
