/** What recognition with the default models was meant to reach, and whether these figures show it. */
import type { ErrorCard } from './card.ts';
import type { Limits } from './intervals.ts';

/** False non-matches of single photographs, none rejected, where one comparison of strangers in a thousand matches. */
const FNMR_MAX = { fmr: 1e-3, share: 0.02 };
const FTA_MAX = 0.002;
/** By the ten-fold protocol of Labeled Faces in the Wild, view 2. */
const ACCURACY_MIN = 0.9945;

export interface Goal {
  readonly goal: string;
  /** Null where it was not measured. */
  readonly figure: { readonly value: number; readonly limits: Limits | null } | null;
  /** Shown: at the worse of its limits as well. */
  readonly verdict: 'shown' | 'reached, too few to show it' | 'not reached' | 'not measured';
  /** Why it was not measured; empty where it was. */
  readonly why: string;
}

/** None where no faces were compared. */
export function goalsOf(card: Pick<ErrorCard, 'acquisition' | 'verification' | 'data'>): Goal[] {
  if (card.data.photographs === 0) return [];
  const set = card.verification.find(({ set: name }) => name === 'all') ?? card.verification[0];
  const point = set?.points.find(({ fmr }) => fmr === FNMR_MAX.fmr);
  const accuracy = set?.accuracy?.standardError == null ? null : set.accuracy;
  const { rate, limits } = card.acquisition;
  return [
    point?.fnmr == null
      ? unmeasured('FNMR at FMR 1e-3 at most 2 %', 'too few pairs')
      : atMost('FNMR at FMR 1e-3 at most 2 %', FNMR_MAX.share, point.fnmr, point.limits),
    atMost('failure to acquire under 0.2 %', FTA_MAX, rate, limits),
    accuracy
      ? atLeast('accuracy by folds at least 99.45 %', accuracy.mean, accuracy.standardError!)
      : unmeasured(
          'accuracy on LFW view 2 at least 99.45 %',
          'its pairs are kept for a check by others, with --pairs: nothing was chosen on them',
        ),
  ];
}

const unmeasured = (goal: string, why: string): Goal => ({ goal, figure: null, verdict: 'not measured', why });

function atMost(goal: string, most: number, value: number, limits: Limits | null): Goal {
  const verdict =
    value > most ? 'not reached' : limits && limits.high <= most ? 'shown' : 'reached, too few to show it';
  return { goal, figure: { value, limits }, verdict, why: '' };
}

function atLeast(goal: string, value: number, standardError: number): Goal {
  // 95 % of a normal law.
  const limits = { low: value - 1.96 * standardError, high: Math.min(1, value + 1.96 * standardError) };
  const verdict =
    value < ACCURACY_MIN ? 'not reached' : limits.low >= ACCURACY_MIN ? 'shown' : 'reached, too few to show it';
  return { goal, figure: { value, limits }, verdict, why: '' };
}
