import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from '../../scripts/random.ts';
import type { LivenessCalibration } from './observation.ts';
import { detailPoints, type NoiseSighting, unchangedShare } from './sensor-noise.ts';

const RULES: LivenessCalibration['noiseless'] = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'models', 'liveness.json'), 'utf8'),
).calibration.noiseless;
const WIDTH = 128;
const HEIGHT = 96;
const FACE = { x: 40, y: 20, width: 40, height: 48 };
const FRAME_MS = 70;

interface Scene {
  /** Of the sensor, of 255. */
  readonly noise?: number;
  /** Height of what is fine in the picture, of 255. */
  readonly detail?: number;
  readonly light?: number;
  /** How far the face has gone, px. */
  readonly way?: number;
}

/** Furniture everywhere, and a face before it. */
function points({ noise = 0, detail = 30, light = 120, way = 0 }: Scene, seed: number): Uint8Array {
  const random = seeded(seed);
  const words = Uint32Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const [u, v] = [x - FACE.x - FACE.width / 2, y - FACE.y - FACE.height / 2];
    const inFace = Math.abs(u) < FACE.width / 2 && Math.abs(v) < FACE.height / 2;
    const fine = detail * Math.sin((inFace ? x + way : x) / 2.3) * Math.cos(y / 2.9);
    // The sum of four even chances is near enough to a sensor's noise; three of them have a variance of 1 / 4.
    const speck = noise === 0 ? 0 : noise * Math.sqrt(3) * (random() + random() + random() + random() - 2);
    return Math.round(Math.min(Math.max(light + fine + speck, 0), 255)) << 8;
  });
  return detailPoints({ width: WIDTH, height: HEIGHT, words });
}

const filmed = (scene: (i: number) => Scene, frames = 20): NoiseSighting[] =>
  Array.from({ length: frames }, (_, i) => ({
    ...{ atMs: 500 + i * FRAME_MS, points: points(scene(i), i + 1), face: FACE, width: WIDTH, height: HEIGHT },
  }));

test('a sensor changes what has detail, in good light and with little noise', () => {
  for (const noise of [0.15, 0.4, 1, 3])
    expect(
      unchangedShare(
        filmed(() => ({ noise })),
        RULES,
      ),
    ).toBeLessThan(0.05);
});

test('what was drawn is the same to the bit beside a face that moves', () => {
  const drawn = filmed((i) => ({ way: i % 7 }));
  expect(unchangedShare(drawn, RULES)).toBe(1);
  // The face itself is not looked at: before a wall there is nothing to say.
  expect(unchangedShare(drawn, { ...RULES, pointsMin: drawn[0]!.points.length })).toBeNull();
});

test('a part that stands still tells, however much moves; as many points that are the same by chance do not', () => {
  const still = filmed(() => ({}));
  const columns = 32;
  const kept = (keeps: (i: number) => boolean) =>
    still.map((frame, n) => ({
      ...frame,
      points: frame.points.map((point, i) => (point && !keeps(i) ? 30 + n : point)),
    }));
  const leftThird = unchangedShare(
    kept((i) => i % columns < 8),
    RULES,
  );
  expect(leftThird).toBeGreaterThan(0.15);
  expect(leftThird).toBeLessThan(0.4);
  expect(
    unchangedShare(
      kept((i) => i % 3 === 0),
      RULES,
    ),
  ).toBe(0);
});

test('only the last moments count, so that one change of everything does not excuse a feed for long', () => {
  expect(
    unchangedShare(
      filmed((i) => ({ light: i === 0 ? 100 : 120 })),
      RULES,
    ),
  ).toBe(1);
  expect(
    unchangedShare(
      filmed((i) => ({ light: i === 10 ? 100 : 120 })),
      RULES,
    ),
  ).toBe(0);
});

test('a smooth wall, what is black, and what is blown out say nothing', () => {
  for (const scene of [{ detail: 2 }, { light: -30 }, { light: 280 }] satisfies Scene[]) {
    expect(
      unchangedShare(
        filmed(() => scene),
        RULES,
      ),
    ).toBeNull();
  }
});

test('nothing is said of too short a time, too few frames, and frames of another size', () => {
  const still = filmed(() => ({}));
  expect(unchangedShare([], RULES)).toBeNull();
  expect(unchangedShare(still.slice(0, 10), RULES)).toBeNull();
  expect(
    unchangedShare(
      still.filter((_, i) => i % 5 === 0),
      RULES,
    ),
  ).toBeNull();
  const resized = still.with(15, { ...still[15]!, width: HEIGHT, height: WIDTH });
  expect(unchangedShare(resized, RULES)).toBeNull();
});
