/**
 * What the bank lets a terminal decide. Risk is stated as a rate (design, invariant 5): no comparison score appears here.
 */
import { z } from 'zod';
import { ATTEMPTS_DEFAULT, AttemptRules } from './attempts.ts';
import { CHALLENGES_DEFAULT, ChallengeRule, ChallengeTerms } from './challenge.ts';
import { Base64Url, Language, MinorUnits, Rate, type Service, WallTimeMs } from './primitives.ts';
import { StandInPolicy } from './stand-in.ts';

/** The JWS `typ` header (RFC 7515, section 4.1.9) of a policy; a JWS of any other type is none. */
export const POLICY_TYP = 'kaopass-policy+jws';

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
  /** Whether somebody whom the look does not tell from everybody may say who they are and go on with the PIN, and the highest estimated
   *  false-match rate of the one comparison at which they are believed. Null, and in a policy of before: they may not. */
  claimed: z.strictObject({ maxFmr: Rate }).nullable().default(null),
  /** When the person is asked to do something before the camera. A policy of before there were challenges wants none. */
  challenge: ChallengeRule.default({ kind: 'never' }),
  /** Largest single amount, minor units; null where the service moves none. */
  maxAmountMinor: MinorUnits.nullable(),
});
export type ServicePolicy = z.infer<typeof ServicePolicy>;

/** Nobody is believed and nothing moves. */
const FORBIDDEN = ServicePolicy.parse({ maxFmr: 0, secondFactor: { kind: 'always' }, maxAmountMinor: 0 });
/** Withdrawing consent does not wait for a new policy: a terminal whose policy is older than the service believes a match as sure
 *  as one in a hundred thousand. */
const OPT_OUT = ServicePolicy.parse({ maxFmr: 1e-5, secondFactor: { kind: 'never' }, maxAmountMinor: null });

export const ConsentText = z.strictObject({
  version: z.string().min(1).max(40),
  texts: z.record(
    Language,
    z.strictObject({ title: z.string().max(120), paragraphs: z.array(z.string().max(600)).min(1).max(12) }),
  ),
});
export type ConsentText = z.infer<typeof ConsentText>;

/** What the bank decides; who writes a policy file writes this. */
export const PolicyTerms = z.strictObject({
  version: z.string().min(1).max(60),
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
  standIn: StandInPolicy,
  pin: z.strictObject({
    digitsMin: z.int().min(4).max(12),
    digitsMax: z.int().min(4).max(12),
    attempts: z.int().min(1).max(10),
  }),
  attempts: AttemptRules.default(ATTEMPTS_DEFAULT),
  challenges: ChallengeTerms.default(CHALLENGES_DEFAULT),
  /** Two people are told apart by PIN only when some stranger of the whole gallery would be as like either of them with this rate at most:
   *  the more people, the more alike two have to be. */
  lookAlikeFmr: Rate,
  consent: ConsentText,
});
export type PolicyTerms = z.infer<typeof PolicyTerms>;

/** What a terminal is given: the terms as issued at one moment, signed by the bank's policy key (Ed25519). */
export const Policy = PolicyTerms.extend({
  /** The bank's clock when it signed. */
  issuedAt: WallTimeMs,
  /** From then on no terminal serves anybody under it. */
  expiresAt: WallTimeMs,
  /** The terminal's own, from the request that this answers: an answer with it was made after it was asked for, so that its
   *  `issuedAt` also tells the time. Null in an activation, which is asked for without one. */
  nonce: Base64Url.length(22).nullable(),
});
export type Policy = z.infer<typeof Policy>;

/** A policy as it is sent and kept: compact JWS, EdDSA, typ {@link POLICY_TYP}, kid the policy key's. Longer than other
 *  messages: the consent text is in it, in every language. */
export const SignedPolicy = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a compact JWS')
  .max(262_144);
