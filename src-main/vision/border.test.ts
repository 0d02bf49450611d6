import { describe, expect, test } from 'vitest';
import { borderStrength } from './border.ts';
import { coarsen, scanAndHalve, scanFrame } from './frame-scan.ts';
import { boxMap, rasterOf, sample } from './resample.ts';

const WIDTH = 640;
const HEIGHT = 480;
const FACE = { x: 260, y: 160, width: 110, height: 150 };

function frame(brightness: (x: number, y: number) => number) {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++, at += 4) pixels.fill(brightness(x, y), at, at + 3);
  }
  return rasterOf(WIDTH, HEIGHT, pixels);
}

/** Inside a sheet around the face, turned by some degrees. */
function inSheet(x: number, y: number, degrees: number, halfWidth = 170, halfHeight = 130): boolean {
  const angle = (degrees * Math.PI) / 180;
  const [dx, dy] = [x - 315, y - 235];
  const u = Math.cos(angle) * dx + Math.sin(angle) * dy;
  const v = -Math.sin(angle) * dx + Math.cos(angle) * dy;
  return Math.abs(u) < halfWidth && Math.abs(v) < halfHeight;
}

const strength = (brightness: (x: number, y: number) => number) =>
  borderStrength(scanFrame(frame(brightness)).cells, FACE, 0);

describe('border around a face', () => {
  test.each([0, -7, 5, 15])('of a sheet held up at %i° is seen', (degrees) => {
    expect(strength((x, y) => (inSheet(x, y, degrees) ? 240 : 110))).toBeGreaterThan(0.8);
  });

  test('is not made of one corner of the room', () => {
    expect(strength((x) => (x > 420 ? 90 : 150))).toBeLessThan(0.5);
  });

  test('is not made of a door post and a lintel', () => {
    expect(strength((x, y) => (x > 420 || y < 60 ? 90 : 150))).toBeLessThan(0.7);
  });

  test('is not made of smooth light', () => {
    expect(strength((x, y) => 60 + x / 8 + y / 8)).toBe(0);
  });
});

test('a border is as strong as ever where it counts, and never called so where it is not', () => {
  const pictures = [
    ...[0, -7, 5, 15].map((degrees) => (x: number, y: number) => (inSheet(x, y, degrees) ? 240 : 110)),
    (x: number) => (x > 420 ? 90 : 150),
    (x: number, y: number) => (x > 420 || y < 60 ? 90 : 150),
    (x: number, y: number) =>
      (x > 420 && y > 130 && y < 260) || ((y < 60 || y > 400) && x > 270 && x < 320) ? 90 : 150,
    (x: number, y: number) => (x > 420 || (x < 200 && y < 250) || y < 60 ? 90 : 150),
    (x: number, y: number) => ((x >> 5) % 2 === (y >> 5) % 2 ? 60 : 180),
  ];
  let skipped = 0;
  for (const picture of pictures) {
    const { cells } = scanFrame(frame(picture));
    const exact = borderStrength(cells, FACE, 0);
    for (const strengthMin of [0.25, 0.5, 0.75, 0.95]) {
      const strength = borderStrength(cells, FACE, strengthMin);
      if (exact >= strengthMin) expect(strength).toBe(exact);
      else expect(strength).toBeLessThan(strengthMin);
      expect(strength).toBeGreaterThanOrEqual(exact);
      if (strength !== exact) skipped++;
    }
  }
  expect(skipped).toBeGreaterThan(0);
});

describe('scan of a frame', () => {
  test('tells frames that differ in one pixel by one step apart', () => {
    const one = scanFrame(frame(() => 100));
    const other = scanFrame(frame((x, y) => (x === 320 && y === 240 ? 101 : 100)));
    expect(one.digest).toMatch(/^[0-9a-f]{16}$/);
    expect(other.digest).not.toBe(one.digest);
    expect(scanFrame(frame(() => 100)).digest).toBe(one.digest);
  });

  test('sees every pixel of a cell, in any size of frame', () => {
    for (const [width, height] of [
      [640, 480],
      [642, 481],
      [320, 240],
    ] as const) {
      const words = new Uint32Array(width * height).map((_, i) => Math.imul(i, 0x9e3779b1));
      const before = scanFrame({ width, height, words });
      const [x, y] = [8, 12];
      for (let i = 0; i < 16; i++) {
        const at = (y + (i >> 2)) * width + x + (i & 3);
        words[at]! ^= 0x8000;
        const after = scanFrame({ width, height, words });
        expect(after.digest).not.toBe(before.digest);
        const px = before.cells.cellPx;
        const cell = Math.floor((y + (i >> 2)) / px) * before.cells.width + Math.floor((x + (i & 3)) / px);
        const step = ((words[at]! & 0x8000 ? 1 : -1) * 128) / (px * px);
        expect(after.cells.values[cell]).toBeCloseTo(before.cells.values[cell]! + step, 3);
        words[at]! ^= 0x8000;
      }
    }
  });

  test('comes with the halved picture where both fit, and is the same as each alone', () => {
    const words = new Uint32Array(640 * 480).map((_, i) => Math.imul(i, 0x9e3779b1) ^ (i << 7));
    const [width, height] = [640, 480];
    const target = { width: 320, height: 240, channels: 'bgr', mean: [1, 2, 3], scale: [0.5, 0.25, 2] } as const;
    const out = new Float32Array(3 * 320 * 240);
    expect(scanAndHalve({ width, height, words }, target, out)).toEqual(scanFrame({ width, height, words }));
    const alone = new Float32Array(out.length);
    sample({ width, height, words }, boxMap({ x: 0, y: 0, width, height }, 320, 240), target, alone);
    expect(out).toEqual(alone);
    const before = out.slice();
    expect(scanAndHalve({ width, height, words }, { ...target, width: 300 }, out)).toBeNull();
    expect(scanAndHalve({ width: 320, height: 240, words }, { ...target, width: 160, height: 120 }, out)).toBeNull();
    expect(out).toEqual(before);
  });

  test('averages cells', () => {
    const { cells } = scanFrame(frame((x) => (x < 320 ? 40 : 80)));
    expect([cells.width, cells.height, cells.values[0], cells.values[159]]).toEqual([160, 120, 40, 80]);
    const coarse = coarsen(cells);
    expect([coarse.length, coarse[0], coarse[15]]).toEqual([192, 40, 80]);
  });
});
