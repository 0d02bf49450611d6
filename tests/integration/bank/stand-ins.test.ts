/** A stand-in that should not have been is recorded all the same, and each thing that is wrong with it is an incident of its own. */
import { expect, it } from 'vitest';
import type { MatchResult } from '../../../src-contract/match-result.ts';
import { money } from '../../../src-contract/primitives.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase } from './banks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

onEachDatabase((opened) => {
  interface Way {
    readonly yen?: number;
    readonly result?: Partial<Record<keyof MatchResult, unknown>>;
    readonly period?: { number: number; sinceMs: number };
  }
  /** Posts one; answers the codes of what the bank noticed of it. */
  const standsIn = async (terminal: TestTerminal, personId: string, { yen = 100, result = {}, period }: Way = {}) => {
    const transactionId = id();
    const amount = money(yen);
    const { resultId, jws } = await terminal.nextResult({
      ...{ service: 'purchase', personId, transactionId, amount, mode: 'stand-in' },
      ...result,
    });
    expect(await terminal.post('/v1/results', { results: [jws] })).toMatchObject({ status: 200 });
    const at = opened().clock.now();
    const answer = await terminal.post('/v1/stand-ins', {
      ...{ idempotencyKey: id(), transactionId, personId, amount, at, resultId },
      ...(period ? { period: { number: period.number, since: at - period.sinceMs } } : {}),
    });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'posted' } });
    type Incident = { code: string; evidence: string };
    const { body } = await opened().admin.get<{ incidents: Incident[] }>('/admin/incidents');
    return body.incidents.filter(({ evidence }) => evidence.includes(transactionId)).map(({ code }) => code);
  };
  const shopper = async () => {
    const terminal = await opened().terminal();
    return { terminal, personId: await terminal.enrol('2749', { yen: 10_000 }) };
  };

  it('notices nothing of one within its limits', async () => {
    const { terminal, personId } = await shopper();
    expect(await standsIn(terminal, personId, { period: { number: 1, sinceMs: HOUR_MS } })).toEqual([]);
  });

  it.each([
    [
      'on too weak a sign of life for any amount',
      'stand-in-weak-evidence',
      { result: { liveness: { frames: 12, passive: 0.4, cues: [], decision: 'live' } } },
    ],
    ['longer without the bank than it may', 'stand-in-too-late', { period: { number: 1, sinceMs: 25 * HOUR_MS } }],
    ['by a policy it was never given', 'stand-in-policy-unknown', { result: { policyVersion: 'of another bank' } }],
  ] as const)('notices one %s', async (_, code, way) => {
    const { terminal, personId } = await shopper();
    expect(await standsIn(terminal, personId, way)).toEqual([code]);
  });

  it('notices the sixth of one person within an hour, and not the fifth', async () => {
    const { terminal, personId } = await shopper();
    const period = { number: 1, sinceMs: HOUR_MS };
    for (let count = 1; count <= 5; count += 1) expect(await standsIn(terminal, personId, { period })).toEqual([]);
    expect(await standsIn(terminal, personId, { period })).toEqual(['stand-in-too-often']);
  });

  it('notices what is more in one offline period than a person may spend, and not in the next', async () => {
    const { terminal, personId } = await shopper();
    const period = { number: 1, sinceMs: HOUR_MS };
    expect(await standsIn(terminal, personId, { yen: 3_000, period })).toEqual([]);
    expect(await standsIn(terminal, personId, { yen: 3_000, period })).toEqual(['stand-in-over-limit']);
    expect(await standsIn(terminal, personId, { yen: 3_000, period: { number: 2, sinceMs: HOUR_MS } })).toEqual([]);
  });

  it('notices a period that went on after a later one had begun', async () => {
    const { terminal, personId } = await shopper();
    expect(await standsIn(terminal, personId, { period: { number: 2, sinceMs: HOUR_MS } })).toEqual([]);
    const late = await standsIn(terminal, personId, { period: { number: 1, sinceMs: HOUR_MS } });
    expect(late).toEqual(['stand-in-period-renewed']);
  });

  it('notices one by a policy that had expired', async () => {
    const { terminal, personId } = await shopper();
    opened().clock.ms += 400 * DAY_MS;
    expect(await standsIn(terminal, personId)).toEqual(['stand-in-policy-expired']);
    opened().clock.ms -= 400 * DAY_MS;
  });
});
