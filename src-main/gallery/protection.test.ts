import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KEY_STREAM, keyStreamBytes } from '../../src-contract/protection.ts';
import { cosineOf, facesFrom } from './gallery.fixture.ts';
import { orthogonalMatrix, protectionFrom } from './protection.ts';

const seed = new Uint8Array(32).fill(7);
const DIMENSIONS = 512;

describe('protection', () => {
  const protection = protectionFrom(seed, DIMENSIONS);
  const faces = facesFrom(1, DIMENSIONS);

  test('keeps cosine similarity to 1e-5 and better', () => {
    for (let n = 0; n < 40; n++) {
      const face = faces.next();
      const other = faces.near(face, n / 40);
      const before = cosineOf(face, other);
      const after = cosineOf(protection.protect(face), protection.protect(other));
      expect(Math.abs(after - before)).toBeLessThan(1e-6);
    }
  });

  test('leaves a face that is no more like itself than a stranger is', () => {
    const cosines = Array.from({ length: 200 }, () => {
      const face = faces.next();
      return cosineOf(face, protection.protect(face));
    });
    // Independent directions in 512 dimensions: standard deviation 1/√512 = 0.044; five of them.
    expect(Math.max(...cosines.map(Math.abs))).toBeLessThan(0.22);
    expect(Math.abs(cosines.reduce((sum, value) => sum + value, 0) / cosines.length)).toBeLessThan(0.02);
  });

  test('is the same from the same seed, and unlike from another', () => {
    const face = faces.next();
    expect(protectionFrom(seed, DIMENSIONS).protect(face)).toEqual(protection.protect(face));
    const other = protectionFrom(new Uint8Array(32).fill(8), DIMENSIONS).protect(face);
    expect(Math.abs(cosineOf(other, protection.protect(face)))).toBeLessThan(0.22);
  });

  test('does not depend on the length of what it is given', () => {
    const face = faces.next();
    const longer = face.map((value) => value * 37);
    expect(cosineOf(protection.protect(longer), protection.protect(face))).toBeCloseTo(1, 6);
  });

  test('refuses other dimensions and a vector without direction', () => {
    expect(() => protection.protect(new Float32Array(511))).toThrow('511 dimensions where 512');
    expect(() => protection.protect(new Float32Array(512))).toThrow('without a direction');
    expect(() => protection.protect(new Float32Array(512).fill(Number.NaN))).toThrow('without a direction');
  });

  // Pins the matrix: templates made under an older version must stay comparable. Change it only with the version.
  test('grows the same matrix from a seed as it always has', () => {
    const matrix = orthogonalMatrix(seed, 3);
    expect([...matrix].map((value) => Number(value.toFixed(9)))).toEqual([
      0.691352235, -0.722197749, 0.021505779, -0.676157243, -0.636214309, 0.371541028, -0.25464381, -0.271407009,
      -0.928167423,
    ]);
    for (let row = 0; row < 3; row++) {
      for (let other = 0; other < 3; other++) {
        let product = 0;
        for (let i = 0; i < 3; i++) product += matrix[row * 3 + i]! * matrix[other * 3 + i]!;
        expect(product).toBeCloseTo(row === other ? 1 : 0, 14);
      }
    }
  });

  // Bits that differ would still compare, a little less well with each change of the matrix; these do not.
  test('is to the last bit what Gram–Schmidt makes row by row', () => {
    for (const dimensions of [1, 2, 3, 50]) {
      const expected = rowByRow(seed, dimensions);
      expect(orthogonalMatrix(seed, dimensions)).toEqual(expected);
    }
  });
});

/** One pass after the other, over the numbers that a matrix of the same seed begins with. */
function rowByRow(from: Uint8Array, dimensions: number): Float64Array {
  const stream = createCipheriv(KEY_STREAM, from, new Uint8Array(16)).update(
    new Uint8Array(keyStreamBytes(dimensions)),
  );
  const uniform = (at: number) =>
    (stream.readUInt32LE(at) * 2 ** 21 + (stream.readUInt32LE(at + 4) >>> 11) + 1) / 2 ** 53;
  const rows = Array.from({ length: dimensions }, (_, row) =>
    Float64Array.from({ length: dimensions }, (_none, column) => {
      const number = row * dimensions + column;
      const pair = (number - (number % 2)) * 8;
      const angle = 2 * Math.PI * uniform(pair + 8);
      return Math.sqrt(-2 * Math.log(uniform(pair))) * (number % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    }),
  );
  const product = (one: Float64Array, other: Float64Array) => one.reduce((sum, value, i) => sum + value * other[i]!, 0);
  for (const [at, row] of rows.entries()) {
    for (const basis of [...rows.slice(0, at), ...rows.slice(0, at)]) {
      const share = product(row, basis);
      for (let i = 0; i < dimensions; i++) row[i]! -= share * basis[i]!;
    }
    const scale = 1 / Math.sqrt(product(row, row));
    for (let i = 0; i < dimensions; i++) row[i]! *= scale;
  }
  return Float64Array.from(rows.flatMap((row) => [...row]));
}
