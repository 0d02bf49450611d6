/** Chance from a seed, so that an error card can be made, and a plan of crashes carried out, again to the last digit. */

/** Uniform in [0, 1) (splitmix32: G. Steele, D. Lea, C. Flood, OOPSLA 2014, with 32-bit constants). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** 0 … n − 1 in an order by chance (Fisher and Yates). */
export function shuffled(n: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

/** How often each of n is drawn in n draws with replacement. */
export function resampled(n: number, random: () => number): Uint32Array {
  const weights = new Uint32Array(n);
  for (let i = 0; i < n; i++) weights[Math.floor(random() * n)]!++;
  return weights;
}
