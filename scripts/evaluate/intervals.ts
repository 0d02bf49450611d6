/** Limits of shares that were counted. */

export interface Limits {
  readonly low: number;
  readonly high: number;
}

/** 97.5th percentile of the normal distribution. */
const Z = 1.959964;

/** 95 % limits of a share (E. B. Wilson, JASA 22, 1927). NaN for none of none. */
export function wilson(errors: number, trials: number): Limits {
  const share = errors / trials;
  const spread = Z * Math.sqrt((share * (1 - share)) / trials + (Z * Z) / (4 * trials * trials));
  const centre = share + (Z * Z) / (2 * trials);
  const scale = 1 + (Z * Z) / trials;
  return {
    low: errors === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    high: errors === trials ? 1 : Math.min(1, (centre + spread) / scale),
  };
}

/** Of values in any order, the one below which this share lies (nearest rank). NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
