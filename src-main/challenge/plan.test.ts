import { expect, it, test } from 'vitest';
import { seeded } from '../../scripts/random.ts';
import { CHALLENGES_DEFAULT, type ChallengeKind, type ChallengeTerms, kindOf } from '../../src-contract/challenge.ts';
import { PATTERNS } from './light.ts';
import { blindChance, drawPlan, possibleKinds, sequences } from './plan.ts';

const terms = (change: Partial<ChallengeTerms>): ChallengeTerms => ({ ...CHALLENGES_DEFAULT, ...change });

it('asks for every sequence as often as for every other of its length, and for no kind twice', () => {
  const fraction = seeded(1);
  const counts = new Map<string, number>();
  const draws = 4_000;
  let repeated = 0;
  for (let i = 0; i < draws; i++) {
    const plan = drawPlan(CHALLENGES_DEFAULT, [], fraction)!;
    if (new Set(plan.map(kindOf)).size !== plan.length) repeated++;
    counts.set(plan.join(), (counts.get(plan.join()) ?? 0) + 1);
  }
  expect(repeated).toBe(0);
  const single = sequences(CHALLENGES_DEFAULT.kinds, 1);
  const double = sequences(CHALLENGES_DEFAULT.kinds, 2);
  expect([single.length, double.length, counts.size]).toEqual([6, 28, 34]);
  for (const [plan, count] of counts) {
    const expected = draws / 2 / (plan.includes(',') ? double.length : single.length);
    // Within six standard deviations: the seed is fixed.
    expect(Math.abs(count - expected)).toBeLessThan(6 * Math.sqrt(expected));
  }
});

it('asks who declined a movement for light alone, and who declined light too for the movements that are left', () => {
  expect(possibleKinds(CHALLENGES_DEFAULT, ['nod'])).toEqual(['light']);
  expect(possibleKinds(CHALLENGES_DEFAULT, ['light'])).toEqual(['turn', 'nod', 'blink', 'mouth']);
  expect(possibleKinds(CHALLENGES_DEFAULT, ['nod', 'light'])).toEqual(['turn', 'blink', 'mouth']);
  expect(possibleKinds({ kinds: ['turn', 'nod'] }, ['turn'])).toEqual(['nod']);
});

it('asks for the only kind there is as often as is wanted', () => {
  expect(drawPlan(terms({ kinds: ['light'], stepsMin: 2, stepsMax: 2 }), [], seeded(2))).toEqual(['light', 'light']);
});

it('has nothing to ask for once all was declined', () => {
  expect(drawPlan(terms({ kinds: ['turn', 'nod'] }), ['turn', 'nod'], seeded(3))).toBeNull();
});

test.each([
  ['one or two steps, as by default', {}, 0.1012],
  ['always two steps', { stepsMin: 2 }, 0.0357],
  ['always one', { stepsMax: 1 }, 1 / 6],
  ['light alone', { kinds: ['light'], stepsMax: 1 }, 1 / 96],
] as const)('who does not see the screen passes a try of %s by this chance at most', (_what, change, chance) => {
  expect(blindChance(terms(change as Partial<ChallengeTerms>), PATTERNS)).toBeCloseTo(chance, 4);
});

it('asks for more of what is left of somebody who declined twice, so that declining does not lead to the movement one has', () => {
  const narrowed = (kind: ChallengeKind) => blindChance(CHALLENGES_DEFAULT, PATTERNS, [kind, 'light']);
  expect(drawPlan(CHALLENGES_DEFAULT, ['nod', 'light'], seeded(4))).toHaveLength(2);
  expect([narrowed('turn'), narrowed('nod')]).toEqual([1 / 6, 1 / 10]);
});
