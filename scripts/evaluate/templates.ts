/** Embeddings of an evaluation side by side: 2 KB each at 512 dimensions, so 200 MB for 100,000 photographs. */
export interface Templates {
  readonly count: number;
  readonly dimensions: number;
  /** count × dimensions, each of unit length. */
  readonly values: Float32Array;
  /** Whose each is. */
  readonly people: Uint32Array;
}

/** Cosine of two of them. */
export function cosine(templates: Templates, one: number, other: number): number {
  const { values, dimensions } = templates;
  let a = one * dimensions;
  let b = other * dimensions;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const end = a + dimensions - 3;
  for (; a < end; a += 4, b += 4) {
    s0 += values[a]! * values[b]!;
    s1 += values[a + 1]! * values[b + 1]!;
    s2 += values[a + 2]! * values[b + 2]!;
    s3 += values[a + 3]! * values[b + 3]!;
  }
  for (; a < end + 3; a++, b++) s0 += values[a]! * values[b]!;
  return s0 + s1 + s2 + s3;
}
