/** Faces for tests: random directions from a seed, and others a given cosine away from them. */
import { createCipheriv } from 'node:crypto';
import type { Calibration } from '../vision/observation.ts';

/** Falls a power of ten for each 0.1 of score, from 1 at 0: rates can be checked in one's head. */
export const plainCalibration: Calibration = {
  points: [
    { score: 0, log10Fmr: 0 },
    { score: 1, log10Fmr: -10 },
  ],
  floorLog10Fmr: -8,
  safetyFactor: 1,
};

export interface Faces {
  next(): Float32Array;
  /** A face at exactly this cosine from another. */
  near(face: Float32Array, cosine: number): Float32Array;
}

export function facesFrom(seed: number, dimensions: number): Faces {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
  /** The sum of four uniform bytes is near enough to a Gaussian for directions. */
  const next = (): Float32Array => {
    const bytes = cipher.update(new Uint8Array(dimensions * 4));
    const vector = new Float32Array(dimensions);
    for (let i = 0; i < dimensions; i++) {
      vector[i] = bytes[i * 4]! + bytes[i * 4 + 1]! + bytes[i * 4 + 2]! + bytes[i * 4 + 3]! - 510;
    }
    return unit(vector);
  };
  return {
    next,
    near: (face, cosine) => {
      const other = next();
      const along = cosineOf(face, other);
      const across = unit(other.map((value, i) => value - along * face[i]!));
      const sine = Math.sqrt(1 - cosine * cosine);
      return unit(face.map((value, i) => cosine * value + sine * across[i]!));
    },
  };
}

export function cosineOf(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}
