import { expect, test } from 'vitest';
import type { ErrorCard, Verification } from './card.ts';
import { goalsOf } from './goals.ts';

function card(fnmr: number | null, high: number, accuracy: Verification['accuracy'] = null) {
  const point = { fmr: 1e-3, threshold: 0.3, falseMatches: 100, fnmr, limits: { low: 0, high } };
  const acquisition = { rate: 0, limits: { low: 0, high: 0.0025 } } as ErrorCard['acquisition'];
  const verification = [{ set: 'all', points: [point], accuracy } as unknown as Verification];
  return { data: { photographs: 10 } as ErrorCard['data'], acquisition, verification };
}
const verdicts = (...given: Parameters<typeof card>) => goalsOf(card(...given)).map(({ verdict }) => verdict);

test('a goal is shown where the worse limit keeps it too, and only reached where it does not', () => {
  expect(verdicts(0.021, 0.1)[0]).toBe('not reached');
  expect(verdicts(0.01, 0.07)[0]).toBe('reached, too few to show it');
  expect(verdicts(0.01, 0.02)[0]).toBe('shown');
  expect(verdicts(null, 1)[0]).toBe('not measured');
  expect(verdicts(0, 0)[1]).toBe('reached, too few to show it');
});

test('accuracy counts by folds alone, and says why it was not measured otherwise', () => {
  const folds = { mean: 0.996, standardError: 0.0005, folds: [] };
  expect(verdicts(0, 0, folds)[2]).toBe('shown');
  expect(verdicts(0, 0, { ...folds, mean: 0.995 })[2]).toBe('reached, too few to show it');
  expect(verdicts(0, 0, { ...folds, mean: 0.99 })[2]).toBe('not reached');
  expect(goalsOf(card(0, 0, { ...folds, standardError: null }))[2]).toMatchObject({
    verdict: 'not measured',
    why: expect.stringContaining('--pairs'),
  });
});

test('there are none where no face was compared', () => {
  expect(goalsOf({ ...card(0, 0), data: { photographs: 0 } as ErrorCard['data'] })).toEqual([]);
});
