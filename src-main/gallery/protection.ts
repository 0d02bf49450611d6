/**
 * Protection of templates: multiplication by a secret orthogonal matrix of the platform. Lengths and angles stay as they
 * were, so cosine similarity does too; a protected template is of no use against another system, and a new matrix makes
 * all old templates useless at once. It hides what a template is from who does not have the matrix. It is not encryption:
 * whoever has the matrix can turn templates back, so both rest encrypted.
 */
import { createCipheriv } from 'node:crypto';

export interface Protection {
  /** The protected vector: unit length, float32. Throws for another number of dimensions or a vector without direction. */
  protect(embedding: Float32Array): Float32Array;
}

const SEED_BYTES = 32;

/** The matrix that grows from a seed: the same on every terminal, in float64. About 0.3 s for 512 dimensions. */
export function protectionFrom(seed: Uint8Array, dimensions: number): Protection {
  const matrix = orthogonalMatrix(seed, dimensions);
  return {
    protect: (embedding) => {
      if (embedding.length !== dimensions) {
        throw new Error(`an embedding of ${embedding.length} dimensions where ${dimensions} were expected`);
      }
      const rotated = new Float64Array(dimensions);
      let squares = 0;
      for (let row = 0; row < dimensions; row++) {
        let sum = 0;
        const start = row * dimensions;
        for (let column = 0; column < dimensions; column++) sum += matrix[start + column]! * embedding[column]!;
        rotated[row] = sum;
        squares += sum * sum;
      }
      const length = Math.sqrt(squares);
      if (!(length > 0 && Number.isFinite(length))) throw new Error('an embedding without a direction');
      return Float32Array.from(rotated, (value) => value / length);
    },
  };
}

/** Rows of a matrix drawn uniformly from the orthogonal group: Gaussian rows made orthonormal one after the other
 *  (modified Gram–Schmidt, each row twice: "twice is enough", Giraud, Langou and Rozložník 2005). Row-major. */
export function orthogonalMatrix(seed: Uint8Array, dimensions: number): Float64Array {
  const matrix = gaussians(seed, dimensions * dimensions);
  const row = (index: number) => matrix.subarray(index * dimensions, (index + 1) * dimensions);
  for (let current = 0; current < dimensions; current++) {
    const vector = row(current);
    for (let pass = 0; pass < 2; pass++) {
      for (let earlier = 0; earlier < current; earlier++) {
        const basis = row(earlier);
        let projection = 0;
        for (let i = 0; i < dimensions; i++) projection += vector[i]! * basis[i]!;
        for (let i = 0; i < dimensions; i++) vector[i]! -= projection * basis[i]!;
      }
    }
    let squares = 0;
    for (const value of vector) squares += value * value;
    const scale = 1 / Math.sqrt(squares);
    for (let i = 0; i < dimensions; i++) vector[i]! *= scale;
  }
  return matrix;
}

/** Standard normal numbers by the Box–Muller transform over the key stream of AES-256-CTR under the seed (zero counter).
 *  Math.log, cos and sin may differ in the last bit between machines: about 1e-16 of a cosine, far below a score's own
 *  rounding. */
function gaussians(seed: Uint8Array, count: number): Float64Array {
  if (seed.length !== SEED_BYTES)
    throw new Error(`a protection seed of ${seed.length} bytes where ${SEED_BYTES} were expected`);
  const pairs = Math.ceil(count / 2);
  const cipher = createCipheriv('aes-256-ctr', seed, new Uint8Array(16));
  const stream = cipher.update(new Uint8Array(pairs * 16));
  /** 53 random bits as a number in (0, 1]: never zero, whose logarithm there is none of. */
  const uniform = (offset: number) =>
    (stream.readUInt32LE(offset) * 2 ** 21 + (stream.readUInt32LE(offset + 4) >>> 11) + 1) / 2 ** 53;
  const numbers = new Float64Array(count);
  for (let pair = 0; pair < pairs; pair++) {
    const radius = Math.sqrt(-2 * Math.log(uniform(pair * 16)));
    const angle = 2 * Math.PI * uniform(pair * 16 + 8);
    numbers[pair * 2] = radius * Math.cos(angle);
    if (pair * 2 + 1 < count) numbers[pair * 2 + 1] = radius * Math.sin(angle);
  }
  return numbers;
}
