/** Made signals of people before a camera, whose movements are known. Filmed people: tests/attacks/movements.ts. */
import type { Colour, FaceColours } from '../vision/observation.ts';
import { EYES_CLOSED, MOUTH_OPEN, type Movement, type MovementFrame, NOD_DEG, TURN_DEG } from './movement.ts';
import type { Signals } from './signals.ts';

export const MOVEMENTS: readonly Movement[] = ['turn-left', 'turn-right', 'nod', 'blink', 'mouth'];
export const FRAME_MS = 1000 / 15;

/** About as the men of the demonstration's clips rest. */
export const REST: Signals = { yawDeg: 2, pitchDeg: -28, eyes: 0.29, mouth: 0.03 };

/** How far frames of somebody at rest differ: standard deviations, somewhat more than theirs. */
const NOISE: Signals = { yawDeg: 1, pitchDeg: 1.3, eyes: 0.012, mouth: 0.012 };

/** A face that makes this much of a movement (1 counts as made), and nothing else. */
export function moved(movement: Movement | null, much: number, rest: Signals = REST): Signals {
  switch (movement) {
    case null:
      return rest;
    case 'turn-left':
      return { ...rest, yawDeg: rest.yawDeg + much * TURN_DEG };
    case 'turn-right':
      return { ...rest, yawDeg: rest.yawDeg - much * TURN_DEG };
    case 'nod':
      return { ...rest, pitchDeg: rest.pitchDeg + much * NOD_DEG };
    case 'blink':
      return { ...rest, eyes: rest.eyes * (1 - much * (1 - EYES_CLOSED)) };
    case 'mouth':
      return { ...rest, mouth: rest.mouth + much * MOUTH_OPEN };
  }
}

export interface Gesture {
  readonly movement: Movement;
  /** After what was asked, ms. */
  readonly fromMs: number;
  readonly lastsMs: number;
  /** At its height; 1 counts as made. */
  readonly much: number;
}

/** A gesture's height at a moment: up in a quarter of its time, held, and down in the last quarter. */
export function heightAt({ fromMs, lastsMs, much }: Gesture, atMs: number): number {
  const part = (atMs - fromMs) / lastsMs;
  if (part <= 0 || part >= 1) return 0;
  return much * Math.min(1, 4 * part, 4 * (1 - part));
}

/** Frames from the moment something was asked (0 ms) on. @param normal standard normal numbers, for noise */
export function framesOf(gestures: readonly Gesture[], lastsMs: number, normal: () => number): MovementFrame[] {
  return Array.from({ length: Math.floor(lastsMs / FRAME_MS) }, (_, i) => {
    const atMs = (i + 1) * FRAME_MS;
    const signals = gestures.reduce((so, one) => moved(one.movement, heightAt(one, atMs), so), REST);
    return { atMs, signals: noisy(signals, normal) };
  });
}

export function noisy(signals: Signals, normal: () => number): Signals {
  return {
    yawDeg: signals.yawDeg + NOISE.yawDeg * normal(),
    pitchDeg: signals.pitchDeg + NOISE.pitchDeg * normal(),
    eyes: Math.max(0, signals.eyes + NOISE.eyes * normal()),
    mouth: Math.max(0, signals.mouth + NOISE.mouth * normal()),
  };
}

/** Standard normal numbers by G. E. P. Box, M. E. Muller (Annals of Mathematical Statistics 29, 1958), none beyond 3.5. */
export function normals(fraction: () => number): () => number {
  return () => {
    const value = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction());
    return Math.min(3.5, Math.max(-3.5, value));
  };
}

/** 68 points whose eyes and lips are open so far: eyes 40 wide, the gap of the lips 50. */
export function pointsOf({ eyes, mouth }: Pick<Signals, 'eyes' | 'mouth'>): Float32Array {
  const points = new Float32Array(136);
  const put = (index: number, x: number, y: number) => points.set([x, y], 2 * index);
  const pair = (upper: number, lower: number, x: number, y: number, height: number) => {
    put(upper, x, y - height / 2);
    put(lower, x, y + height / 2);
  };
  for (const [first, x] of [
    [36, 240],
    [42, 320],
  ] as const) {
    put(first, x, 200);
    put(first + 3, x + 40, 200);
    pair(first + 1, first + 5, x + 13, 200, 40 * eyes);
    pair(first + 2, first + 4, x + 27, 200, 40 * eyes);
  }
  put(60, 275, 290);
  put(64, 325, 290);
  for (const [upper, lower, at] of [
    [61, 67, 12],
    [62, 66, 25],
    [63, 65, 38],
  ] as const) {
    pair(upper, lower, 275 + at, 290, 50 * mouth);
  }
  return points;
}

/** Skin and wall in the light of a room, and of the screen besides: the share is of the room's light. */
export function litColours(screen: string | null, share = 0.3): FaceColours {
  const lit = (of: Colour, part: number) =>
    of.map((value, channel) => {
      const shine = screen ? (Number.parseInt(screen.slice(1 + 2 * channel, 3 + 2 * channel), 16) / 255) ** 2.2 : 0;
      return value * (1 + part * shine) ** (1 / 2.2);
    }) as unknown as Colour;
  return { face: lit([140, 100, 82], share), background: lit([120, 122, 118], 0.1 * share) };
}
