/**
 * The protecting matrix: templates are multiplied by a secret orthogonal one. Pure arithmetic over a key stream that the caller makes
 * from a seed (see KEY_STREAM), so that terminal and bank have the same matrix to the last bit but one. Growing one takes a third of a
 * second for 512 dimensions: it goes in steps, and whoever must not be kept waiting pauses between them.
 *
 * A change of the matrix multiplies what is stored by `to · fromᵀ`: what was `from · embedding` is then `to · embedding`, and nobody
 * has to come back to a camera.
 */

/** How a seed becomes a key stream: AES-256-CTR under the seed, from a counter of zero, over zeros. */
export const KEY_STREAM = 'aes-256-ctr';
export const SEED_BYTES = 32;

/** Work in pieces: each step is a millisecond or less. */
export type Pieces<Made> = Generator<void, Made, void>;

/** All of it at once. */
export function atOnce<Made>(work: Pieces<Made>): Made {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** With a pause after every few steps. Ends with what the pause rejects with. */
export async function inPieces<Made>(work: Pieces<Made>, pause: () => Promise<void>): Promise<Made> {
  for (let steps = 1; ; steps++) {
    const step = work.next();
    if (step.done) return step.value;
    if (steps % STEPS_BETWEEN_PAUSES === 0) await pause();
  }
}

/** A step; about a millisecond. */
const STEP_MULTIPLICATIONS = 500_000;
const STEPS_BETWEEN_PAUSES = 8;

/** Bytes of key stream that a matrix needs. */
export function keyStreamBytes(dimensions: number): number {
  return Math.ceil((dimensions * dimensions) / 2) * 16;
}

/**
 * Rows of a matrix drawn uniformly from the orthogonal group: Gaussian rows made orthonormal one after the other (modified
 * Gram–Schmidt, each row twice: "twice is enough", Giraud, Langou and Rozložník 2005). Row-major, float64.
 *
 * A row's second pass over the earlier rows goes along with the first pass of the row after it, and what is taken out of one row with
 * what is summed for the next: two sums do not wait for each other, and every row is read half as often. Each number comes from the
 * same operations in the same order as one pass after the other, so that the matrix is the same to the last bit.
 */
export function* orthogonalMatrix(keyStream: Uint8Array, dimensions: number): Pieces<Float64Array> {
  const matrix = gaussians(keyStream, dimensions * dimensions);
  const rows = Array.from({ length: dimensions }, (_, index) =>
    matrix.subarray(index * dimensions, (index + 1) * dimensions),
  );
  let multiplied = 0;
  for (let current = 0; current < dimensions; current++) {
    const vector = rows[current]!;
    // After the last row comes one that nobody looks at.
    const following = rows[current + 1] ?? new Float64Array(dimensions);
    if (current > 0) {
      // The one row that was not there yet when the first pass went along.
      const before = rows[current - 1]!;
      takeOut(vector, before, dot(vector, before));
      let projection = dot(vector, rows[0]!);
      let projectionOfFollowing = dot(following, rows[0]!);
      for (let earlier = 1; earlier < current; earlier++) {
        multiplied += 4 * dimensions;
        if (multiplied > STEP_MULTIPLICATIONS) {
          multiplied = 0;
          yield;
        }
        const basis = rows[earlier - 1]!;
        const next = rows[earlier]!;
        let sum = 0;
        let sumOfFollowing = 0;
        for (let i = 0; i < basis.length; i++) {
          const taken = basis[i]!;
          const summed = next[i]!;
          const rest = vector[i]! - projection * taken;
          const restOfFollowing = following[i]! - projectionOfFollowing * taken;
          vector[i] = rest;
          following[i] = restOfFollowing;
          sum += rest * summed;
          sumOfFollowing += restOfFollowing * summed;
        }
        projection = sum;
        projectionOfFollowing = sumOfFollowing;
      }
      takeOut(vector, before, projection);
      takeOut(following, before, projectionOfFollowing);
    }
    const scale = 1 / Math.sqrt(dot(vector, vector));
    for (let i = 0; i < dimensions; i++) vector[i]! *= scale;
  }
  return matrix;
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i]! * other[i]!;
  return sum;
}

function takeOut(vector: Float64Array, basis: Float64Array, projection: number): void {
  for (let i = 0; i < vector.length; i++) vector[i]! -= projection * basis[i]!;
}

/** `to · fromᵀ`: what turns a template under the one matrix into the same person's under the other. Orthogonal too. */
export function* changeOf(from: Float64Array, to: Float64Array, dimensions: number): Pieces<Float64Array> {
  const change = new Float64Array(dimensions * dimensions);
  let multiplied = 0;
  for (let row = 0; row < dimensions; row++) {
    for (let column = 0; column < dimensions; column++) {
      let sum = 0;
      for (let i = 0; i < dimensions; i++) sum += to[row * dimensions + i]! * from[column * dimensions + i]!;
      change[row * dimensions + column] = sum;
      multiplied += dimensions;
      if (multiplied > STEP_MULTIPLICATIONS) {
        multiplied = 0;
        yield;
      }
    }
  }
  return change;
}

/** matrix · vector, in float64, of unit length, then float32. Throws for a vector of other dimensions or without direction. */
export function turned(matrix: Float64Array, vector: Float32Array): Float32Array {
  const dimensions = dimensionsOf(matrix, vector);
  const sums = new Float64Array(dimensions);
  for (let row = 0; row < dimensions; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let column = 0; column < dimensions; column++) sum += matrix[start + column]! * vector[column]!;
    sums[row] = sum;
  }
  return unit(sums);
}

/** The way back: matrixᵀ · vector. */
export function turnedBack(matrix: Float64Array, vector: Float32Array): Float32Array {
  const dimensions = dimensionsOf(matrix, vector);
  const sums = new Float64Array(dimensions);
  for (let row = 0; row < dimensions; row++) {
    const start = row * dimensions;
    const value = vector[row]!;
    for (let column = 0; column < dimensions; column++) sums[column]! += matrix[start + column]! * value;
  }
  return unit(sums);
}

function dimensionsOf(matrix: Float64Array, vector: Float32Array): number {
  const dimensions = Math.sqrt(matrix.length);
  if (vector.length === dimensions) return dimensions;
  throw new Error(`an embedding of ${vector.length} dimensions where ${dimensions} were expected`);
}

function unit(sums: Float64Array): Float32Array {
  let squares = 0;
  for (const value of sums) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length > 0 && Number.isFinite(length))) throw new Error('an embedding without a direction');
  return Float32Array.from(sums, (value) => value / length);
}

/** Standard normal numbers by the Box–Muller transform over a key stream. Math.log, cos and sin may differ in the last bit between
 *  machines: about 1e-16 of a cosine, far below a score's own rounding. */
function gaussians(keyStream: Uint8Array, count: number): Float64Array {
  const stream = new DataView(keyStream.buffer, keyStream.byteOffset, keyStream.byteLength);
  /** 53 random bits as a number in (0, 1]: never zero, whose logarithm there is none of. */
  const uniform = (offset: number) =>
    (stream.getUint32(offset, true) * 2 ** 21 + (stream.getUint32(offset + 4, true) >>> 11) + 1) / 2 ** 53;
  const numbers = new Float64Array(count);
  for (let pair = 0; pair < Math.ceil(count / 2); pair++) {
    const radius = Math.sqrt(-2 * Math.log(uniform(pair * 16)));
    const angle = 2 * Math.PI * uniform(pair * 16 + 8);
    numbers[pair * 2] = radius * Math.cos(angle);
    if (pair * 2 + 1 < count) numbers[pair * 2 + 1] = radius * Math.sin(angle);
  }
  return numbers;
}
