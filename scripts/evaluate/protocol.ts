/** Accuracy as the protocol of Labeled Faces in the Wild has it (UMass Amherst TR 07-49, 2007): the threshold comes from other people. */
import type { ListedScore } from './comparisons.ts';

export interface Accuracy {
  /** Mean over the folds, 0…1. */
  readonly mean: number;
  /** Standard error of the mean over the folds; null with fewer than two folds. */
  readonly standardError: number | null;
  readonly folds: readonly { readonly accuracy: number; readonly threshold: number }[];
}

/** A pair without a score is answered "different", as somebody without a template can't be recognised. */
const answeredBy = ({ score }: ListedScore) => score ?? Number.NEGATIVE_INFINITY;

/**
 * For each fold, the share that is answered rightly at the threshold that is best on all other folds. With one fold its own best
 * threshold is taken, which flatters.
 */
export function foldAccuracy(list: readonly ListedScore[]): Accuracy {
  const numbers = [...new Set(list.map(({ fold }) => fold))].sort((a, b) => a - b);
  const folds = numbers.map((number) => {
    const inside = list.filter(({ fold }) => fold === number);
    const others = numbers.length === 1 ? inside : list.filter(({ fold }) => fold !== number);
    const threshold = bestThreshold(others);
    const right = inside.filter((pair) => answeredBy(pair) > threshold === pair.same).length;
    return { accuracy: right / inside.length, threshold };
  });
  const n = folds.length;
  const mean = folds.reduce((sum, { accuracy }) => sum + accuracy, 0) / n;
  const variance = folds.reduce((sum, { accuracy }) => sum + (accuracy - mean) ** 2, 0) / (n - 1);
  return { mean, standardError: n < 2 ? null : Math.sqrt(variance / n), folds };
}

/** The score that a pair must exceed to be called the same person, with the fewest errors; half-way between two scores, the lowest of
 *  several that are as good. */
function bestThreshold(list: readonly ListedScore[]): number {
  const scored = list
    .flatMap(({ score, same }) => (score === null ? [] : [{ score, same }]))
    .sort((a, b) => a.score - b.score);
  let errors = scored.filter(({ same }) => !same).length;
  let best = { errors, threshold: -1 };
  for (const [i, { score, same }] of scored.entries()) {
    errors += same ? 1 : -1;
    const next = scored[i + 1]?.score ?? 1;
    if (errors < best.errors && next > score) best = { errors, threshold: (score + next) / 2 };
  }
  return best.threshold;
}
