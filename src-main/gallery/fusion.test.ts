import { expect, test } from 'vitest';
import { fuse } from './fusion.ts';
import { cosineOf, facesFrom } from './gallery.fixture.ts';

test('several frames of one face fuse into something nearer to it than each of them', () => {
  const faces = facesFrom(21, 128);
  const face = faces.next();
  const frames = Array.from({ length: 5 }, () => faces.near(face, 0.7));
  expect(cosineOf(fuse(frames), face)).toBeGreaterThan(0.85);
  expect(Math.hypot(...fuse(frames))).toBeCloseTo(1, 6);
});

test('a longer embedding has no greater say', () => {
  const [one, other] = [Float32Array.of(1, 0), Float32Array.of(0, 50)];
  expect([...fuse([one, other])].map((value) => value.toFixed(4))).toEqual(['0.7071', '0.7071']);
});

test('nothing, a mix of dimensions, or no direction is refused', () => {
  expect(() => fuse([])).toThrow('no embedding');
  expect(() => fuse([new Float32Array(2).fill(1), new Float32Array(3).fill(1)])).toThrow('different dimensions');
  expect(() => fuse([new Float32Array(2)])).toThrow('without a direction');
});
