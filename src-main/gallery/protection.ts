/**
 * Protection of templates: multiplication by a secret orthogonal matrix of the platform (src-contract/protection.ts). Lengths and
 * angles stay as they were, so cosine similarity does too; a protected template is of no use against another system, and a new matrix
 * makes all old templates useless at once. It hides what a template is from who does not have the matrix. It is not encryption:
 * whoever has the matrix can turn templates back, so both rest encrypted.
 */
import { createCipheriv } from 'node:crypto';
import {
  atOnce,
  changeOf,
  KEY_STREAM,
  keyStreamBytes,
  orthogonalMatrix as matrixFrom,
  type Pieces,
  SEED_BYTES,
  turned,
  turnedBack,
} from '../../src-contract/protection.ts';

export interface Protection {
  /** The protected vector: unit length, float32. Throws for another number of dimensions or a vector without direction. */
  protect(embedding: Float32Array): Float32Array;
  /** Overwrites the matrix: nothing can be protected any more. */
  destroy(): void;
}

/** From one matrix to another. */
export interface ProtectionChange {
  /** A template under the old matrix as it is under the new one. */
  forward(template: Float32Array): Float32Array;
  /** The other way round. */
  back(template: Float32Array): Float32Array;
  destroy(): void;
}

/** The matrix that grows from a seed: the same on every terminal, in float64. About 0.3 s for 512 dimensions. */
export function protectionFrom(seed: Uint8Array, dimensions: number): Protection {
  return protectionBy(orthogonalMatrix(seed, dimensions));
}

/** The same, in one piece. Row-major. */
export function orthogonalMatrix(seed: Uint8Array, dimensions: number): Float64Array {
  return atOnce(growMatrix(seed, dimensions));
}

/** A second matrix and the way to it from a first, in pieces: about half a second for 512 dimensions. Neither of the seeds is kept. */
export function* growChange(
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
  dimensions: number,
): Pieces<{ readonly protection: Protection; readonly change: ProtectionChange }> {
  const old = yield* growMatrix(from, dimensions);
  const next = yield* growMatrix(to, dimensions);
  const change = yield* changeOf(old, next, dimensions);
  old.fill(0);
  return {
    protection: protectionBy(next),
    change: {
      forward: (template) => turned(change, template),
      back: (template) => turnedBack(change, template),
      destroy: () => void change.fill(0),
    },
  };
}

function protectionBy(matrix: Float64Array): Protection {
  return { protect: (embedding) => turned(matrix, embedding), destroy: () => void matrix.fill(0) };
}

function growMatrix(seed: Uint8Array, dimensions: number): Pieces<Float64Array> {
  if (seed.length !== SEED_BYTES)
    throw new Error(`a protection seed of ${seed.length} bytes where ${SEED_BYTES} were expected`);
  const cipher = createCipheriv(KEY_STREAM, seed, new Uint8Array(16));
  return matrixFrom(cipher.update(new Uint8Array(keyStreamBytes(dimensions))), dimensions);
}
