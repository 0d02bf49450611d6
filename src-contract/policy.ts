/**
 * What the bank lets a terminal decide. Risk is stated as a rate (design, invariant 5): no comparison score appears here.
 */
import { z } from 'zod';
import { Language, MinorUnits, Rate, type Service, WallTimeMs } from './primitives.ts';

/** When a service wants the PIN as well as the face. */
export const SecondFactorRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('never') }),
  z.strictObject({ kind: z.literal('always') }),
  /** The PIN is asked for amounts greater than this. */
  z.strictObject({ kind: z.literal('above'), amountMinor: MinorUnits }),
]);
export type SecondFactorRule = z.infer<typeof SecondFactorRule>;

export const ServicePolicy = z.strictObject({
  /** Highest estimated false-match rate, over the whole gallery searched, at which a match is believed. */
  maxFmr: Rate,
  secondFactor: SecondFactorRule,
  /** Largest single amount, minor units; null where the service moves none. */
  maxAmountMinor: MinorUnits.nullable(),
});
export type ServicePolicy = z.infer<typeof ServicePolicy>;

/** Nobody is believed and nothing moves. */
const FORBIDDEN = ServicePolicy.parse({ maxFmr: 0, secondFactor: { kind: 'always' }, maxAmountMinor: 0 });
/** Withdrawing consent does not wait for a new policy: a terminal whose policy is older than the service believes a match as sure
 *  as one in a hundred thousand. */
const OPT_OUT = ServicePolicy.parse({ maxFmr: 1e-5, secondFactor: { kind: 'never' }, maxAmountMinor: null });

/** What may happen while the bank cannot be asked. Zero means: nothing. */
export const StandInLimits = z.strictObject({
  perTransactionMinor: MinorUnits,
  /** For one person over one offline period. */
  perPersonMinor: MinorUnits,
  /** For the terminal over one offline period. */
  perTerminalMinor: MinorUnits,
});
export type StandInLimits = z.infer<typeof StandInLimits>;

export const ConsentText = z.strictObject({
  version: z.string().min(1).max(40),
  texts: z.record(
    Language,
    z.strictObject({ title: z.string().max(120), paragraphs: z.array(z.string().max(600)).min(1).max(12) }),
  ),
});
export type ConsentText = z.infer<typeof ConsentText>;

export const Policy = z.strictObject({
  version: z.string().min(1).max(60),
  issuedAt: WallTimeMs,
  services: z.strictObject({
    enrol: ServicePolicy,
    deposit: ServicePolicy,
    withdraw: ServicePolicy,
    balance: ServicePolicy,
    purchase: ServicePolicy,
    // A policy that was issued before there was the service does not name it, and so forbids it.
    transfer: ServicePolicy.default(FORBIDDEN),
    'opt-out': ServicePolicy.default(OPT_OUT),
  } satisfies Record<Service, z.ZodType<ServicePolicy>>),
  standIn: z.strictObject({ purchase: StandInLimits }),
  pin: z.strictObject({
    digitsMin: z.int().min(4).max(12),
    digitsMax: z.int().min(4).max(12),
    attempts: z.int().min(1).max(10),
  }),
  /** Two different people whose templates compare with a false-match rate below this are told apart by PIN only. */
  lookAlikeFmr: Rate,
  consent: ConsentText,
});
export type Policy = z.infer<typeof Policy>;
