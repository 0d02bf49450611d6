/**
 * The terminal's protecting matrix in the key store. The activation record has the one in use, and a change under way has the next one
 * beside it. When the gallery has gone over the record is written anew with the new seed, and what had the old one is overwritten.
 */
import { z } from 'zod';
import { Base64Url } from '../../src-contract/primitives.ts';
import { ProtectionGeneration, ProtectionVersion } from '../../src-contract/protection-change.ts';
import { TerminalError } from '../errors.ts';
import { type Activation, rewriteActivation } from './activation.ts';
import type { KeyStore } from './key-store.ts';

/** Name in the key store. */
const NEXT = 'next-protection';

const NextRecord = z.strictObject({
  version: z.literal(1),
  generation: ProtectionGeneration,
  protectionVersion: ProtectionVersion,
  /** 32 bytes. */
  seed: Base64Url.length(43),
});

export interface NextProtection {
  readonly generation: number;
  readonly version: string;
  readonly seed: Uint8Array;
}

/** The matrix that a change under way leads to; null where none is. Throws KEY_STORE_INVALID. */
export async function readNextProtection(
  keyStore: KeyStore,
  activation: Pick<Activation, 'protectionGeneration'>,
): Promise<NextProtection | null> {
  const bytes = await keyStore.get(NEXT);
  if (bytes === null) return null;
  const parsed = NextRecord.safeParse(json(bytes));
  if (!parsed.success) throw new TerminalError('KEY_STORE_INVALID', `the key store's "${NEXT}" cannot be used`);
  const { generation, protectionVersion, seed } = parsed.data;
  if (generation > activation.protectionGeneration)
    return { generation, version: protectionVersion, seed: new Uint8Array(Buffer.from(seed, 'base64url')) };
  // The change had ended, and the power went before this was taken away.
  await keyStore.remove(NEXT);
  return null;
}

/** Durable when it returns. */
export async function keepNextProtection(keyStore: KeyStore, next: NextProtection): Promise<void> {
  const { generation, version: protectionVersion } = next;
  const seed = Buffer.from(next.seed).toString('base64url');
  const record: z.infer<typeof NextRecord> = { version: 1, generation, protectionVersion, seed };
  await keyStore.put(NEXT, new TextEncoder().encode(JSON.stringify(record)));
}

/** The change is over: the next matrix is the one, and the old seed is gone from the key store and from this activation. */
export async function adoptNextProtection(
  keyStore: KeyStore,
  activation: Activation,
  next: NextProtection,
): Promise<void> {
  await rewriteActivation(keyStore, activation, {
    protectionSeed: Buffer.from(next.seed).toString('base64url'),
    protectionVersion: next.version,
    protectionGeneration: next.generation,
  });
  await keyStore.remove(NEXT);
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // The parse error would quote the record, and with it the seed.
  }
}
