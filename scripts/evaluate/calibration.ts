/**
 * From impostor scores to the curve that a manifest carries: score → false-match rate of one comparison.
 *
 * As far as 30 pairs or more lie behind a score, the rate is what was counted. Further out, excesses over a high score follow a
 * generalised Pareto law (J. Pickands, Annals of Statistics 3, 1975). Its exponential case is taken, which falls more slowly than any
 * tail with an end and so over-states the rate; whether the tail is as light as that is estimated too, and where it may be heavier
 * nothing is claimed beyond what was counted. Its scale is the upper 95 % limit over resampled people.
 */
import { singleFmr } from '../../src-main/gallery/fmr.ts';
import { parseManifest } from '../../src-main/vision/manifest.ts';
import type { Calibration } from '../../src-main/vision/observation.ts';
import { resampled } from '../random.ts';
import type { ErrorCard } from './card.ts';
import { quantile } from './intervals.ts';
import { EvaluationError } from './problem.ts';
import { fmrAbove, type Impostors, thresholdAt } from './scores.ts';
import { ERRORS_ENOUGH, pairWeight } from './verification.ts';

/** Rates, log10, at which the curve has points where pairs enough lie behind them. */
const LEVELS = [-0.3, -1, -1.5, -2, -2.5, -3, -3.5, -4, -4.5, -5, -5.5, -6, -6.5, -7];
/** Share of the impostor scores that the tail is fitted on; at least FIT_LEAST. */
const FIT_SHARE = 1e-3;
const FIT_LEAST = 100;
/** How far beyond the rule of three over all pairs (no event in n bounds the rate at 3/n with 95 %: J. A. Hanley, A. Lippman-Hand,
 *  JAMA 249(13), 1983) the fitted tail is followed, decades. */
const EXTRAPOLATED_DECADES = 2;

export interface TailFit {
  /** Where the tail begins, how many scores lie above, and the exponential's scale: mean, and upper 95 % limit over people. */
  readonly from: number;
  readonly scores: number;
  readonly scale: number;
  readonly scaleHigh: number;
  /** Of the generalised Pareto law, by probability-weighted moments (J. Hosking, J. Wallis, Technometrics 29, 1987), with its 5th
   *  percentile over people: below 0 the tail has an end, 0 is exponential, above 0 it is heavier. */
  readonly shape: number;
  readonly shapeLow: number;
}

export interface Fitted {
  readonly calibration: Calibration;
  readonly fit: TailFit | null;
}

export function fitCalibration(
  impostors: Impostors,
  people: number,
  options: { readonly safetyFactor: number; readonly replicas: number; readonly random: () => number },
): Fitted {
  const { count, scores } = impostors;
  const fit = fitTail(impostors, people, options);
  const extrapolates = fit !== null && fit.shapeLow <= 0;
  const ruleOfThree = Math.log10(3 / count);
  const floorLog10Fmr = round(ruleOfThree - (extrapolates ? EXTRAPOLATED_DECADES : 0), 2);
  const points: { score: number; log10Fmr: number }[] = [];
  const push = (score: number, log10Fmr: number) => {
    const last = points.at(-1);
    // Rounded away from claiming less, to four digits as a manifest has them.
    const rounded = Math.ceil(score * 1e4 - 1e-6) / 1e4;
    if (rounded <= 1 && (!last || rounded > last.score)) points.push({ score: rounded, log10Fmr });
  };
  for (const log10Fmr of LEVELS) {
    const counted = 10 ** log10Fmr * count >= ERRORS_ENOUGH ? thresholdAt(impostors, 10 ** log10Fmr) : null;
    if (counted === null) continue;
    const fitted = extrapolates && counted > fit.from ? scoreOnTail(fit, count, log10Fmr) : counted;
    push(Math.max(counted, fitted), log10Fmr);
  }
  if (extrapolates) push(scoreOnTail(fit, count, floorLog10Fmr), floorLog10Fmr);
  else if (scores.length > 0) push(scores[0]!, ruleOfThree);
  return { calibration: { points, floorLog10Fmr, safetyFactor: options.safetyFactor }, fit };
}

function scoreOnTail(fit: TailFit, count: number, log10Fmr: number): number {
  return fit.from + fit.scaleHigh * Math.log(fit.scores / count / 10 ** log10Fmr);
}

function fitTail(
  { count, scores, ones, others }: Impostors,
  people: number,
  { replicas, random }: { readonly replicas: number; readonly random: () => number },
): TailFit | null {
  const n = Math.min(scores.length - 1, Math.max(FIT_LEAST, Math.floor(FIT_SHARE * count)));
  if (n < FIT_LEAST) return null;
  const from = scores[n]!;
  const whole = momentsOf(scores, from, n, () => 1);
  const drawn = Array.from({ length: replicas }, () => {
    const weights = resampled(people, random);
    return momentsOf(scores, from, n, (k) => weights[ones[k]!]! * weights[others[k]!]!);
  });
  return {
    from,
    scores: n,
    scale: whole.scale,
    scaleHigh:
      replicas === 0
        ? whole.scale
        : Math.max(
            whole.scale,
            quantile(
              drawn.map(({ scale }) => scale),
              0.95,
            ),
          ),
    shape: whole.shape,
    shapeLow:
      replicas === 0
        ? whole.shape
        : quantile(
            drawn.map(({ shape }) => shape),
            0.05,
          ),
  };
}

/** Mean excess, and the shape from the mean weighted by the share of excesses that are larger. */
function momentsOf(falling: Float32Array, from: number, n: number, weightOf: (k: number) => number) {
  let weight = 0;
  let sum = 0;
  let weighted = 0;
  for (let k = 0; k < n; k++) {
    const own = weightOf(k);
    const excess = falling[k]! - from;
    sum += own * excess;
    // Those before it are larger; half of its own weight counts as well.
    weighted += own * excess * (weight + own / 2);
    weight += own;
  }
  const scale = sum / weight;
  const ratio = scale / (scale - (2 * weighted) / (weight * weight));
  return { scale, shape: 2 - ratio };
}

export interface Claim {
  /** What the calibration of one half of the people says, safety factor included. */
  readonly claimed: number;
  /** What the other half then showed; both ways together. */
  readonly measured: number;
  readonly falseMatches: number;
  readonly pairs: number;
}

/** Calibrates on one half of the people and counts on the other, and the other way round: whether a claimed rate is kept. */
export function checkOnHalves(
  impostors: Impostors,
  photographs: Uint32Array,
  options: { readonly safetyFactor: number; readonly replicas: number; readonly random: () => number },
): Claim[] {
  const half = Uint8Array.from(photographs, () => (options.random() < 0.5 ? 0 : 1));
  const parts = [0, 1].map((side) => within(impostors, photographs, (person) => half[person] === side));
  const claims = [1e-2, 1e-3, 1e-4, 1e-5];
  return claims.flatMap((claimed) => {
    let falseMatches = 0;
    let pairs = 0;
    for (const side of [0, 1]) {
      const { calibration } = fitCalibration(parts[side]!, photographs.length, options);
      const other = parts[1 - side]!;
      if (calibration.points.length < 2 || other.count === 0) return [];
      falseMatches += Math.round(fmrAbove(other, scoreClaiming(calibration, claimed)) * other.count);
      pairs += other.count;
    }
    return [{ claimed, measured: falseMatches / pairs, falseMatches, pairs }];
  });
}

/** The lowest score that is said to have at most this rate. */
export function scoreClaiming(calibration: Calibration, rate: number): number {
  let low = -1;
  let high = 1;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (singleFmr(calibration, middle) > rate) low = middle;
    else high = middle;
  }
  return high;
}

/** The comparisons among some of the people. What lies below the kept part is in the count alone. */
export function within(
  impostors: Impostors,
  photographs: Uint32Array,
  belongs: (person: number) => boolean,
): Impostors {
  const { scores, ones, others, count, bins } = impostors;
  const kept: number[] = [];
  for (let k = 0; k < scores.length; k++) if (belongs(ones[k]!) && belongs(others[k]!)) kept.push(k);
  const inside = Uint32Array.from(photographs, (own, person) => (belongs(person) ? own : 0));
  return {
    count: Math.round((count * pairWeight(inside)) / pairWeight(photographs)),
    bins: bins.map(() => 0),
    scores: Float32Array.from(kept, (k) => scores[k]!),
    ones: Uint32Array.from(kept, (k) => ones[k]!),
    others: Uint32Array.from(kept, (k) => others[k]!),
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** A calibration with how it was measured, as embedder.json has it. */
export type StatedCalibration = { readonly measured: string } & Calibration;

export function calibrationOf(card: ErrorCard, { calibration, fit }: Fitted): StatedCalibration {
  const all = card.verification.find(({ set }) => set === 'all')!;
  const count = (value: number) => value.toLocaleString('en');
  const tail = fit
    ? `Beyond, an exponential tail fitted on the ${count(fit.scores)} highest scores (mean excess ${fit.scale.toFixed(4)}, its upper 95 % limit over resampled people ${fit.scaleHigh.toFixed(4)} taken; shape of the generalised Pareto law ${fit.shape.toFixed(2)}, 5th percentile ${fit.shapeLow.toFixed(2)}${fit.shapeLow <= 0 ? ', so no sign of one heavier than the exponential)' : ', heavier than the exponential: nothing is claimed beyond what was counted)'}.`
    : 'Too few pairs to fit a tail: nothing is claimed beyond what was counted.';
  const measured = `npm run evaluate on ${card.title}: ${count(all.photographs)} faces, of whatever quality, of ${count(all.people)} people; ${count(all.impostorPairs)} impostor and ${count(all.genuinePairs)} genuine pairs, one photograph each. Counted as far as ${ERRORS_ENOUGH} pairs lie behind a point. ${tail} The floor is ${calibration.floorLog10Fmr}; the rule of three over all pairs gives ${Math.log10(3 / all.impostorPairs).toFixed(2)}. Pairs share people and so are not independent; the safety factor of ${calibration.safetyFactor} covers that and a terminal's own light and camera.`;
  return { measured, ...calibration };
}

/** The manifest with another calibration, everything else as it was. Throws EvaluationError when it would not be valid. */
export function withCalibration(manifest: string, calibration: StatedCalibration): string {
  const { measured, points, floorLog10Fmr, safetyFactor } = calibration;
  const json = { ...(JSON.parse(manifest) as object), calibration: { measured, points, floorLog10Fmr, safetyFactor } };
  const text = `${JSON.stringify(json, null, 2)}\n`;
  try {
    parseManifest('embedder', text);
  } catch (cause) {
    throw new EvaluationError(`the measured calibration can't be shipped: ${(cause as Error).message}`, { cause });
  }
  return text;
}
