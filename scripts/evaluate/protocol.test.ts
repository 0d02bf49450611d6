import { describe, expect, test } from 'vitest';
import type { ListedScore } from './comparisons.ts';
import { foldAccuracy } from './protocol.ts';

const pair = (fold: number, same: boolean, score: number | null): ListedScore => ({
  fold,
  same,
  score,
  one: 0,
  other: 1,
});

describe('accuracy', () => {
  test('of a fold is at the threshold that is best on the others', () => {
    const accuracy = foldAccuracy([
      pair(0, true, 0.9),
      pair(0, true, 0.4),
      pair(0, false, 0.1),
      pair(0, false, 0.2),
      pair(1, true, 0.7),
      pair(1, true, 0.6),
      pair(1, false, 0.3),
      pair(1, false, 0.35),
    ]);
    // On fold 1 anything from 0.35 to 0.6 is without error, the middle 0.475 is taken: fold 0 then misses 0.4. On fold 0 it is
    // 0.3: fold 1 then takes 0.35 for a match; 0.3 itself does not exceed it.
    expect(accuracy.folds).toEqual([
      { accuracy: 0.75, threshold: expect.closeTo(0.475, 12) },
      { accuracy: 0.75, threshold: expect.closeTo(0.3, 12) },
    ]);
    expect(accuracy).toMatchObject({ mean: 0.75, standardError: 0 });
  });

  test('has the standard error of its folds', () => {
    const folds = [0, 1, 2, 3].flatMap((fold) => [pair(fold, true, fold === 0 ? 0.1 : 0.9), pair(fold, false, 0.2)]);
    const { mean, standardError } = foldAccuracy(folds);
    expect(mean).toBeCloseTo((0.5 + 3) / 4, 12);
    // Deviations −3/8, 1/8, 1/8, 1/8: variance 12/64/3, over four folds.
    expect(standardError).toBeCloseTo(Math.sqrt(12 / 64 / 3 / 4), 12);
  });

  test('of one set has no error to state', () => {
    const { mean, standardError } = foldAccuracy([pair(0, true, 0.8), pair(0, false, 0.3)]);
    expect(mean).toBe(1);
    expect(standardError).toBeNull();
  });

  test('counts a pair without a face as answered "different"', () => {
    const folds = [0, 1].flatMap((fold) => [
      pair(fold, true, null),
      pair(fold, false, null),
      pair(fold, true, 0.9),
      pair(fold, false, 0.1),
    ]);
    expect(foldAccuracy(folds).mean).toBe(0.75);
  });
});
