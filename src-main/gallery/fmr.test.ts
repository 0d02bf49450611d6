import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Calibration } from '../vision/observation.ts';
import { alikeMax, estimatedFmr } from './fmr.ts';

const calibration: Calibration = {
  points: [
    { score: 0.1, log10Fmr: -1 },
    { score: 0.3, log10Fmr: -3 },
    { score: 0.4, log10Fmr: -5 },
  ],
  floorLog10Fmr: -7,
  safetyFactor: 2,
};

describe('the estimated false-match rate', () => {
  test.each([
    ['at a point', 0.3, 2e-3],
    ['between two points, on the logarithm', 0.2, 2e-2],
    ['beyond the last point, along the last segment', 0.45, 2e-6],
    ['never below the floor, however high the score', 0.99, 2e-7],
    ['before the first point, along the first segment, never above 1', -0.5, 1],
  ])('of one comparison %s', (_, score, rate) => {
    expect(estimatedFmr(calibration, score, 1)).toBeCloseTo(rate, 12);
  });

  test('of a search is that of any one comparison going wrong', () => {
    expect(estimatedFmr(calibration, 0.3, 100)).toBeCloseTo(1 - (1 - 2e-3) ** 100, 12);
    expect(estimatedFmr(calibration, 0.3, 0)).toBe(0);
  });

  test('keeps a rate too small to be told from 1 when taken from it', () => {
    const tiny: Calibration = { ...calibration, floorLog10Fmr: -30, safetyFactor: 1 };
    expect(estimatedFmr(tiny, 1.15, 1_000) / 1e-17).toBeCloseTo(1, 6);
  });

  test('falls with the score, grows with the gallery, and stays within 0 and 1', () => {
    const score = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(score, score, fc.integer({ min: 1, max: 1_000_000 }), (one, other, people) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        expect(estimatedFmr(calibration, high, people)).toBeLessThanOrEqual(estimatedFmr(calibration, low, people));
        expect(estimatedFmr(calibration, low, people)).toBeLessThanOrEqual(estimatedFmr(calibration, low, people + 1));
        expect(estimatedFmr(calibration, low, people)).toBeLessThanOrEqual(1);
        expect(estimatedFmr(calibration, high, people)).toBeGreaterThan(0);
      }),
    );
  });

  test('is not made up for what is no score', () => {
    expect(() => estimatedFmr(calibration, Number.NaN, 1)).toThrow('NaN');
  });
});

describe('likenesses by chance', () => {
  test.each([
    ['a few people', 75, 1e-4, 3],
    // For a mean of 0.1 P(X > 3) = 3.8e-6, P(X > 4) = 7.7e-8.
    ['a thousand', 1_000, 1e-4, 4],
    // P(X ≤ 8) = 0.9999990 for a mean of 1, and P(X ≤ 9) = 0.99999989 (Poisson tables).
    ['ten thousand, of whom one is to be expected', 10_000, 1e-4, 9],
    // Mean 100: five standard deviations and a little.
    ['a million', 1_000_000, 1e-4, 151],
  ])('among %s', (_, people, fmr, alike) => {
    expect(alikeMax(people, fmr)).toBe(alike);
  });

  test('end with everybody, whatever the rate', () => {
    expect(alikeMax(50, 1)).toBeLessThanOrEqual(50);
    expect(alikeMax(0, 1e-4)).toBe(3);
  });
});
