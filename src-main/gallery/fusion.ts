/** The enrolment template of several frames of one face: the mean of their unit vectors, made a unit vector again.
 *  Averaging cancels what one frame adds of light and pose. Throws when empty or of unequal or zero length. */
export function fuse(embeddings: readonly Float32Array[]): Float32Array {
  const first = embeddings[0];
  if (!first) throw new Error('fuse: no embedding given');
  const sum = new Float64Array(first.length);
  for (const embedding of embeddings) {
    if (embedding.length !== first.length) throw new Error('fuse: embeddings of different dimensions');
    const scale = 1 / length(embedding);
    for (let i = 0; i < sum.length; i++) sum[i]! += embedding[i]! * scale;
  }
  const scale = 1 / length(sum);
  return Float32Array.from(sum, (value) => value * scale);
}

/** The same; null of none. */
export function fuseAny(embeddings: readonly Float32Array[]): Float32Array | null {
  return embeddings.length > 0 ? fuse(embeddings) : null;
}

/** Euclidean length. Throws for a vector that has no direction. */
function length(vector: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const result = Math.sqrt(sum);
  if (!(result > 0 && Number.isFinite(result))) throw new Error('fuse: an embedding without a direction');
  return result;
}
