import { expect, it, test } from 'vitest';
import type { ChallengeEvidence } from '../../src-contract/challenge.ts';
import { type ClaimedIdentity, MatchResult } from '../../src-contract/match-result.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import { type Money, money, type Service } from '../../src-contract/primitives.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { DEFAULT_POLICY } from '../policy.ts';
import { objection } from './evidence.ts';

const uuid = (last: number) => `019aa000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const PASSED: ChallengeEvidence = {
  outcome: 'passed',
  steps: [{ try: 1, demand: 'nod', outcome: 'passed', tookMs: 2_000 }],
};

/** As it was written before there were challenges, unless one is given. */
const resultOf = (service: Service, amount: Money | null, challenge?: ChallengeEvidence): MatchResult =>
  MatchResult.parse({
    version: 1,
    resultId: uuid(1),
    terminalId: uuid(2),
    sequence: 1,
    previousHash: null,
    at: 0,
    service,
    transactionId: uuid(3),
    amount,
    outcome: 'accepted',
    reason: null,
    personId: uuid(4),
    comparison: { score: 0.7, runnerUpScore: null, gallerySize: 3, estimatedFmr: 1e-6 },
    liveness: { frames: 12, passive: 0.98, cues: [], decision: 'live' },
    secondFactor: 'pin',
    mode: 'online',
    models: [],
    policyVersion: 'p',
    ...(challenge ? { challenge } : {}),
  });

const judged = (
  result: MatchResult,
  named: PolicyTerms | null = null,
  policy = DEFAULT_POLICY,
  toldOf: string | null = null,
) =>
  objection(
    { result, usedBy: null, recordedAt: 0, toldOf, named },
    { service: result.service, personId: uuid(4), transactionId: uuid(3), amount: result.amount },
    { terminalId: uuid(2) } as Terminal,
    policy,
  );
const wanting = (challenge: object): PolicyTerms => ({
  ...DEFAULT_POLICY,
  version: 'stricter',
  services: {
    ...DEFAULT_POLICY.services,
    withdraw: { ...DEFAULT_POLICY.services.withdraw, challenge: challenge as { kind: 'always' } },
  },
});

test('by default a look is enough up to 100,000 yen, and above it a challenge has to be passed', () => {
  expect(judged(resultOf('withdraw', money(100_000)))).toBeNull();
  expect(judged(resultOf('withdraw', money(100_001)))).toMatch(/wants a challenge: no challenge was asked/);
  expect(judged(resultOf('transfer', money(200_000)))).toMatch(/wants a challenge/);
  expect(judged(resultOf('withdraw', money(100_001), PASSED))).toBeNull();
  expect(judged(resultOf('withdraw', money(100_001), { ...PASSED, outcome: 'failed' }))).toMatch(/was not passed/);
});

it('asks nothing more of purchases, deposits, balances and withdrawals of consent', () => {
  for (const service of ['purchase', 'deposit', 'balance', 'opt-out'] as const) {
    expect(judged(resultOf(service, service === 'balance' ? null : money(90_000)))).toBeNull();
  }
});

it('holds a result against the policy it names, however lenient the present one is', () => {
  const result = resultOf('withdraw', money(1_000));
  expect(judged(result, wanting({ kind: 'always' }))).toMatch(/policy stricter wants a challenge/);
  expect(judged(result, wanting({ kind: 'never' }))).toBeNull();
});

it('holds it against the present one, however lenient the one it names', () => {
  expect(judged(resultOf('withdraw', money(1_000)), wanting({ kind: 'never' }), wanting({ kind: 'always' }))).toMatch(
    /wants a challenge/,
  );
});

test('a claimed identity is held against the rate of one comparison, and against who the bank named', () => {
  const QUESTION = uuid(9);
  const claimed = (change: Partial<ClaimedIdentity> = {}, estimatedFmr = 1e-4): MatchResult => ({
    ...resultOf('withdraw', money(1_000)),
    comparison: { score: 0.5, runnerUpScore: null, gallerySize: 1, estimatedFmr, model: null },
    claimed: { by: 'account-number', template: 'bank', questionId: QUESTION, ...change },
  });
  const told = (result: MatchResult, who: string | null, named = DEFAULT_POLICY, policy = DEFAULT_POLICY) =>
    judged(result, named, policy, who);
  const withoutAny: PolicyTerms = {
    ...DEFAULT_POLICY,
    version: 'older',
    services: { ...DEFAULT_POLICY.services, withdraw: { ...DEFAULT_POLICY.services.withdraw, claimed: null } },
  };
  expect(told(claimed(), uuid(4))).toBeNull();
  expect(told(claimed({}, 1.1e-4), uuid(4))).toMatch(/false-match rate is above/);
  expect(told(claimed(), uuid(5))).toMatch(/named somebody else, or nobody/);
  expect(told(claimed(), null)).toMatch(/named somebody else, or nobody/);
  expect(told(claimed({ questionId: null }), null)).toMatch(/was not asked for its template/);
  expect(told(claimed({ template: 'gallery', questionId: null }), null)).toBeNull();
  for (const [named, policy] of [
    [withoutAny, DEFAULT_POLICY],
    [DEFAULT_POLICY, withoutAny],
  ] as const)
    expect(told(claimed(), uuid(4), named, policy)).toMatch(/policy older allows no claimed identity/);
});
