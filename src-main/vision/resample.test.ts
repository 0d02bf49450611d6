import { describe, expect, test } from 'vitest';
import { boxMap, mirror, type Normalisation, rasterOf, sample } from './resample.ts';

/** RGBA pixels from a function of the place. */
function picture(width: number, height: number, colour: (x: number, y: number) => [number, number, number]) {
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set([...colour(x, y), 255], (y * width + x) * 4);
  }
  return rasterOf(width, height, pixels);
}

const plain = (width: number, height: number, channels: Normalisation['channels']): Normalisation => {
  const count = channels === 'grey' ? 1 : 3;
  return { width, height, channels, mean: Array(count).fill(0), scale: Array(count).fill(1) };
};

describe('resampling', () => {
  test('at its own size changes nothing and puts colours into planes', () => {
    const source = picture(4, 2, (x, y) => [10 * x, 100 + y, 200]);
    const out = new Float32Array(3 * 8);
    sample(source, boxMap({ x: 0, y: 0, width: 4, height: 2 }, 4, 2), plain(4, 2, 'rgb'), out);
    expect([...out]).toEqual([
      ...[0, 10, 20, 30, 0, 10, 20, 30],
      ...[100, 100, 100, 100, 101, 101, 101, 101],
      ...Array(8).fill(200),
    ]);
  });

  test('BGR puts blue first, with its own mean and scale', () => {
    const source = picture(4, 4, () => [10, 20, 30]);
    const out = new Float32Array(3);
    const target: Normalisation = { width: 1, height: 1, channels: 'bgr', mean: [1, 2, 3], scale: [1, 10, 100] };
    sample(source, boxMap({ x: 0, y: 0, width: 4, height: 4 }, 1, 1), target, out);
    expect([...out]).toEqual([29, 180, 700]);
  });

  test('grey is ITU-R BT.601 luma', () => {
    const out = new Float32Array(1);
    sample(
      picture(4, 4, () => [100, 50, 200]),
      boxMap({ x: 0, y: 0, width: 4, height: 4 }, 1, 1),
      plain(1, 1, 'grey'),
      out,
    );
    expect(out[0]).toBeCloseTo(0.299 * 100 + 0.587 * 50 + 0.114 * 200, 3);
  });

  test('outside the frame the nearest pixel counts', () => {
    const source = picture(4, 4, (x) => [x === 0 ? 7 : 99, 0, 0]);
    const out = new Float32Array(3 * 4);
    sample(source, boxMap({ x: -8, y: 0, width: 4, height: 4 }, 2, 2), plain(2, 2, 'rgb'), out);
    expect([...out.subarray(0, 4)]).toEqual([7, 7, 7, 7]);
  });

  test('mirroring twice is the original', () => {
    const planes = Float32Array.from({ length: 24 }, (_, i) => i);
    const once = new Float32Array(24);
    const twice = new Float32Array(24);
    mirror(planes, 4, once);
    mirror(once, 4, twice);
    expect([...once.subarray(0, 4)]).toEqual([3, 2, 1, 0]);
    expect(twice).toEqual(planes);
  });
});
