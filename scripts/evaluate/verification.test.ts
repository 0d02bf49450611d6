import { describe, expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { quantile, wilson } from './intervals.ts';
import { ScoreKeeper } from './scores.ts';
import { detCurve, operatingPoints, pairWeight } from './verification.ts';

/** 10,000 impostor scores 0.0001 … 1 between people 0 … 99 in turn; genuine scores of people 0, 1, 2 … */
function scoresWith(genuine: readonly number[]) {
  const keeper = new ScoreKeeper(10_000);
  for (let k = 1; k <= 10_000; k++) keeper.impostor(k / 10_000, k % 100, (k + 1 + Math.floor(k / 100)) % 100);
  for (const [person, score] of genuine.entries()) keeper.genuine(score, person);
  return keeper.done();
}
const photographs = new Uint32Array(100).fill(1);

describe('false non-matches at a false-match rate', () => {
  test('are counted at the threshold that the rate asks for', () => {
    const scores = scoresWith([0.98, 0.991, 0.9995, 1]);
    const points = operatingPoints(scores, photographs, { replicas: 0, random: seeded(1) });
    expect(points.map(({ fmr, fnmr, falseMatches }) => [fmr, fnmr, falseMatches])).toEqual([
      [1e-2, 0.25, 100],
      [1e-3, 0.5, 10],
      [1e-4, 0.75, 1],
      [1e-5, null, 0],
    ]);
    expect(points[3]!.threshold).toBeNull();
  });

  test('have limits around them, the same for the same seed', () => {
    const scores = scoresWith(Array.from({ length: 50 }, (_, i) => (i < 10 ? 0.5 : 0.9999)));
    const limits = () => operatingPoints(scores, photographs, { replicas: 40, random: seeded(5) })[0]!.limits!;
    expect(limits()).toEqual(limits());
    expect(limits().low).toBeLessThan(0.2);
    expect(limits().low).toBeGreaterThan(0.05);
    expect(limits().high).toBeGreaterThan(0.2);
    expect(limits().high).toBeLessThan(0.4);
  });

  test('have an upper limit though none was seen', () => {
    const scores = scoresWith(new Array<number>(20).fill(0.9999));
    const [point] = operatingPoints(scores, photographs, { replicas: 10, random: seeded(1) });
    expect(point).toMatchObject({ fnmr: 0, limits: { low: 0 } });
    expect(point!.limits!.high).toBeCloseTo(wilson(0, 20).high, 12);
  });
});

describe('the curve', () => {
  test('falls in one rate as it rises in the other, and says where they meet', () => {
    const keeper = new ScoreKeeper(1_000);
    // Impostors evenly over 0 … 0.6, genuine ones over 0.4 … 1: at 0.5 a sixth of each is wrong.
    for (let k = 0; k < 1_000; k++) {
      keeper.impostor((0.6 * k) / 1_000, 0, 1);
      keeper.genuine(0.4 + (0.6 * k) / 1_000, 0);
    }
    const { points, equalErrorRate } = detCurve(keeper.done());
    expect(equalErrorRate).toBeCloseTo(1 / 6, 2);
    for (const [i, point] of points.entries()) {
      if (i === 0) continue;
      expect(point.fmr).toBeLessThan(points[i - 1]!.fmr);
      expect(point.fnmr).toBeGreaterThanOrEqual(points[i - 1]!.fnmr);
    }
  });

  test('meets at 0 where the two do not overlap', () => {
    const keeper = new ScoreKeeper(100);
    for (let k = 0; k < 100; k++) keeper.impostor(k / 1_000, 0, 1);
    keeper.genuine(0.9, 0);
    expect(detCurve(keeper.done()).equalErrorRate).toBe(0);
  });
});

test('pairs of two people are counted from how many photographs each has', () => {
  // Two and three and one: 2·3 + 2·1 + 3·1.
  expect(pairWeight(Uint32Array.of(2, 3, 1))).toBe(11);
  expect(pairWeight(Uint32Array.of(2, 3, 1), Uint32Array.of(1, 0, 2))).toBe(4);
});

test('limits of a share are as published', () => {
  // R. Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 29 of 29.
  for (const [errors, trials, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [29, 29, 0.883, 1],
  ] as const) {
    expect(wilson(errors, trials).low).toBeCloseTo(low, 4);
    expect(wilson(errors, trials).high).toBeCloseTo(high, 4);
  }
});

test('a quantile is one of the values', () => {
  expect(quantile([3, 1, 2, 4], 0.5)).toBe(2);
  expect(quantile([3, 1, 2, 4], 0.95)).toBe(4);
  expect(quantile([], 0.5)).toBeNaN();
});
