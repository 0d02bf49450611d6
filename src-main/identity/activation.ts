/**
 * What the bank told this terminal when it was activated. One record, written as a whole: a terminal is activated when it is there, and
 * not when it is not. Only the protecting matrix in it is ever changed.
 */
import { z } from 'zod';
import { ActivateAnswer, P256PublicJwk, PolicyKey } from '../../src-contract/bank-api.ts';
import { SignedPolicy } from '../../src-contract/policy.ts';
import { Base64Url, Profile, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import type { KeyStore } from './key-store.ts';

const ACTIVATION_SECRET = 'activation';

const ActivationRecord = z.strictObject({
  version: z.literal(2),
  terminalId: Uuid,
  bankUrl: z.url(),
  name: z.string(),
  profile: Profile,
  activatedAt: WallTimeMs,
  /** The policy as of activation, as the bank signed it; a newer one is in the journal. Null in a terminal that was activated
   *  before policies were signed. */
  policy: SignedPolicy.nullable(),
  /** Verifies the bank's policies; null as above. Such a terminal takes it with the next policy, and keeps it (policy-book.ts). */
  policyKey: PolicyKey.nullable(),
  /** The bank's public key for PIN blocks. */
  pinKey: P256PublicJwk.extend({ kid: z.string() }),
  /** 32 bytes, base64url: the platform's protecting matrix grows from it. As secret as the templates. */
  protectionSeed: Base64Url.length(43),
  protectionVersion: ActivateAnswer.shape.protectionVersion,
  /** Absent from records of terminals whose platform had one matrix, ever. */
  protectionGeneration: ActivateAnswer.shape.protectionGeneration,
});
export type Activation = z.infer<typeof ActivationRecord>;

/** As it was written until policies were signed. Its policy is not used: nobody can say whose it is. */
const UnsignedRecord = ActivationRecord.omit({ policyKey: true })
  .extend({ version: z.literal(1), policy: z.unknown() })
  .transform((record): Activation => ({ ...record, version: 2, policy: null, policyKey: null }));

/** Null before activation. Throws TerminalError KEY_STORE_INVALID naming the field that does not fit. */
export async function readActivation(keyStore: KeyStore): Promise<Activation | null> {
  const bytes = await keyStore.get(ACTIVATION_SECRET);
  if (bytes === null) return null;
  const parsed = recordOf(json(bytes));
  if (parsed.success) return withoutShowingTheSeed(parsed.data);
  const field = parsed.error.issues[0]?.path.join('.') || 'the whole record';
  throw new TerminalError(
    'KEY_STORE_INVALID',
    `the key store's record "${ACTIVATION_SECRET}" cannot be used: ${field} does not fit`,
  );
}

function recordOf(value: unknown) {
  const { version } = z.object({ version: z.unknown() }).safeParse(value).data ?? {};
  return version === 1 ? UnsignedRecord.safeParse(value) : ActivationRecord.safeParse(value);
}

export async function writeActivation(keyStore: KeyStore, activation: Activation): Promise<boolean> {
  return keyStore.create(ACTIVATION_SECRET, new TextEncoder().encode(JSON.stringify(activation)));
}

/** Replaces the matrix in the record, durably and all at once, then in `activation` itself: nothing has the old seed any more. */
export async function rewriteActivation(
  keyStore: KeyStore,
  activation: Activation,
  matrix: Pick<Activation, 'protectionSeed' | 'protectionVersion' | 'protectionGeneration'>,
): Promise<void> {
  await keyStore.put(ACTIVATION_SECRET, new TextEncoder().encode(JSON.stringify({ ...activation, ...matrix })));
  Object.assign(activation, matrix);
}

/** Still there for who asks by name; not for a log or an error that prints the whole record. */
function withoutShowingTheSeed(activation: Activation): Activation {
  return Object.defineProperty(activation, 'protectionSeed', { enumerable: false });
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // The parse error would quote the record, and with it the seed.
  }
}
