/**
 * What a terminal may decide alone while the bank cannot be asked, as data, and what the data mean, as one pure function. The
 * terminal asks it before it stands in, the bank asks it again when it hears of it: both read the limits in the same way.
 */
import { z } from 'zod';
import type { LivenessEvidence } from './match-result.ts';
import { MinorUnits, Rate, WallTimeMs } from './primitives.ts';

/** Services in which a terminal may stand in. Another one is added here, and its limits to the policy. */
export const StandInService = z.enum(['purchase']);
export type StandInService = z.infer<typeof StandInService>;

/** A month: what velocity has to remember. */
const WINDOW_MS_MAX = 31 * 24 * 60 * 60 * 1000;

/** One step of certainty. A match that is surer reaches every step that a weaker one does, so it never gets less. */
const StandInTier = z.strictObject({
  /** Highest estimated false-match rate of that very match, over the whole gallery searched. */
  maxFmr: Rate,
  /** Lowest passive liveness of that very match, a probability. */
  minPassive: Rate,
  perTransactionMinor: MinorUnits,
  /** What the person may have spent in the offline period, this purchase included. */
  perPersonMinor: MinorUnits,
});

const Total = z.strictObject({ amountMinor: MinorUnits, count: z.int().nonnegative() });

/** For one service. Nothing stands in where there is no tier. */
export const StandInLimits = z.strictObject({
  tiers: z.array(StandInTier).max(10),
  /** For one person over one offline period, however sure. */
  perPerson: Total,
  /** For the terminal over one offline period. */
  perTerminal: Total,
  /** At most `count` in any `windowMs`, counted over offline periods: a line that flaps renews nothing. */
  velocity: z
    .array(
      z.strictObject({
        of: z.enum(['person', 'terminal']),
        count: z.int().nonnegative(),
        windowMs: z.int().positive().max(WINDOW_MS_MAX),
      }),
    )
    .max(6),
});
export type StandInLimits = z.infer<typeof StandInLimits>;

export const StandInPolicy = z.strictObject({
  /** Nothing stands in any more this long after the bank last heard of everything. */
  offlineMsMax: z.int().nonnegative(),
  services: z.record(StandInService, StandInLimits),
});
export type StandInPolicy = z.infer<typeof StandInPolicy>;

/** The offline period a stand-in belongs to, as the terminal tells the bank. */
export const OfflinePeriod = z.strictObject({
  /** 1 for a terminal's first, then one more each time. */
  number: z.int().positive(),
  /** When the bank had last heard of everything. */
  since: WallTimeMs,
});
export type OfflinePeriod = z.infer<typeof OfflinePeriod>;

/** Why a stand-in is not allowed, one for each limit. */
export const STAND_IN_BREACHES = [
  'not-live',
  'weak-evidence',
  'per-transaction',
  'person-amount',
  'person-count',
  'terminal-amount',
  'terminal-count',
  'person-velocity',
  'terminal-velocity',
  'offline-too-long',
  'policy-expired',
] as const;
export type StandInBreach = (typeof STAND_IN_BREACHES)[number];

/** Spent and done so far, this one not included. */
export interface StandInTotals {
  readonly person: { readonly amountMinor: number; readonly count: number };
  readonly terminal: { readonly amountMinor: number; readonly count: number };
  /** How many there were within the last so many ms, this one not included. */
  readonly recent: (of: 'person' | 'terminal', windowMs: number) => number;
}

export interface StandInQuestion {
  readonly policy: StandInPolicy;
  readonly service: StandInService;
  readonly amountMinor: number;
  readonly evidence: { readonly estimatedFmr: number | null } & Pick<LivenessEvidence, 'decision' | 'passive'>;
  readonly totals: StandInTotals;
  /** Since the bank last heard of everything, ms. */
  readonly offlineMs: number;
  /** Until the policy expires, ms; zero or less once it has. */
  readonly validForMs: number;
}

/**
 * Every limit that this stand-in would break; none means that it is allowed. Monotone: what is refused stays refused with less
 * evidence, more spent, a longer time offline or a larger amount. Pure.
 */
export function standInBreaches(question: StandInQuestion): readonly StandInBreach[] {
  const { policy, service, amountMinor, evidence, totals, offlineMs, validForMs } = question;
  const limits = policy.services[service];
  const { estimatedFmr, passive } = evidence;
  const reached =
    estimatedFmr === null || passive === null
      ? []
      : limits.tiers.filter((tier) => estimatedFmr <= tier.maxFmr && passive >= tier.minPassive);
  // A purchase has to fit into one tier as a whole: the amount of one and the total of another is nobody's limit.
  const fitting = reached.filter((tier) => amountMinor <= tier.perTransactionMinor);
  const personMinor = totals.person.amountMinor + amountMinor;
  const slow = (of: 'person' | 'terminal') =>
    limits.velocity.every((rule) => rule.of !== of || totals.recent(of, rule.windowMs) < rule.count);
  const broken: Readonly<Record<StandInBreach, boolean>> = {
    'not-live': evidence.decision !== 'live',
    'weak-evidence': reached.length === 0,
    'per-transaction': reached.length > 0 && fitting.length === 0,
    'person-amount':
      personMinor > limits.perPerson.amountMinor ||
      (fitting.length > 0 && !fitting.some((tier) => personMinor <= tier.perPersonMinor)),
    'person-count': totals.person.count >= limits.perPerson.count,
    'terminal-amount': totals.terminal.amountMinor + amountMinor > limits.perTerminal.amountMinor,
    'terminal-count': totals.terminal.count >= limits.perTerminal.count,
    'person-velocity': !slow('person'),
    'terminal-velocity': !slow('terminal'),
    'offline-too-long': offlineMs > policy.offlineMsMax,
    'policy-expired': validForMs <= 0,
  };
  return STAND_IN_BREACHES.filter((breach) => broken[breach]);
}
