/**
 * One look's challenge, from the first demand to passed or failed. Pure: observations and "I can't do this" go in, one at a time, and the
 * next state comes out; chance is a parameter, and all times are the camera's own.
 *
 * Each step begins at rest: the face of the look, straight and still, for a time that chance lengthens. Only then something is asked
 * for, so that what is under way anyway is not taken for an answer. Through all of it the feed must not be cut and the face not go away,
 * and afterwards it must be the face from before. A wrong, late or broken step costs the try; the next is drawn anew.
 */
import type {
  ChallengeEvidence,
  ChallengeKind,
  ChallengeStep,
  ChallengeTerms,
  Demand,
  StepOutcome,
} from '../../src-contract/challenge.ts';
import { kindOf } from '../../src-contract/challenge.ts';
import type { FaceObservation, Observation } from '../vision/observation.ts';
import {
  DELAY_MS_MAX,
  drawPattern,
  judgeLight,
  type LightColour,
  type LightFrame,
  SEGMENT_MS,
  SEGMENTS,
  type Shown,
} from './light.ts';
import { atRest, judgeMovement, MOVEMENT_MS_MAX, type Movement, type MovementFrame } from './movement.ts';
import { drawPlan } from './plan.ts';
import { restOf, type Signals, signalsOf } from './signals.ts';

/** How long the face must be at rest before anything is asked for, ms, and by how much chance lengthens it. */
export const SETTLED_MS_MIN = 500;
const SETTLED_MS_MORE = 900;
const SETTLED_FRAMES_MIN = 4;
/** Longest wait for that, ms. */
const SETTLING_MS_MAX = 12_000;
/** What is at rest looks straight at the screen within this of the pose at which faces are compared, degrees. */
const STRAIGHT_DEG = 20;
/** Longest time without the face, ms, as in the look itself (session/gather.ts). */
const GAP_MS_MAX = 700;
/** A face that is elsewhere in the next frame, by this many of its widths, did not go there. */
const JUMP_WIDTHS_MAX = 0.6;
/** More than this share of the picture changing by more than this, of 255, from one frame to the next is a cut. */
const CUT_SHARE = 0.6;
const CUT_STEP = 25;
/** After a movement, how long a frame good enough to compare is waited for, ms. */
const CONFIRMING_MS_MAX = 2_500;
/** Rest frames kept for weighing life: as many as a look keeps (session/gather.ts). */
const REST_FRAMES_MAX = 90;

interface Settling {
  readonly kind: 'settling';
  readonly sinceMs: number | null;
  readonly settledMs: number;
  readonly frames: readonly { readonly atMs: number; readonly signals: Signals }[];
  readonly sameFace: boolean;
}
interface Moving {
  readonly kind: 'moving';
  readonly movement: Movement;
  readonly askedMs: number;
  readonly rest: Signals;
  readonly frames: readonly MovementFrame[];
  readonly progress: number;
}
interface Lighting {
  readonly kind: 'lighting';
  readonly askedMs: number;
  readonly pattern: readonly LightColour[];
  readonly shown: readonly Shown[];
  readonly frames: readonly LightFrame[];
  readonly atMs: number;
}
/** Done, and it must be seen that it is still the same face. */
interface Confirming {
  readonly kind: 'confirming';
  readonly demand: Demand;
  readonly askedMs: number;
  readonly doneMs: number;
}
type Phase = Settling | Moving | Lighting | Confirming;

export interface Run {
  readonly terms: ChallengeTerms;
  /** The face of the look. */
  readonly reference: Float32Array;
  readonly declined: readonly ChallengeKind[];
  readonly try: number;
  readonly plan: readonly Demand[];
  /** Index of the step under way. */
  readonly step: number;
  readonly phase: Phase;
  readonly steps: readonly ChallengeStep[];
  readonly previous: Observation | null;
  /** Frames at rest, for weighing life. */
  readonly restFrames: readonly Observation[];
  readonly outcome: ChallengeEvidence['outcome'] | null;
}

export interface RunRules {
  /** Whether two embeddings can be of one person. */
  readonly samePerson: (a: Float32Array, b: Float32Array) => boolean;
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
}

export function beginRun(terms: ChallengeTerms, reference: Float32Array, rules: RunRules): Run {
  const plan = drawPlan(terms, [], rules.fraction) ?? [];
  return {
    terms,
    reference,
    declined: [],
    try: 1,
    plan,
    step: 0,
    phase: settling(rules),
    steps: [],
    previous: null,
    restFrames: [],
    outcome: null,
  };
}

/** What is asked for now; null while the face settles. */
export function demanded({ phase }: Run): Demand | null {
  switch (phase.kind) {
    case 'settling':
      return null;
    case 'moving':
      return phase.movement;
    case 'lighting':
      return 'light';
    case 'confirming':
      return phase.demand;
  }
}

/** What the screen shines; null unless light is asked for. */
export function screenColour({ phase }: Run): LightColour | null {
  return phase.kind === 'lighting' ? (phase.shown.at(-1)?.colour ?? null) : null;
}

/** How much of the step is done, 0…1. */
export function progressOf({ phase }: Run): number {
  switch (phase.kind) {
    case 'settling': {
      const first = phase.frames[0];
      const last = phase.frames.at(-1);
      return first && last ? Math.min(1, (last.atMs - first.atMs) / phase.settledMs) : 0;
    }
    case 'moving':
      return phase.progress;
    case 'lighting':
      return Math.min(1, (phase.atMs - phase.askedMs) / (SEGMENTS * SEGMENT_MS + DELAY_MS_MAX));
    case 'confirming':
      return 1;
  }
}

/** How much of the time for a movement is left, 1…0; null where nobody waits for one. */
export function remainingOf({ phase }: Run): number | null {
  if (phase.kind !== 'moving') return null;
  const last = phase.frames.at(-1)?.atMs ?? phase.askedMs;
  return Math.max(0, 1 - (last - phase.askedMs) / MOVEMENT_MS_MAX);
}

export function evidenceOf({ steps, outcome }: Run): ChallengeEvidence {
  return { outcome: outcome ?? 'failed', steps: [...steps] };
}

export function observed(run: Run, observation: Observation, rules: RunRules): Run {
  if (run.outcome !== null) return run;
  const atMs = observation.capturedAtMs;
  const face = observation.chosen === null ? null : (observation.faces[observation.chosen] ?? null);
  const previous = run.previous;
  if (!face) {
    const gone = previous !== null && atMs - previous.capturedAtMs > GAP_MS_MAX;
    return gone && run.phase.kind !== 'settling' ? ended(run, 'lost', atMs, rules) : waitedFor(run, atMs, rules);
  }
  const next: Run = { ...run, previous: observation };
  if (previous && isCut(previous, observation)) {
    if (run.phase.kind !== 'settling') return ended(next, 'lost', atMs, rules);
    return { ...next, phase: { ...run.phase, frames: [], sameFace: false }, restFrames: [] };
  }
  const signals = signalsOf(observation);
  const compared = comparedWith(run, face, signals, rules);
  if (compared === 'other' && run.phase.kind !== 'lighting') return ended(next, 'other-face', atMs, rules);
  switch (run.phase.kind) {
    case 'settling':
      return settle(next, run.phase, { observation, signals, face, compared }, rules);
    case 'moving':
      return move(next, run.phase, { observation, signals, compared }, rules);
    case 'lighting':
      return light(next, run.phase, { atMs, face }, rules);
    case 'confirming':
      return confirm(next, run.phase, { atMs, compared }, rules);
  }
}

/**
 * "I can't do this." The first time it costs nothing; each further time it costs the try, or else who has a recording of one movement
 * would decline until that one is asked for. Changes nothing unless that demand is the one shown.
 */
export function decline(run: Run, demand: Demand, rules: RunRules): Run {
  if (run.outcome !== null || demanded(run) !== demand || run.phase.kind === 'confirming') return run;
  const asked = run.phase.kind === 'settling' ? null : run.phase.askedMs;
  const atMs = run.previous?.capturedAtMs ?? asked ?? 0;
  const declined = [...run.declined, kindOf(demand)];
  const noted = { ...noteStep(run, demand, 'declined', atMs - (asked ?? atMs)), declined };
  return anew(noted, run.declined.length === 0 ? run.try : run.try + 1, rules);
}

/** The visit was cancelled. Who was asked for something has used the try: or else a recording would be shown until its own movement is
 *  asked for. Null when nothing was, yet. */
export function left(run: Run): Run | null {
  const demand = demanded(run);
  if (demand === null && run.steps.length === 0) return null;
  return { ...(demand ? noteStep(run, demand, 'left', 0) : run), outcome: 'failed' };
}

/** The feed went silent, or it took too long altogether. */
export function gaveUp(run: Run): Run {
  const demand = demanded(run) ?? run.plan[run.step] ?? null;
  if (run.outcome !== null) return run;
  return { ...(demand ? noteStep(run, demand, 'lost', 0) : run), outcome: 'failed' };
}

const settling = ({ fraction }: Pick<RunRules, 'fraction'>): Settling => ({
  kind: 'settling',
  sinceMs: null,
  settledMs: SETTLED_MS_MIN + SETTLED_MS_MORE * fraction(),
  frames: [],
  sameFace: false,
});

interface Seen {
  readonly observation: Observation;
  readonly signals: Signals | null;
  readonly compared: 'same' | 'other' | null;
}

function settle(
  run: Run,
  phase: Settling,
  { observation, signals, face, compared }: Seen & { readonly face: FaceObservation },
  rules: RunRules,
): Run {
  const atMs = observation.capturedAtMs;
  const sinceMs = phase.sinceMs ?? atMs;
  if (atMs - sinceMs > SETTLING_MS_MAX) return ended(run, 'lost', atMs, rules);
  const good = signals !== null && face.quality?.problems.length === 0 && Math.abs(signals.yawDeg) < STRAIGHT_DEG;
  const before = phase.frames.map((frame) => frame.signals);
  const still = good && (before.length === 0 || atRest(signals, restOf(before)));
  if (!still) {
    const begun = good ? [{ atMs, signals }] : [];
    return { ...run, phase: { ...phase, sinceMs, frames: begun, sameFace: compared === 'same' && good } };
  }
  const frames = [...phase.frames, { atMs, signals }];
  const sameFace = phase.sameFace || compared === 'same';
  const rested = withRest(run, observation);
  const spanMs = atMs - frames[0]!.atMs;
  if (!sameFace || frames.length < SETTLED_FRAMES_MIN || spanMs < phase.settledMs) {
    return { ...rested, phase: { ...phase, sinceMs, frames, sameFace } };
  }
  return ask(rested, restOf(frames.map((frame) => frame.signals)), atMs, rules);
}

function ask(run: Run, rest: Signals, askedMs: number, { fraction }: RunRules): Run {
  const demand = run.plan[run.step]!;
  if (demand !== 'light') {
    return { ...run, phase: { kind: 'moving', movement: demand, askedMs, rest, frames: [], progress: 0 } };
  }
  const pattern = drawPattern(fraction);
  const shown = [{ fromMs: askedMs, colour: pattern[0]! }];
  return { ...run, phase: { kind: 'lighting', askedMs, pattern, shown, frames: [], atMs: askedMs } };
}

function move(run: Run, phase: Moving, { observation, signals }: Seen, rules: RunRules): Run {
  const atMs = observation.capturedAtMs;
  const frames = [...phase.frames, { atMs, signals }];
  const verdict = judgeMovement(phase.movement, frames, phase.rest, phase.askedMs);
  const rested = signals && atRest(signals, phase.rest) ? withRest(run, observation) : run;
  switch (verdict.is) {
    case 'open':
      return { ...rested, phase: { ...phase, frames, progress: verdict.progress } };
    case 'passed':
      return {
        ...rested,
        phase: { kind: 'confirming', demand: phase.movement, askedMs: phase.askedMs, doneMs: verdict.atMs },
      };
    case 'wrong':
    case 'late':
      return ended(run, verdict.is, atMs, rules);
  }
}

function light(
  run: Run,
  phase: Lighting,
  { atMs, face }: { readonly atMs: number; readonly face: FaceObservation },
  rules: RunRules,
): Run {
  const frames = [...phase.frames, { atMs, colours: face.colours ?? null }];
  const { pattern, shown } = phase;
  // Each colour counts from the frame at which the terminal changed it, not from when that was planned.
  const due = atMs - shown.at(-1)!.fromMs >= SEGMENT_MS;
  if (due && shown.length < pattern.length) {
    const next = { fromMs: atMs, colour: pattern[shown.length]! };
    return { ...run, phase: { ...phase, frames, shown: [...shown, next], atMs } };
  }
  const untilMs = shown.at(-1)!.fromMs + SEGMENT_MS;
  if (shown.length < pattern.length || atMs < untilMs + DELAY_MS_MAX)
    return { ...run, phase: { ...phase, frames, atMs } };
  const verdict = judgeLight(shown, untilMs, frames);
  if (verdict.is !== 'passed') return ended(run, 'late', atMs, rules);
  return { ...run, phase: { kind: 'confirming', demand: 'light', askedMs: phase.askedMs, doneMs: atMs } };
}

function confirm(
  run: Run,
  phase: Confirming,
  { atMs, compared }: { readonly atMs: number; readonly compared: Seen['compared'] },
  rules: RunRules,
): Run {
  if (compared === 'same') return ended(run, 'passed', atMs, rules);
  return atMs - phase.doneMs > CONFIRMING_MS_MAX ? ended(run, 'lost', atMs, rules) : run;
}

/** Only a face at rest is compared: turned away or with the mouth open it is not fairly like itself. */
function comparedWith(run: Run, face: FaceObservation, signals: Signals | null, rules: RunRules): Seen['compared'] {
  if (!face.embedding || !signals) return null;
  const { phase } = run;
  if (phase.kind === 'moving' && !atRest(signals, phase.rest)) return null;
  if (phase.kind !== 'moving' && Math.abs(signals.yawDeg) >= STRAIGHT_DEG) return null;
  return rules.samePerson(run.reference, face.embedding) ? 'same' : 'other';
}

/** Without a face nothing is learned, but the time runs. */
function waitedFor(run: Run, atMs: number, rules: RunRules): Run {
  const { phase } = run;
  if (phase.kind !== 'settling') return run;
  const sinceMs = phase.sinceMs ?? atMs;
  if (atMs - sinceMs > SETTLING_MS_MAX) return ended(run, 'lost', atMs, rules);
  return { ...run, phase: { ...phase, sinceMs, frames: [], sameFace: false } };
}

function isCut(before: Observation, after: Observation): boolean {
  if (after.capturedAtMs - before.capturedAtMs > GAP_MS_MAX) return true;
  const one = faceOf(before);
  const other = faceOf(after);
  if (!one || !other) return false;
  const moved = Math.hypot(
    one.box.x + one.box.width / 2 - other.box.x - other.box.width / 2,
    one.box.y + one.box.height / 2 - other.box.y - other.box.height / 2,
  );
  if (moved > JUMP_WIDTHS_MAX * one.box.width) return true;
  const [was, is] = [one.liveness?.cellMeans, other.liveness?.cellMeans];
  if (!was || !is || was.length !== is.length || was.length === 0) return false;
  let changed = 0;
  for (let i = 0; i < was.length; i++) if (Math.abs(was[i]! - is[i]!) > CUT_STEP) changed++;
  return changed > CUT_SHARE * was.length;
}

const faceOf = ({ faces, chosen }: Observation) => (chosen === null ? undefined : faces[chosen]);

const withRest = (run: Run, observation: Observation): Run => ({
  ...run,
  restFrames: [...run.restFrames, observation].slice(-REST_FRAMES_MAX),
});

const noteStep = (run: Run, demand: Demand, outcome: StepOutcome, tookMs: number): Run => ({
  ...run,
  steps: [...run.steps, { try: run.try, demand, outcome, tookMs: Math.max(0, Math.round(tookMs)) }],
});

/** The step is over. */
function ended(run: Run, outcome: StepOutcome, atMs: number, rules: RunRules): Run {
  const { phase } = run;
  const demand = demanded(run) ?? run.plan[run.step]!;
  const noted = noteStep(run, demand, outcome, phase.kind === 'settling' ? 0 : atMs - phase.askedMs);
  if (outcome === 'other-face') return { ...noted, outcome: 'failed' };
  if (outcome !== 'passed') return anew(noted, run.try + 1, rules);
  const step = run.step + 1;
  if (step >= run.plan.length) return { ...noted, step, outcome: 'passed' };
  return { ...noted, step, phase: settling(rules) };
}

/** A new draw, if a try is left and anything to be asked for. */
function anew(run: Run, attempt: number, rules: RunRules): Run {
  const plan = attempt <= run.terms.tries ? drawPlan(run.terms, run.declined, rules.fraction) : null;
  if (!plan) return { ...run, outcome: 'failed' };
  return { ...run, try: attempt, plan, step: 0, phase: settling(rules), restFrames: [] };
}
