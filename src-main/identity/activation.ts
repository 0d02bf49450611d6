/**
 * What the bank told this terminal when it was activated. One record, written once and as a whole: a terminal is
 * activated when it is there, and not when it is not.
 */
import { z } from 'zod';
import { ActivateAnswer, P256PublicJwk } from '../../src-contract/bank-api.ts';
import { Policy } from '../../src-contract/policy.ts';
import { Base64Url, Profile, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import type { KeyStore } from './key-store.ts';

const ACTIVATION_SECRET = 'activation';

const ActivationRecord = z.strictObject({
  version: z.literal(1),
  terminalId: Uuid,
  bankUrl: z.url(),
  name: z.string(),
  profile: Profile,
  activatedAt: WallTimeMs,
  /** The policy as of activation; a newer one is in the journal. */
  policy: Policy,
  /** The bank's public key for PIN blocks. */
  pinKey: P256PublicJwk.extend({ kid: z.string() }),
  /** 32 bytes, base64url: the platform's protecting matrix grows from it. As secret as the templates. */
  protectionSeed: Base64Url.length(43),
  protectionVersion: ActivateAnswer.shape.protectionVersion,
});
export type Activation = z.infer<typeof ActivationRecord>;

/** Null before activation. Throws TerminalError KEY_STORE_INVALID naming the field that does not fit. */
export async function readActivation(keyStore: KeyStore): Promise<Activation | null> {
  const bytes = await keyStore.get(ACTIVATION_SECRET);
  if (bytes === null) return null;
  const parsed = ActivationRecord.safeParse(json(bytes));
  if (parsed.success) return withoutShowingTheSeed(parsed.data);
  const field = parsed.error.issues[0]?.path.join('.') || 'the whole record';
  throw new TerminalError(
    'KEY_STORE_INVALID',
    `the key store's record "${ACTIVATION_SECRET}" cannot be used: ${field} does not fit`,
  );
}

export async function writeActivation(keyStore: KeyStore, activation: Activation): Promise<boolean> {
  return keyStore.create(ACTIVATION_SECRET, new TextEncoder().encode(JSON.stringify(activation)));
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
