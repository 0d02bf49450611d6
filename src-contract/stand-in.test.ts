import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StandInPolicy, type StandInQuestion, type StandInTotals, standInBreaches } from './stand-in.ts';

const HOUR_MS = 3_600_000;
const policyOf = (limits: object, offlineMsMax = HOUR_MS) =>
  StandInPolicy.parse({ offlineMsMax, services: { purchase: limits } });
const policy = policyOf({
  tiers: [
    { maxFmr: 1e-6, minPassive: 0.8, perTransactionMinor: 3_000, perPersonMinor: 5_000 },
    { maxFmr: 1e-5, minPassive: 0.5, perTransactionMinor: 1_000, perPersonMinor: 2_000 },
  ],
  perPerson: { amountMinor: 5_000, count: 4 },
  perTerminal: { amountMinor: 9_000, count: 6 },
  velocity: [
    { of: 'person', count: 3, windowMs: HOUR_MS },
    { of: 'terminal', count: 5, windowMs: HOUR_MS },
  ],
});
const nothingYet: StandInTotals = {
  person: { amountMinor: 0, count: 0 },
  terminal: { amountMinor: 0, count: 0 },
  recent: () => 0,
};
const strong = { estimatedFmr: 1e-7, passive: 0.98, decision: 'live' } as const;
const weak = { estimatedFmr: 5e-6, passive: 0.98, decision: 'live' } as const;
const ask = (change: Partial<StandInQuestion> = {}) =>
  standInBreaches({
    policy,
    service: 'purchase',
    amountMinor: 800,
    evidence: strong,
    totals: nothingYet,
    offlineMs: 0,
    validForMs: 1,
    ...change,
  });
const spent = (change: Partial<StandInTotals>) => ({ totals: { ...nothingYet, ...change } });

describe('a stand-in', () => {
  it('within every limit is allowed, and at the limit too', () => {
    expect(ask()).toEqual([]);
    expect(ask({ amountMinor: 3_000, offlineMs: HOUR_MS })).toEqual([]);
    expect(ask({ amountMinor: 3_000, ...spent({ person: { amountMinor: 2_000, count: 3 } }) })).toEqual([]);
  });

  it.each<[string, Partial<StandInQuestion>]>([
    ['not-live', { evidence: { ...strong, decision: 'undecided' } }],
    ['weak-evidence', { evidence: { ...strong, estimatedFmr: 1.1e-5 } }],
    ['weak-evidence', { evidence: { ...strong, estimatedFmr: null } }],
    ['weak-evidence', { evidence: { ...strong, passive: 0.49 } }],
    ['weak-evidence', { evidence: { ...strong, passive: null } }],
    ['per-transaction', { amountMinor: 3_001 }],
    ['per-transaction', { amountMinor: 1_001, evidence: weak }],
    ['per-transaction', { amountMinor: 1_001, evidence: { ...strong, passive: 0.79 } }],
    ['person-amount', spent({ person: { amountMinor: 4_201, count: 1 } })],
    ['person-amount', { evidence: weak, ...spent({ person: { amountMinor: 1_201, count: 1 } }) }],
    ['person-count', spent({ person: { amountMinor: 4, count: 4 } })],
    ['terminal-amount', spent({ terminal: { amountMinor: 8_201, count: 1 } })],
    ['terminal-count', spent({ terminal: { amountMinor: 6, count: 6 } })],
    ['person-velocity', spent({ recent: (of) => (of === 'person' ? 3 : 0) })],
    ['terminal-velocity', spent({ recent: (of) => (of === 'terminal' ? 5 : 0) })],
    ['offline-too-long', { offlineMs: HOUR_MS + 1 }],
    ['policy-expired', { validForMs: 0 }],
  ])('that breaks one limit alone is refused for it: %s', (breach, change) => {
    expect(ask(change)).toEqual([breach]);
  });

  it('is refused where there is no tier at all', () => {
    const none = policyOf({ ...policy.services.purchase, tiers: [] });
    expect(ask({ policy: none, amountMinor: 1 })).toEqual(['weak-evidence']);
  });
});

const anyTier = fc.record({
  maxFmr: fc.double({ min: 0, max: 1, noNaN: true }),
  minPassive: fc.double({ min: 0, max: 1, noNaN: true }),
  perTransactionMinor: fc.nat(2_000),
  perPersonMinor: fc.nat(4_000),
});
const anyTotal = fc.record({ amountMinor: fc.nat(6_000), count: fc.nat(6) });
const anyPolicy = fc
  .record({
    tiers: fc.array(anyTier, { maxLength: 3 }),
    perPerson: anyTotal,
    perTerminal: anyTotal,
    velocity: fc.array(
      fc.record({
        of: fc.constantFrom('person', 'terminal'),
        count: fc.nat(5),
        windowMs: fc.integer({ min: 1, max: 200 }),
      }),
      { maxLength: 3 },
    ),
  })
  .map((limits) => policyOf(limits, 500));
const anyEvidence = fc.record({
  estimatedFmr: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  passive: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  decision: fc.constantFrom('live' as const, 'attack' as const, 'undecided' as const),
});

describe('whatever the limits', () => {
  it('no sequence of stand-ins exceeds any of them', () => {
    const anyDeed = fc.record({
      person: fc.constantFrom('a', 'b'),
      amountMinor: fc.integer({ min: 1, max: 2_000 }),
      evidence: anyEvidence,
      afterMs: fc.nat(120),
    });
    fc.assert(
      fc.property(anyPolicy, fc.array(anyDeed, { maxLength: 25 }), (given, deeds) => {
        const done: { person: string; amountMinor: number; at: number; evidence: (typeof deeds)[0]['evidence'] }[] = [];
        const sum = (of: typeof done) => ({
          amountMinor: of.reduce((total, one) => total + one.amountMinor, 0),
          count: of.length,
        });
        let at = 0;
        for (const { person, amountMinor, evidence, afterMs } of deeds) {
          at += afterMs;
          const own = done.filter((one) => one.person === person);
          const totals: StandInTotals = {
            person: sum(own),
            terminal: sum(done),
            recent: (of, windowMs) => (of === 'person' ? own : done).filter((one) => one.at > at - windowMs).length,
          };
          const question = { policy: given, service: 'purchase' as const, amountMinor, evidence, totals };
          const breaches = standInBreaches({ ...question, offlineMs: at, validForMs: 1_000 - at });
          if (breaches.length === 0) done.push({ person, amountMinor, at, evidence });
        }
        // By arithmetic of its own, over what was allowed.
        const limits = given.services.purchase;
        for (const person of ['a', 'b']) {
          const own = sum(done.filter((one) => one.person === person));
          expect(own.amountMinor).toBeLessThanOrEqual(limits.perPerson.amountMinor);
          expect(own.count).toBeLessThanOrEqual(limits.perPerson.count);
        }
        expect(sum(done).amountMinor).toBeLessThanOrEqual(limits.perTerminal.amountMinor);
        expect(sum(done).count).toBeLessThanOrEqual(limits.perTerminal.count);
        for (const { of, count, windowMs } of limits.velocity) {
          for (const last of done) {
            const within = done.filter(
              (one) =>
                one.at <= last.at && one.at > last.at - windowMs && (of === 'terminal' || one.person === last.person),
            );
            expect(within.length).toBeLessThanOrEqual(count);
          }
        }
        for (const { amountMinor, evidence, at: then } of done) {
          expect(evidence.decision).toBe('live');
          const tiers = limits.tiers.filter(
            (tier) => evidence.estimatedFmr! <= tier.maxFmr && evidence.passive! >= tier.minPassive,
          );
          expect(Math.max(...tiers.map((tier) => tier.perTransactionMinor))).toBeGreaterThanOrEqual(amountMinor);
          expect(then).toBeLessThanOrEqual(500);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a weaker match, a larger amount, more spent or a longer time never gets what was refused before', () => {
    const more = fc.record({
      fmr: fc.double({ min: 0, max: 1, noNaN: true }),
      passive: fc.double({ min: 0, max: 1, noNaN: true }),
      amountMinor: fc.nat(1_000),
      personMinor: fc.nat(1_000),
      times: fc.nat(2),
      ms: fc.nat(600),
    });
    const base = fc.record({
      amountMinor: fc.integer({ min: 1, max: 2_000 }),
      person: anyTotal,
      recent: fc.nat(4),
      offlineMs: fc.nat(600),
      validForMs: fc.integer({ min: -300, max: 600 }),
    });
    fc.assert(
      fc.property(anyPolicy, anyEvidence, base, more, (given, evidence, from, extra) => {
        const question = (harder: boolean): StandInQuestion => {
          const add = (value: number, step: number) => value + (harder ? step : 0);
          const { estimatedFmr, passive } = evidence;
          const person = {
            amountMinor: add(from.person.amountMinor, extra.personMinor),
            count: add(from.person.count, extra.times),
          };
          return {
            policy: given,
            service: 'purchase',
            amountMinor: add(from.amountMinor, extra.amountMinor),
            evidence: {
              ...evidence,
              estimatedFmr: estimatedFmr === null ? null : Math.min(1, add(estimatedFmr, extra.fmr)),
              passive: passive === null ? null : Math.max(0, add(passive, -extra.passive)),
            },
            totals: { person, terminal: person, recent: () => add(from.recent, extra.times) },
            offlineMs: add(from.offlineMs, extra.ms),
            validForMs: add(from.validForMs, -extra.ms),
          };
        };
        if (standInBreaches(question(false)).length > 0) expect(standInBreaches(question(true))).not.toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
