/** What the bank lets a terminal decide: the default, and how a bank gives its own. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ATTEMPTS_DEFAULT } from '../src-contract/attempts.ts';
import { CHALLENGES_DEFAULT } from '../src-contract/challenge.ts';
import { CLAIMED_SERVICES } from '../src-contract/claimed-identity.ts';
import { PolicyTerms } from '../src-contract/policy.ts';
import type { Service } from '../src-contract/primitives.ts';
import { CONSENT } from './consent.ts';
import { sha256OfValue } from './digest.ts';
import { StartError } from './problem.ts';

/**
 * Over the whole gallery searched. The default model's calibration reaches 7.5e-8 for one comparison, so a face alone is
 * believed among some 130 people and a face with PIN among some 1,300; beyond that a bank brings a stronger model, or
 * people say who they are (CLAIMED).
 */
const FACE_ALONE_FMR_MAX = 1e-5;
const FACE_AND_PIN_FMR_MAX = 1e-4;

/**
 * For somebody who says who they are, and always keys in the PIN: as sure as any face with PIN. It is the rate of one comparison, which does
 * not grow with the gallery, so that what the default model reaches is enough in a city of any size.
 */
const CLAIMED = { maxFmr: FACE_AND_PIN_FMR_MAX };

/**
 * Above this the person is asked to do something before the camera; below it a look is enough, and takes two seconds. It is the sum
 * from which Japanese law (the enforcement order of the Act on Prevention of Transfer of Criminal Proceeds) wants to know who
 * sends cash. No challenge at the registration, whose first witness is the person themselves: a bank whose terminals stand where nobody
 * looks on sets "always" for it.
 */
const MUCH_MONEY = { kind: 'above', amountMinor: 100_000 };

/** How long a terminal may go on with a policy it was given, ms: the longest week-end without a line, and a day. */
export const POLICY_VALID_MS_DEFAULT = 4 * 24 * 60 * 60 * 1000;

/** Characters of a digest (base64url, 6 bits each) that tell versions of one name apart. */
const DIGEST_LENGTH = 8;
/** What the contract leaves of 60 characters. */
const VERSION_LENGTH_MAX = 60 - 1 - DIGEST_LENGTH;

const HOUR_MS = 60 * 60 * 1000;

export const DEFAULT_POLICY: PolicyTerms = PolicyTerms.parse({
  version: '2026-11-28',
  services: {
    // At this rate somebody is taken for enrolled already; a likeness that is less sure is enrolled and needs the PIN.
    enrol: { maxFmr: FACE_ALONE_FMR_MAX, secondFactor: { kind: 'always' }, maxAmountMinor: null },
    // No PIN: a deposit to the wrong account costs the depositor, who sees whose it is on the receipt, and nobody else.
    deposit: { maxFmr: FACE_AND_PIN_FMR_MAX, secondFactor: { kind: 'never' }, maxAmountMinor: 1_000_000 },
    withdraw: {
      maxFmr: FACE_AND_PIN_FMR_MAX,
      secondFactor: { kind: 'always' },
      claimed: CLAIMED,
      challenge: MUCH_MONEY,
      maxAmountMinor: 500_000,
    },
    // Money that left cannot be asked back from a machine: never more than may be withdrawn.
    transfer: {
      maxFmr: FACE_AND_PIN_FMR_MAX,
      secondFactor: { kind: 'always' },
      claimed: CLAIMED,
      challenge: MUCH_MONEY,
      maxAmountMinor: 500_000,
    },
    balance: {
      maxFmr: FACE_AND_PIN_FMR_MAX,
      secondFactor: { kind: 'always' },
      claimed: CLAIMED,
      maxAmountMinor: null,
    },
    purchase: {
      maxFmr: FACE_ALONE_FMR_MAX,
      secondFactor: { kind: 'above', amountMinor: 3_000 },
      claimed: CLAIMED,
      maxAmountMinor: 100_000,
    },
    // No PIN: withdrawing consent is as easy as giving it, and works without the bank, which alone can check one. Believed only when
    // as sure as a payment by face alone; a mistaken one costs the person a new registration, and no money.
    'opt-out': { maxFmr: FACE_ALONE_FMR_MAX, secondFactor: { kind: 'never' }, maxAmountMinor: null },
  },
  standIn: {
    // A day: longer than most faults of a line, shorter than the policy is valid.
    offlineMsMax: 24 * HOUR_MS,
    services: {
      purchase: {
        tiers: [
          // What the default model reaches among some thirteen people; a gallery of more gets the second step.
          { maxFmr: 1e-6, minPassive: 0.8, perTransactionMinor: 3_000, perPersonMinor: 5_000 },
          // Whatever is believed online without a PIN.
          { maxFmr: FACE_ALONE_FMR_MAX, minPassive: 0.5, perTransactionMinor: 1_000, perPersonMinor: 2_000 },
        ],
        perPerson: { amountMinor: 5_000, count: 8 },
        perTerminal: { amountMinor: 50_000, count: 100 },
        velocity: [
          { of: 'person', count: 5, windowMs: HOUR_MS },
          { of: 'terminal', count: 60, windowMs: HOUR_MS },
        ],
      },
    },
  },
  pin: { digitsMin: 4, digitsMax: 6, attempts: 3 },
  attempts: ATTEMPTS_DEFAULT,
  challenges: CHALLENGES_DEFAULT,
  lookAlikeFmr: 1e-4,
  consent: CONSENT,
});

/** Reads a policy from a JSON file. Throws a StartError that names each field that does not fit. */
export function loadPolicy(path: string): PolicyTerms {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new StartError(`the policy ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const parsed = PolicyFile.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'policy'}: ${issue.message}`);
    throw new StartError(`the policy ${path} does not fit: ${problems.join('; ')}`);
  }
  return parsed.data;
}

const PolicyFile = PolicyTerms.refine((policy) => policy.pin.digitsMin <= policy.pin.digitsMax, {
  path: ['pin', 'digitsMax'],
  message: 'is less than digitsMin',
})
  .refine((policy) => policy.version.length <= VERSION_LENGTH_MAX, {
    path: ['version'],
    message: `is longer than ${VERSION_LENGTH_MAX} characters`,
  })
  .superRefine(({ services }, issues) => {
    for (const [service, { claimed }] of Object.entries(services)) {
      if (claimed === null || CLAIMED_SERVICES.has(service as Service)) continue;
      const message =
        'must be null: the service asks for no PIN, and nobody who claims to be somebody is believed without';
      issues.addIssue({ code: 'custom', path: ['services', service, 'claimed'], message });
    }
  }) satisfies z.ZodType<PolicyTerms>;

/**
 * The terms under a version that names what is in them: the one given, and a digest. Match results name the version, and years
 * later it must still be one set of terms, whether or not somebody remembered to change it.
 */
export function withDigest(terms: PolicyTerms): PolicyTerms {
  const digest = sha256OfValue(terms).slice(0, DIGEST_LENGTH);
  return { ...terms, version: `${terms.version.slice(0, VERSION_LENGTH_MAX)}+${digest}` };
}

/** Whether the service wants the PIN for this amount. A balance has no amount. */
export function wantsPin(
  policy: PolicyTerms,
  service: keyof PolicyTerms['services'],
  amountMinor: number | null,
): boolean {
  const rule = policy.services[service].secondFactor;
  switch (rule.kind) {
    case 'never':
      return false;
    case 'always':
      return true;
    case 'above':
      return amountMinor !== null && amountMinor > rule.amountMinor;
  }
}
