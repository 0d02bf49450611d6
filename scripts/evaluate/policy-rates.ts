/**
 * What a policy's rate for one comparison (`services.*.claimed`) costs the genuine: the rate is reached at a score by the calibration that
 * is shipped, safety factor included, and not by this set's own impostors.
 */
import type { Calibration } from '../../src-main/vision/observation.ts';
import { scoreClaiming } from './calibration.ts';
import { type Limits, wilson } from './intervals.ts';
import { type Genuine, missedAt } from './scores.ts';

const RATES = [1e-3, 1e-4, 1e-5, 1e-6] as const;

export interface PolicyRate {
  readonly rate: number;
  /** From here on a terminal believes a comparison at this rate. */
  readonly score: number;
  /** Null where there is no genuine pair. */
  readonly fnmr: number | null;
  /** 95 %, as of that number of people (Wilson). */
  readonly limits: Limits | null;
}

export function policyRates(genuine: Genuine, calibration: Calibration): PolicyRate[] {
  const people = new Set(genuine.people).size;
  return RATES.map((rate) => {
    const score = scoreClaiming(calibration, rate);
    if (people === 0) return { rate, score, fnmr: null, limits: null };
    const fnmr = missedAt(genuine, score) / genuine.scores.length;
    return { rate, score, fnmr, limits: wilson(fnmr * people, people) };
  });
}
