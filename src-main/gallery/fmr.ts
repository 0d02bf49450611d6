/**
 * From a comparison score to the rate at which strangers reach it. The calibration gives the single-comparison false-match
 * rate; searching a gallery compares many times, and each comparison is another chance to be wrong.
 */
import type { Calibration } from '../vision/observation.ts';

/** Probability that at least one of `comparisons` strangers reaches this score (ISO/IEC 19795-1: FPIR for an
 *  identification, FMR for one comparison), with independent comparisons assumed: 1 − (1 − f)^N. 0…1. */
export function estimatedFmr(calibration: Calibration, score: number, comparisons: number): number {
  return fmrOver(singleFmr(calibration, score), comparisons);
}

/** The same from the rate of a single comparison. */
export function fmrOver(single: number, comparisons: number): number {
  if (single >= 1) return comparisons > 0 ? 1 : 0;
  // Written with log1p and expm1, or a rate of 1e-17 would be lost against the 1.
  return clamp(-Math.expm1(comparisons * Math.log1p(-single)));
}

/**
 * Whether two templates among so many people are more alike than strangers are, by this rate over all of them: with every person more, some
 * stranger comes nearer by chance. As like as the calibration can tell is alike in any crowd: beyond its floor it could say no better of
 * the same face.
 */
export function isLookAlike(calibration: Calibration, score: number, people: number, fmr: number): boolean {
  return estimatedFmr(calibration, score, people) <= fmr || singleFmr(calibration, score) <= floorFmr(calibration);
}

function floorFmr({ floorLog10Fmr, safetyFactor }: Calibration): number {
  return clamp(10 ** floorLog10Fmr * safetyFactor);
}

/** So seldom may a sound reference be refused for being like too many by chance. */
const BY_CHANCE = 1e-6;
/** Somebody may have this many brothers and sisters who look like them. */
const ALIKE_LEAST = 3;

/**
 * How many of so many people a face may be as like as strangers are at this rate, before that can't be chance or kinship: a reference
 * that is without features (dark, blurred, half hidden) is like everybody. More than were to be expected once in a million times by
 * Poisson's law, and never fewer than three.
 */
export function alikeMax(people: number, fmr: number): number {
  const expected = people * fmr;
  let probability = Math.exp(-expected);
  let below = probability;
  let alike = 0;
  // Far beyond its mean the sum is 1 to within rounding; the bound only keeps a rate of 1 from going on for ever.
  while (1 - below > BY_CHANCE && alike < people) {
    alike++;
    probability *= expected / alike;
    below += probability;
  }
  return Math.max(ALIKE_LEAST, alike);
}

/** Single-comparison rate at this score: log10 FMR interpolated between the points, extrapolated along the outer segments,
 *  never below the floor, times the safety factor. */
export function singleFmr(calibration: Calibration, score: number): number {
  if (!Number.isFinite(score)) throw new Error(`not a comparison score: ${score}`);
  const log10 = Math.max(interpolate(calibration.points, score), calibration.floorLog10Fmr);
  return clamp(10 ** log10 * calibration.safetyFactor);
}

function interpolate(points: Calibration['points'], score: number): number {
  if (points.length < 2) throw new Error('a calibration needs two points or more');
  // The first segment whose end is beyond the score; the last one where none is.
  const index = points.findIndex((point, at) => at > 0 && score <= point.score);
  const right = points[index === -1 ? points.length - 1 : index]!;
  const left = points[index === -1 ? points.length - 2 : index - 1]!;
  const slope = (right.log10Fmr - left.log10Fmr) / (right.score - left.score);
  return left.log10Fmr + slope * (score - left.score);
}

function clamp(rate: number): number {
  return Math.min(1, Math.max(0, rate));
}
