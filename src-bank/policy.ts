/** What the bank lets a terminal decide: the default, and how a bank gives its own. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { Policy } from '../src-contract/policy.ts';
import { CONSENT } from './consent.ts';
import { StartError } from './problem.ts';

/**
 * Over the whole gallery searched. The default model's calibration reaches 1.3e-7 for one comparison, so a face alone is
 * believed among some 75 people and a face with PIN among some 750; beyond that a bank brings a stronger model or asks for
 * a claimed identity.
 */
const FACE_ALONE_FMR_MAX = 1e-5;
const FACE_AND_PIN_FMR_MAX = 1e-4;

export const DEFAULT_POLICY: Policy = Policy.parse({
  version: '2026-11-22',
  // 2026-11-22T00:00:00Z
  issuedAt: 1_795_305_600_000,
  services: {
    // At this rate somebody is taken for enrolled already; a likeness that is less sure is enrolled and needs the PIN.
    enrol: { maxFmr: FACE_ALONE_FMR_MAX, secondFactor: { kind: 'always' }, maxAmountMinor: null },
    // No PIN: a deposit to the wrong account costs the depositor, who sees whose it is on the receipt, and nobody else.
    deposit: { maxFmr: FACE_AND_PIN_FMR_MAX, secondFactor: { kind: 'never' }, maxAmountMinor: 1_000_000 },
    withdraw: { maxFmr: FACE_AND_PIN_FMR_MAX, secondFactor: { kind: 'always' }, maxAmountMinor: 500_000 },
    // Money that left cannot be asked back from a machine: never more than may be withdrawn.
    transfer: { maxFmr: FACE_AND_PIN_FMR_MAX, secondFactor: { kind: 'always' }, maxAmountMinor: 500_000 },
    balance: { maxFmr: FACE_AND_PIN_FMR_MAX, secondFactor: { kind: 'always' }, maxAmountMinor: null },
    purchase: {
      maxFmr: FACE_ALONE_FMR_MAX,
      secondFactor: { kind: 'above', amountMinor: 3_000 },
      maxAmountMinor: 100_000,
    },
    // No PIN: withdrawing consent is as easy as giving it, and works without the bank, which alone can check one. Believed only when
    // as sure as a payment by face alone; a mistaken one costs the person a new registration, and no money.
    'opt-out': { maxFmr: FACE_ALONE_FMR_MAX, secondFactor: { kind: 'never' }, maxAmountMinor: null },
  },
  standIn: { purchase: { perTransactionMinor: 3_000, perPersonMinor: 5_000, perTerminalMinor: 50_000 } },
  pin: { digitsMin: 4, digitsMax: 6, attempts: 3 },
  lookAlikeFmr: 1e-4,
  consent: CONSENT,
});

/** Reads a policy from a JSON file. Throws a StartError that names each field that does not fit. */
export function loadPolicy(path: string): Policy {
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

const PolicyFile = Policy.refine((policy) => policy.pin.digitsMin <= policy.pin.digitsMax, {
  path: ['pin', 'digitsMax'],
  message: 'is less than digitsMin',
}) satisfies z.ZodType<Policy>;

/** Whether the service wants the PIN for this amount. A balance has no amount. */
export function wantsPin(policy: Policy, service: keyof Policy['services'], amountMinor: number | null): boolean {
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
