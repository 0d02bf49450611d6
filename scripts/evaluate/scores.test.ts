import { describe, expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { fmrAbove, missedAt, ScoreKeeper, thresholdAt } from './scores.ts';
import { Tail } from './tail.ts';

/** Impostor scores 0.001, 0.002 … 1, genuine ones as given, all of person 0 and 1. */
function thousand(...genuine: number[]) {
  const keeper = new ScoreKeeper(1_000);
  for (let k = 1; k <= 1_000; k++) keeper.impostor(k / 1_000, 0, 1);
  for (const score of genuine) keeper.genuine(score, 0);
  return keeper.done();
}

describe('the threshold of a false-match rate', () => {
  test('lets exactly that share of the impostors through', () => {
    const { impostors } = thousand();
    const threshold = thresholdAt(impostors, 0.01)!;
    expect(threshold).toBeCloseTo(0.99, 6);
    expect(fmrAbove(impostors, threshold)).toBe(0.01);
  });

  test('is none where less than one impostor would be let through', () => {
    expect(thresholdAt(thousand().impostors, 0.0009)).toBeNull();
    expect(thresholdAt(thousand().impostors, 0.001)).toBeCloseTo(0.999, 6);
  });

  test('comes from the bins, never too low, where it lies below what is kept exactly', () => {
    const keeper = new ScoreKeeper(1_000_000);
    const random = seeded(7);
    for (let k = 0; k < 1_000_000; k++) keeper.impostor(random() * 2 - 1, 0, 1);
    const { impostors } = keeper.done();
    expect(impostors.scores).toHaveLength(30_000);
    expect(impostors.count).toBe(1_000_000);
    const threshold = thresholdAt(impostors, 0.5)!;
    expect(threshold).toBeCloseTo(0, 2);
    expect(fmrAbove(impostors, threshold)).toBeLessThanOrEqual(0.5);
    expect(fmrAbove(impostors, threshold)).toBeGreaterThan(0.499);
  });
});

test('a genuine score that is no higher than the threshold is missed', () => {
  const { genuine } = thousand(0.5, 0.9, 0.1, 0.5);
  expect([...genuine.scores]).toEqual([0.1, 0.5, 0.5, 0.9].map(Math.fround));
  expect(missedAt(genuine, Math.fround(0.5))).toBe(3);
  expect(missedAt(genuine, 0.49)).toBe(1);
  expect(missedAt(genuine, -1)).toBe(0);
});

test('the highest of many scores are kept with their people, whatever the order they come in', () => {
  const tail = new Tail(5);
  const random = seeded(3);
  const all = Array.from({ length: 200 }, (_, i) => ({ score: Math.fround(random()), i }));
  for (const { score, i } of all) tail.add(score, i, i + 1);
  const { scores, ones, others } = tail.sorted();
  const expected = all.sort((a, b) => b.score - a.score).slice(0, 5);
  expect([...scores]).toEqual(expected.map(({ score }) => score));
  expect([...ones]).toEqual(expected.map(({ i }) => i));
  expect([...others]).toEqual(expected.map(({ i }) => i + 1));
});
