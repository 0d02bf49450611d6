import { describe, expect, it, test } from 'vitest';
import {
  CHALLENGES_DEFAULT,
  type ChallengeEvidence,
  type ChallengeStep,
  ChallengeTerms,
  challengeObjection,
  wantsChallenge,
} from './challenge.ts';
import { PolicyTerms } from './policy.ts';

const step = (more: Partial<ChallengeStep> = {}): ChallengeStep => ({
  ...{ try: 1, demand: 'nod', outcome: 'passed', tookMs: 2_000 },
  ...more,
});
const passed = (...steps: ChallengeStep[]): ChallengeEvidence => ({ outcome: 'passed', steps });
const terms = (more: Partial<ChallengeTerms>): ChallengeTerms => ({ ...CHALLENGES_DEFAULT, ...more });

test('a challenge is wanted above its amount, and where the amount is not known yet', () => {
  const above = { kind: 'above', amountMinor: 100_000 as never } as const;
  expect(wantsChallenge(above, 100_000)).toBe(false);
  expect(wantsChallenge(above, 100_001)).toBe(true);
  expect(wantsChallenge(above, null)).toBe(true);
  expect(wantsChallenge({ kind: 'never' }, null)).toBe(false);
  expect(wantsChallenge({ kind: 'always' }, 1)).toBe(true);
});

describe('evidence of a challenge', () => {
  it.each<[string, ChallengeEvidence, Partial<ChallengeTerms>]>([
    ['one step passed', passed(step()), {}],
    ['passed at the second try', passed(step({ outcome: 'wrong' }), step({ try: 2 })), {}],
    ['declined, and light instead', passed(step({ outcome: 'declined' }), step({ demand: 'light' })), {}],
    ['both of two', passed(step(), step({ demand: 'turn-left' })), { stepsMin: 2 }],
  ])('does when it shows %s', (_what, evidence, more) => {
    expect(challengeObjection(evidence, terms(more))).toBeNull();
  });

  it.each<[string, ChallengeEvidence | null, Partial<ChallengeTerms>, RegExp]>([
    ['there is none', null, {}, /no challenge/],
    ['it failed', { outcome: 'failed', steps: [step()] }, {}, /not passed/],
    ['nothing was asked', passed(), {}, /nothing passed/],
    ['the last was not passed', passed(step(), step({ outcome: 'late' })), {}, /nothing passed/],
    ['it took more tries than there are', passed(step({ try: 3 })), {}, /3 tries/],
    ['two were wanted', passed(step()), { stepsMin: 2 }, /only 1/],
    ['the other was passed in another try', passed(step(), step({ try: 2 })), { stepsMin: 2 }, /only 1/],
    ['its kind is not allowed', passed(step({ demand: 'turn-right' })), { kinds: ['nod', 'light'] }, /turn-right/],
  ])('does not when %s', (_what, evidence, more, why) => {
    expect(challengeObjection(evidence, terms(more))).toMatch(why);
  });
});

test('terms whose numbers do not fit are refused, naming the field', () => {
  const of = (more: object) => ChallengeTerms.safeParse({ ...CHALLENGES_DEFAULT, ...more }).error?.issues[0];
  expect(of({ stepsMin: 2, stepsMax: 1 })).toMatchObject({ path: ['stepsMax'], message: 'is less than stepsMin' });
  expect(of({ kinds: ['nod', 'nod'] })).toMatchObject({ path: ['kinds'], message: 'names a kind twice' });
  expect(of({ kinds: [] })?.path).toEqual(['kinds']);
  expect(of({ tries: 6 })?.path).toEqual(['tries']);
});

test('a policy of before there were challenges wants none', () => {
  expect(
    PolicyTerms.shape.services.shape.withdraw.parse({
      maxFmr: 1e-4,
      secondFactor: { kind: 'always' },
      maxAmountMinor: 1,
    }),
  ).toMatchObject({ challenge: { kind: 'never' } });
});
