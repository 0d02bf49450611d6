/** 1:1: false non-matches at given false-match rates with their limits, and the curve between them (ISO/IEC 19795-1). */

import { resampled } from '../random.ts';
import { type Limits, quantile, wilson } from './intervals.ts';
import { fmrAbove, missedAt, type Scores, thresholdAt } from './scores.ts';

export const FMR_LEVELS = [1e-2, 1e-3, 1e-4, 1e-5] as const;
/** Fewer errors than this don't settle a rate to within 30 % (G. Doddington et al., Speech Communication 31, 2000: rule of 30). */
export const ERRORS_ENOUGH = 30;

export interface OperatingPoint {
  readonly fmr: number;
  /** A comparison matches above it; null where too few impostor pairs were made for this rate. */
  readonly threshold: number | null;
  /** Impostor pairs that the threshold rests on. */
  readonly falseMatches: number;
  readonly fnmr: number | null;
  /** 95 %. */
  readonly limits: Limits | null;
}

export interface Curve {
  readonly points: readonly { readonly threshold: number; readonly fmr: number; readonly fnmr: number }[];
  /** Where the two rates meet. */
  readonly equalErrorRate: number;
}

/**
 * False non-matches at each rate. Limits: the 2.5th and 97.5th percentile over replicas in which whole people are drawn with
 * replacement (R. Bolle, N. Ratha, S. Pankanti, CVIU 93, 2004), thresholds set anew in each, for scores of one person hang together.
 * Never narrower than a share of that many people would have (Wilson): a replica of no error knows of none.
 * @param photographs how many each person has.
 */
export function operatingPoints(
  scores: Scores,
  photographs: Uint32Array,
  bootstrap: { readonly replicas: number; readonly random: () => number },
): OperatingPoint[] {
  const { genuine, impostors } = scores;
  const thresholds = FMR_LEVELS.map((fmr) => thresholdAt(impostors, fmr));
  const replicated = FMR_LEVELS.map((): number[] => []);
  for (let replica = 0; replica < bootstrap.replicas; replica++) {
    const weights = resampled(photographs.length, bootstrap.random);
    for (const [i, fnmr] of fnmrsOf(scores, photographs, weights).entries())
      if (fnmr !== null) replicated[i]!.push(fnmr);
  }
  const owners = new Set(genuine.people).size;
  return FMR_LEVELS.map((fmr, i) => {
    const threshold = thresholds[i]!;
    const falseMatches = Math.floor(fmr * impostors.count + 1e-9);
    if (threshold === null || genuine.scores.length === 0)
      return { fmr, threshold, falseMatches, fnmr: null, limits: null };
    const fnmr = missedAt(genuine, threshold) / genuine.scores.length;
    const least = wilson(fnmr * owners, owners);
    const drawn = replicated[i]!;
    const limits =
      drawn.length === 0
        ? least
        : { low: Math.min(least.low, quantile(drawn, 0.025)), high: Math.max(least.high, quantile(drawn, 0.975)) };
    return { fmr, threshold, falseMatches, fnmr, limits };
  });
}

/** False non-match rates at FMR_LEVELS when each person counts so often. */
function fnmrsOf({ genuine, impostors }: Scores, photographs: Uint32Array, weights: Uint32Array): (number | null)[] {
  const { scores, ones, others, count } = impostors;
  const whole = scores.length === count;
  const impostorWeight = whole
    ? sumOf(scores.length, (k) => weights[ones[k]!]! * weights[others[k]!]!)
    : count * (pairWeight(photographs, weights) / pairWeight(photographs));
  const genuineWeight = sumOf(genuine.scores.length, (k) => weights[genuine.people[k]!]!);
  if (!(impostorWeight > 0 && genuineWeight > 0)) return FMR_LEVELS.map(() => null);
  const thresholds: number[] = [];
  let above = 0;
  let level = FMR_LEVELS.length - 1;
  for (let k = 0; k < scores.length && level >= 0; k++) {
    above += weights[ones[k]!]! * weights[others[k]!]!;
    while (level >= 0 && above > FMR_LEVELS[level]! * impostorWeight) thresholds[level--] = scores[k]!;
  }
  // A replica that leaves the kept part: its lowest score is the safe side.
  while (level >= 0) thresholds[level--] = scores.at(-1) ?? 1;
  return thresholds.map((threshold) => {
    let missed = 0;
    for (let k = 0; k < genuine.scores.length && genuine.scores[k]! <= threshold; k++)
      missed += weights[genuine.people[k]!]!;
    return missed / genuineWeight;
  });
}

/** Pairs of photographs of two people, when each person counts so often. */
export function pairWeight(photographs: Uint32Array, weights?: Uint32Array): number {
  let sum = 0;
  let squares = 0;
  for (let person = 0; person < photographs.length; person++) {
    const weight = photographs[person]! * (weights ? weights[person]! : 1);
    sum += weight;
    squares += weight * weight;
  }
  return (sum * sum - squares) / 2;
}

function sumOf(length: number, value: (index: number) => number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += value(k);
  return sum;
}

/** DET curve: 20 points a decade of the false-match rate, from all down to one pair. */
export function detCurve({ genuine, impostors }: Scores): Curve {
  const points: { threshold: number; fmr: number; fnmr: number }[] = [];
  const n = genuine.scores.length;
  const steps = Math.floor(20 * Math.log10(Math.max(impostors.count, 1)) + 1e-9);
  for (let step = 0; step <= steps && n > 0; step++) {
    const threshold = thresholdAt(impostors, 10 ** (-step / 20));
    if (threshold === null || threshold === points.at(-1)?.threshold) continue;
    points.push({ threshold, fmr: fmrAbove(impostors, threshold), fnmr: missedAt(genuine, threshold) / n });
  }
  return { points, equalErrorRate: equalErrorRate({ genuine, impostors }) };
}

/** Over the genuine scores, which are few, so to the last of them. */
function equalErrorRate({ genuine, impostors }: Scores): number {
  const n = genuine.scores.length;
  let low = -1;
  let high = 1;
  if (n === 0 || impostors.count === 0) return Number.NaN;
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (fmrAbove(impostors, middle) > missedAt(genuine, middle) / n) low = middle;
    else high = middle;
  }
  return (fmrAbove(impostors, high) + missedAt(genuine, high) / n) / 2;
}
