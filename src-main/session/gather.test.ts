import { describe, expect, it } from 'vitest';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import {
  newFace,
  ScriptedCamera,
  type Seen,
  sameScriptedPerson,
  weighScriptedLiveness,
} from '../../tests/support/scripted-camera.ts';
import type { Observation } from '../vision/observation.ts';
import {
  FACE_GAP_MS,
  GATHER_FRAMES_MAX,
  GATHER_MS_MAX,
  GATHER_MS_MIN,
  type Gathered,
  GOOD_FRAMES_FUSED,
  gather,
  type Judgement,
  judge,
  NOTHING_GATHERED,
  SEVERAL_FACES_MS,
} from './gather.ts';

const rules = { weighLiveness: weighScriptedLiveness, samePerson: sameScriptedPerson };
const FRAME_MS = 66;

/** What the camera sees of a scene at one moment. */
function frame(atMs: number, ...scene: Seen[]): Observation {
  let look = () => {};
  const camera = new ScriptedCamera({
    now: () => 0 as WallTimeMs,
    monotonicMs: () => atMs,
    sleep: async () => {},
    after: (_, callback) => {
      look = callback;
      return () => {};
    },
  });
  camera.scene = scene;
  const seen: Observation[] = [];
  const stop = camera.watch((observation) => seen.push(observation));
  look();
  stop();
  return seen[0]!;
}

function look(scenes: readonly (readonly [untilMs: number, ...scene: Seen[]])[]): {
  gathered: Gathered;
  judgement: Judgement;
  atMs: number;
} {
  let gathered = NOTHING_GATHERED;
  let judgement: Judgement | undefined;
  let atMs = 0;
  for (const [untilMs, ...scene] of scenes) {
    for (; atMs <= untilMs; atMs += FRAME_MS) {
      const latest = frame(atMs, ...scene);
      gathered = gather(gathered, latest, rules);
      judgement = judge(gathered, latest, rules);
      if (judgement.kind !== 'gathering') return { gathered, judgement, atMs };
    }
  }
  return { gathered, judgement: judgement!, atMs };
}

const alive = (embedding: Float32Array): Seen => ({ embedding, live: true, good: true });
const picture = (embedding: Float32Array): Seen => ({ embedding, live: false, good: true });
const unsharp = (embedding: Float32Array): Seen => ({ embedding, live: true, good: false });

describe('a look', () => {
  it('is ready after long enough of one living face, with its best frames', () => {
    const { judgement, atMs } = look([[5_000, alive(newFace())]]);
    expect(judgement.kind === 'ready' && judgement.embeddings).toHaveLength(GOOD_FRAMES_FUSED);
    expect(atMs).toBeGreaterThanOrEqual(GATHER_MS_MIN);
    expect(atMs).toBeLessThan(GATHER_MS_MIN + 2 * FRAME_MS);
  });

  it('says how far it is, and never that it is done before it is', () => {
    const { judgement } = look([[GATHER_MS_MIN / 2, alive(newFace())]]);
    expect(judgement.kind === 'gathering' && judgement.progress).toBeCloseTo(0.5, 1);
  });

  it('refuses a picture as soon as it is known to be one', () => {
    expect(look([[5_000, picture(newFace())]]).judgement).toMatchObject({
      kind: 'refused',
      reason: 'presentation-attack',
    });
  });

  it('begins anew when another face takes the place of the first', () => {
    const { judgement, atMs, gathered } = look([
      [1_200, alive(newFace())],
      [9_000, alive(newFace())],
    ]);
    expect(judgement.kind).toBe('ready');
    expect(atMs).toBeGreaterThanOrEqual(1_200 + GATHER_MS_MIN);
    expect(gathered.frames[0]!.capturedAtMs).toBeGreaterThan(1_200);
  });

  it('begins anew after a gap, and forgives a shorter one', () => {
    const face = newFace();
    const gap = look([[1_000, alive(face)], [1_000 + FACE_GAP_MS + 2 * FRAME_MS], [9_000, alive(face)]]);
    expect(gap.gathered.frames[0]!.capturedAtMs).toBeGreaterThan(1_000 + FACE_GAP_MS);
    const blink = look([[1_000, alive(face)], [1_000 + FACE_GAP_MS / 2], [9_000, alive(face)]]);
    expect(blink.gathered.frames[0]!.capturedAtMs).toBe(0);
  });

  it('forgets the first of two people the moment the second comes, and ends when both stay', () => {
    const face = newFace();
    const two = look([
      [1_000, alive(face)],
      [1_200, alive(face), alive(newFace())],
    ]);
    expect(two.gathered.frames).toEqual([]);
    const stay = look([[10_000, alive(face), alive(newFace())]]);
    expect(stay.judgement).toMatchObject({ kind: 'refused', reason: 'several-faces' });
    expect(stay.atMs).toBeGreaterThanOrEqual(SEVERAL_FACES_MS);
    const leaves = look([
      [SEVERAL_FACES_MS - 500, alive(face), alive(newFace())],
      [9_000, alive(face)],
    ]);
    expect(leaves.judgement.kind).toBe('ready');
  });

  it('remembers what was wrong, for when time runs out', () => {
    expect(look([[1_000]]).gathered.lastProblem).toBe('no-face');
    expect(look([[1_000, unsharp(newFace())]]).gathered.lastProblem).toBe('poor-quality');
    expect(look([[1_000, alive(newFace()), alive(newFace())]]).gathered.lastProblem).toBe('several-faces');
  });

  it('keeps no more than it may of a face that is never good', () => {
    const { judgement, gathered, atMs } = look([[20_000, unsharp(newFace())]]);
    expect(judgement.kind).toBe('gathering');
    expect(gathered.frames.length).toBeLessThanOrEqual(GATHER_FRAMES_MAX);
    expect(atMs - gathered.frames[0]!.capturedAtMs).toBeLessThanOrEqual(GATHER_MS_MAX + FRAME_MS);
  });
});
