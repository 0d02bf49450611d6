import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { motionBesideEyes, motionExcess } from './flatness.ts';
import type { LivenessCalibration, LivenessCues, Observation } from './observation.ts';
import { PATCH_SIDE } from './observation.ts';
import { weighLiveness } from './presentation-attack.ts';

const CALIBRATION: LivenessCalibration = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'models', 'liveness.json'), 'utf8'),
).calibration;
const FRAME_MS = 70;
/** Two seconds. */
const FRAMES = 30;

/** The brightness of a picture that has something of a face: two eyes, a mouth, shading. x, y from −1 to 1. */
function likeness(x: number, y: number, mouth = 0, gaze = 0): number {
  const spot = (cx: number, cy: number, rx: number, ry: number) =>
    Math.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2);
  return (
    150 +
    30 * x -
    70 * (spot(-0.45 + gaze, -0.4, 0.2, 0.1) + spot(0.45 + gaze, -0.4, 0.2, 0.1)) -
    60 * spot(0, 0.6, 0.4, 0.06 + mouth) +
    25 * spot(0, 0, 0.15, 0.4)
  );
}

interface Motion {
  readonly shift?: number;
  readonly turnRad?: number;
  readonly scale?: number;
  readonly light?: number;
  readonly mouth?: number;
  readonly gaze?: number;
  /** Perspective: how much nearer the right edge is than the centre, as a share. */
  readonly slant?: number;
  /** How much farther right the picture's right edge lies than in a flat one, and its left edge too, in half sides. */
  readonly bend?: number;
  /** Where a lamp's reflection is, which is round and does not move with the picture. */
  readonly lamp?: readonly [x: number, y: number];
  /** Standard deviation of the sensor's noise, of 255. */
  readonly noise?: number;
}

const drawn = new Map<string, Float32Array>();

/** One patch, aligned only as well as landmarks can; drawn once. */
function patch(motion: Motion, seed = 1): Float32Array {
  const key = JSON.stringify([motion, seed]);
  const known = drawn.get(key) ?? draw(motion, seed);
  drawn.set(key, known);
  return known;
}

function draw(motion: Motion, seed: number): Float32Array {
  const {
    shift = 0,
    turnRad = 0,
    scale = 1,
    light = 1,
    mouth = 0,
    gaze = 0,
    slant = 0,
    bend = 0,
    noise = 0,
    lamp,
  } = motion;
  let state = seed * 2654435761;
  const chance = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const half = PATCH_SIDE / 2;
  return Float32Array.from({ length: PATCH_SIDE * PATCH_SIDE }, (_, i) => {
    const column = ((i % PATCH_SIDE) - half) / half;
    const u = column / (1 + slant * column) + bend * column * column;
    const v = (Math.floor(i / PATCH_SIDE) - half) / half / (1 + slant * column);
    const x = scale * (Math.cos(turnRad) * u - Math.sin(turnRad) * v) + shift;
    const y = scale * (Math.sin(turnRad) * u + Math.cos(turnRad) * v) - shift / 2;
    // The sum of twelve even chances has a deviation of 1.
    let speck = 0;
    for (let n = 0; noise > 0 && n < 12; n++) speck += noise * chance();
    const far = lamp ? Math.hypot(column - lamp[0], (Math.floor(i / PATCH_SIDE) - half) / half - lamp[1]) : 1;
    const reflected = 90 * Math.min(Math.max((0.45 - far) / 0.1, 0), 1);
    return light * likeness(x, y, mouth, gaze) + reflected + speck;
  });
}

function observation(i: number, cues: Partial<LivenessCues>): Observation {
  const liveness: LivenessCues = {
    passive: 0.98,
    border: 0.25,
    stripes: 0.9,
    frameDigest: i.toString(16).padStart(16, '0'),
    cellMeans: Float32Array.from({ length: 192 }, (_, cell) => 100 + 5 * Math.sin(0.37 * i * i + cell)),
    points: Uint8Array.from({ length: 3_072 }, (_, point) => 100 + ((7 * i + point) % 5)),
    patch: patch(LIVING(i), i),
    ...cues,
  };
  const face = {
    box: { x: 0, y: 0, width: 1, height: 1 },
    confidence: 1,
    landmarks: new Float32Array(0),
    pose: null,
    quality: null,
    liveness,
    embedding: null,
  };
  return {
    sequence: i,
    capturedAtMs: 1000 + i * FRAME_MS,
    width: 640,
    height: 480,
    faces: [face],
    chosen: 0,
    hint: null,
    stageMs: {},
  };
}

const sequence = (cues: (i: number) => Partial<LivenessCues> = () => ({}), frames = FRAMES): Observation[] =>
  Array.from({ length: frames }, (_, i) => observation(i, cues(i)));

const DRIFT = (i: number): Motion => ({
  shift: 0.06 * Math.sin(i / 6),
  turnRad: 0.04 * Math.cos(i / 7),
  scale: 1 + 0.03 * Math.sin(i / 9),
  light: 1 + 0.04 * Math.sin(i / 5),
  noise: 1,
});
/** Drifts as well, but speaks and looks about. */
const LIVING = (i: number): Motion => ({
  ...DRIFT(i),
  mouth: 0.03 * (1 + Math.sin(i / 3)),
  gaze: 0.04 * Math.sin(i / 8),
});

describe('a living face', () => {
  test('that speaks and looks about is live', () => {
    expect(weighLiveness(sequence(), CALIBRATION)).toEqual({
      frames: FRAMES,
      passive: expect.closeTo(0.98),
      cues: [],
      decision: 'live',
    });
  });

  test('is not decided on before there are enough frames over enough time', () => {
    expect(weighLiveness(sequence(undefined, CALIBRATION.framesMin - 1), CALIBRATION).decision).toBe('undecided');
    const fast = sequence().map((seen, i) => ({ ...seen, capturedAtMs: 1000 + i }));
    expect(weighLiveness(fast, CALIBRATION).decision).toBe('undecided');
  });

  test('is not decided on when the passive model doubts', () => {
    expect(
      weighLiveness(
        sequence(() => ({ passive: 0.3 })),
        CALIBRATION,
      ),
    ).toMatchObject({
      cues: [],
      decision: 'undecided',
    });
  });

  test('may have a frame that the decoder gave twice', () => {
    const doubled = sequence((i) => ({ frameDigest: String(Math.floor(i / 2)).padStart(16, '0') }));
    expect(weighLiveness(doubled, CALIBRATION).decision).toBe('live');
  });

  test('is not helped by what came before a gap', () => {
    const before = sequence(undefined, 20);
    const after = sequence(undefined, 4).map((seen) => ({ ...seen, capturedAtMs: seen.capturedAtMs + 10_000 }));
    expect(weighLiveness([...before, ...after], CALIBRATION)).toMatchObject({ frames: 4, decision: 'undecided' });
  });
});

describe('a presentation attack', () => {
  test('with a frozen feed is refused', () => {
    const frozen = sequence(() => ({ frameDigest: 'feedfeedfeedfeed', patch: patch({}) }));
    const { cues, decision } = weighLiveness(frozen, CALIBRATION);
    expect(decision).toBe('attack');
    expect(cues).toContain('frozen-feed');
  });

  test('with a frozen feed that is encoded anew, so that no two digests agree, is refused', () => {
    const almost = sequence((i) => ({
      cellMeans: new Float32Array(192).fill(100 + (i % 2) * 0.01),
    }));
    expect(weighLiveness(almost, CALIBRATION)).toMatchObject({ cues: ['frozen-feed'], decision: 'attack' });
  });

  test('with a picture that is moved, tilted and lit, with a camera’s noise, is refused', () => {
    const flat = sequence((i) => ({ patch: patch(DRIFT(i), i) }));
    expect(weighLiveness(flat, CALIBRATION)).toMatchObject({ cues: ['flat-motion'], decision: 'attack' });
  });

  test('with a sheet’s edges in most frames is refused, however living the face', () => {
    const held = sequence((i) => ({ border: i % 4 === 0 ? 0.3 : 0.95 }));
    expect(weighLiveness(held, CALIBRATION)).toMatchObject({ cues: ['paper-border'], decision: 'attack' });
  });

  test('with a few frames that seem to show an edge is none', () => {
    const seldom = sequence((i) => ({ border: i % 5 === 0 ? 0.95 : 0.3 }));
    expect(weighLiveness(seldom, CALIBRATION).decision).toBe('live');
  });

  test('on a screen, as the passive model sees it, is refused', () => {
    const replay = sequence(() => ({ passive: 0.01 }));
    expect(weighLiveness(replay, CALIBRATION)).toMatchObject({ cues: ['passive-model'], decision: 'attack' });
  });
});

describe('a feed that is put together', () => {
  test('of a second of a clip again and again is refused, exact or with a sensor’s noise on it', () => {
    const looped = (noise: number) =>
      sequence((i) => ({
        patch: patch(LIVING(i % 12), i % 12),
        cellMeans: Float32Array.from(
          { length: 192 },
          (_, cell) => 100 + 5 * Math.sin((i % 12) ** 2 + cell) + noise * Math.sin(17 * i + 3 * cell),
        ),
      }));
    expect(weighLiveness(looped(0), CALIBRATION)).toMatchObject({ cues: ['repeated-feed'], decision: 'attack' });
    expect(weighLiveness(looped(0.05), CALIBRATION)).toMatchObject({ cues: ['repeated-feed'], decision: 'attack' });
  });

  test('to and fro is refused as well', () => {
    const there = (i: number) => (i % 22 < 12 ? i % 22 : 22 - (i % 22));
    const swings = sequence((i) => ({
      patch: patch(LIVING(there(i)), i),
      cellMeans: Float32Array.from({ length: 192 }, (_, cell) => 100 + 5 * Math.sin(there(i) ** 2 + cell)),
    }));
    expect(weighLiveness(swings, CALIBRATION).cues).toContain('repeated-feed');
  });

  test('is not what somebody is who holds still for a while', () => {
    const still = sequence((i) => ({
      cellMeans: Float32Array.from({ length: 192 }, (_, cell) => 100 + 0.04 * Math.sin(17 * i + 3 * cell)),
    }));
    expect(weighLiveness(still, CALIBRATION)).toMatchObject({ cues: [], decision: 'live' });
  });

  /** A picture and a light that last for five frames each. */
  const inTurn = (way: number) =>
    sequence((i) => ({
      patch: patch(LIVING(10 * Math.floor(i / 5)), i),
      cellMeans: Float32Array.from(
        { length: 192 },
        (_, cell) => 100 + 8 * Math.sin(Math.floor(i / 5) ** 2 + cell) + 0.05 * Math.sin(17 * i + 3 * cell),
      ),
    })).map((seen, i) => {
      const landmarks = new Float32Array(136).fill(way * (Math.floor(i / 5) % 2));
      return { ...seen, faces: [{ ...seen.faces[0]!, landmarks }] };
    });

  test('with nothing but the face changing is refused, however living the face', () => {
    const drawn = sequence(() => ({ points: new Uint8Array(3_072).fill(100) }));
    expect(weighLiveness(drawn, CALIBRATION)).toMatchObject({ cues: ['noiseless-feed'], decision: 'attack' });
  });

  test('of photographs in turn is refused', () => {
    expect(weighLiveness(inTurn(0.05), CALIBRATION)).toMatchObject({ cues: ['cut-feed'], decision: 'attack' });
  });

  test('is not what a light is that changes before somebody who sits still', () => {
    expect(weighLiveness(inTurn(0), CALIBRATION).cues).toEqual([]);
  });

  test('is not what frames are that others lie between', () => {
    const slow = inTurn(0.05).map((seen) => ({ ...seen, capturedAtMs: 1000 + 5 * (seen.capturedAtMs - 1000) }));
    expect(weighLiveness(slow, CALIBRATION).cues).not.toContain('cut-feed');
  });
});

describe('a screen’s grid', () => {
  test('in most frames is refused, in a few it is chance', () => {
    const seen = (share: number) => sequence((i) => ({ stripes: i % 10 < 10 * share ? 3 : 0.9 }));
    expect(weighLiveness(seen(0.6), CALIBRATION)).toMatchObject({ cues: ['screen-grid'], decision: 'attack' });
    expect(weighLiveness(seen(0.2), CALIBRATION)).toMatchObject({ cues: [], decision: 'live' });
  });
});

describe('without a face', () => {
  test('nothing is decided', () => {
    const empty = sequence().map((seen) => ({ ...seen, faces: [], chosen: null }));
    expect(weighLiveness(empty, CALIBRATION)).toEqual({ frames: 0, passive: null, cues: [], decision: 'undecided' });
    expect(weighLiveness([], CALIBRATION).decision).toBe('undecided');
  });
});

describe('motion of a face beside its eyes', () => {
  test('is nothing for a picture with holes for living eyes', () => {
    const holes = Array.from({ length: 12 }, (_, i) => patch({ ...DRIFT(i), gaze: 0.08 * Math.sin(i), noise: 1 }, i));
    expect(motionExcess(holes)).toBeGreaterThan(CALIBRATION.flat.liveMin);
    expect(motionBesideEyes(holes)).toBeLessThan(CALIBRATION.besideEyes.attackMax);
    const seen = sequence((i) => ({ patch: patch({ ...DRIFT(i), gaze: 0.08 * Math.sin(i), noise: 1 }, i) }));
    expect(weighLiveness(seen, CALIBRATION)).toMatchObject({ cues: ['sheet-motion'], decision: 'attack' });
  });

  test('is nothing for a sheet that is bent more and less', () => {
    const bent = Array.from({ length: 12 }, (_, i) => patch({ ...DRIFT(i), bend: 0.15 * Math.sin(i / 2) }, i));
    expect(motionExcess(bent)).toBeGreaterThan(CALIBRATION.flat.attackMax);
    expect(motionBesideEyes(bent)).toBeLessThan(CALIBRATION.besideEyes.attackMax);
  });

  test('is plain when somebody speaks', () => {
    const speaking = (i: number) => ({ ...LIVING(i), mouth: 0.1 * (1 + Math.sin(i / 3)) });
    const patches = Array.from({ length: 12 }, (_, i) => patch(speaking(i), i));
    expect(motionBesideEyes(patches)).toBeGreaterThan(CALIBRATION.besideEyes.liveMin);
  });
});

describe('motion of a face in itself', () => {
  test('is nothing for a flat picture, and little more with noise', () => {
    const patches = (noise: number) => Array.from({ length: 12 }, (_, i) => patch({ ...DRIFT(i), noise }, i));
    expect(motionExcess(patches(0))).toBeLessThan(0.005);
    expect(motionExcess(patches(3))).toBeLessThan(0.01);
  });

  test('is nothing for a picture turned out of the plane', () => {
    const turned = Array.from({ length: 12 }, (_, i) => patch({ ...DRIFT(i), slant: 0.06 * Math.sin(i / 3) }, i));
    expect(motionExcess(turned)).toBeLessThan(CALIBRATION.flat.attackMax);
  });

  test('is not the reflection of a lamp that runs over a glossy picture', () => {
    const glossy = sequence((i) => ({ patch: patch({ ...DRIFT(i), lamp: [0.9 * Math.sin(i / 4), -0.5] }, i) }));
    expect(weighLiveness(glossy, CALIBRATION)).toMatchObject({ cues: ['flat-motion'], decision: 'attack' });
  });

  test('is seen in somebody on whom the sun falls in patches', () => {
    const sunlit = sequence((i) => ({ patch: patch({ ...LIVING(i), lamp: [0.6 + 0.1 * Math.sin(i / 6), -0.6] }, i) }));
    expect(weighLiveness(sunlit, CALIBRATION)).toMatchObject({ cues: [], decision: 'live' });
  });

  test('is plain when the mouth moves', () => {
    const patches = Array.from({ length: 12 }, (_, i) => patch(LIVING(i), i));
    expect(motionExcess(patches)).toBeGreaterThan(CALIBRATION.flat.liveMin);
  });

  test('needs three frames, and contrast', () => {
    expect(motionExcess([patch({}), patch({})])).toBeNull();
    expect(motionExcess(Array.from({ length: 5 }, () => new Float32Array(PATCH_SIDE ** 2).fill(90)))).toBe(0);
  });
});
