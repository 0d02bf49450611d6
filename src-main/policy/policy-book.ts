/**
 * The policy this terminal decides by: signed by the bank, verified when it is taken and again when it is read back. What does not
 * verify, is older, or is another bank's is not taken, and the one before stays.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import { type PolicyAnswer, PolicyKey } from '../../src-contract/bank-api.ts';
import type { Policy } from '../../src-contract/policy.ts';
import { TerminalError } from '../errors.ts';
import type { Activation } from '../identity/activation.ts';
import type { KeyStore } from '../identity/key-store.ts';
import type { Alarm, Memory } from '../journal/journal.ts';
import type { TrustedTime } from './trusted-time.ts';
import { verifyPolicy } from './verify.ts';

export interface PolicyBook {
  /** Null when there is none that verifies. May have expired. */
  current(): Policy | null;
  /** Verifies what the bank signs for terminals; null until the first policy, where the activation brought none. */
  key(): PolicyKey | null;
  /** What the bank answered to a request with this nonce, made at `askedMs` (monotonic). Never throws for what the bank sent: what is
   *  wrong with it is an alarm. */
  take(answer: PolicyAnswer, asked: { readonly nonce: string; readonly askedMs: number }): Promise<void>;
  /** Called with each policy that is taken. Returns how to stop. */
  onTaken(listener: () => void): () => void;
}

/** For a visit, which does not begin without one. */
export function policyOf(policies: Pick<PolicyBook, 'current'>): Policy {
  const policy = policies.current();
  if (policy === null) throw new Error('somebody is served without a policy');
  return policy;
}

export interface PolicyBookOptions {
  readonly memory: Memory;
  readonly activation: Pick<Activation, 'policy' | 'policyKey'>;
  /** Keeps the key of a terminal that was activated without one. */
  readonly keyStore: KeyStore;
  readonly time: Pick<TrustedTime, 'notBefore' | 'bankSigned'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly onAlarm: (alarm: Alarm) => void;
}

/** Name in the key store. */
const LATE_POLICY_KEY = 'policy-key';
/** Of several processes of one bank one may be so much behind another, ms: the same policy a little older is no attack. */
const SAME_ISSUE_MS = 120_000;
/** A policy is issued anew with each answer, and written down again after this share of its validity, or after an hour. */
const RENEW_SHARE = 0.1;
const RENEW_MS_MAX = 3_600_000;

/** Reads back what was taken. Throws KEY_STORE_INVALID for a kept key that is none. */
export async function openPolicyBook(options: PolicyBookOptions): Promise<PolicyBook> {
  const { memory, activation, keyStore, time, log, onAlarm } = options;
  const listeners = new Set<() => void>();
  const alarm = (message: string) => onAlarm({ kind: 'policy', message });
  let key = activation.policyKey ?? (await keptKey(keyStore));
  let current: Policy | null = null;

  const signed = memory.get('signedPolicy') ?? activation.policy;
  if (signed !== null && key !== null) {
    const read = await verifyPolicy(signed, key);
    if (read.verified) {
      current = read.policy;
      time.notBefore(current.issuedAt);
    } else alarm(`the policy kept on this terminal is not used: ${read.why}`);
  }

  /** A terminal activated before policies were signed: the first key it hears over its bank's line is its bank's, for good. */
  const adopt = async (offered: PolicyKey): Promise<PolicyKey> => {
    await keyStore.create(LATE_POLICY_KEY, new TextEncoder().encode(JSON.stringify(offered)));
    const adopted = (await keptKey(keyStore)) ?? offered;
    log.warn({ kid: adopted.kid }, "took the bank's policy key, which this terminal's activation did not bring");
    return adopted;
  };

  const refusalOf = (next: Policy, nonce: string): string | null => {
    if (next.nonce !== nonce) return 'does not answer what was asked';
    if (current === null) return null;
    const older = current.issuedAt - next.issuedAt;
    // An older policy could be a looser one that somebody kept for this.
    if (older > (next.version === current.version ? SAME_ISSUE_MS : 0)) return `is older than ${current.version}`;
    return null;
  };

  return {
    current: () => current,
    key: () => key,
    onTaken: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    take: async (answer, { nonce, askedMs }) => {
      key ??= await adopt(answer.policyKey);
      const read = await verifyPolicy(answer.policy, key);
      if (!read.verified) return alarm(`a policy was not taken: ${read.why}`);
      const { policy } = read;
      const refusal = refusalOf(policy, nonce);
      if (refusal !== null) return alarm(`policy ${policy.version} ${refusal} and was not taken`);
      if (current && policy.issuedAt < current.issuedAt) return;
      time.bankSigned(policy.issuedAt, askedMs);
      if (!worthTaking(policy, current)) return;
      memory.put('signedPolicy', answer.policy);
      if (policy.version !== current?.version) log.info({ version: policy.version }, 'policy taken');
      current = policy;
      for (const listener of listeners) listener();
    },
  };
}

function worthTaking(next: Policy, current: Policy | null): boolean {
  if (current === null || next.version !== current.version) return true;
  const renewMs = Math.min(RENEW_MS_MAX, RENEW_SHARE * (current.expiresAt - current.issuedAt));
  return next.issuedAt - current.issuedAt >= renewMs || next.expiresAt < current.expiresAt;
}

async function keptKey(keyStore: KeyStore): Promise<PolicyKey | null> {
  const bytes = await keyStore.get(LATE_POLICY_KEY);
  if (bytes === null) return null;
  const parsed = z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue('is no JSON');
        return z.NEVER;
      }
    })
    .pipe(PolicyKey)
    .safeParse(new TextDecoder().decode(bytes));
  if (parsed.success) return parsed.data;
  throw new TerminalError(
    'KEY_STORE_INVALID',
    `the key store's "${LATE_POLICY_KEY}" is not the public key it should be`,
  );
}
