/** What rests on disk is sealed with AES-256-GCM (NIST SP 800-38D) under the data key, a fresh 96-bit nonce each, bound to what it is. */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Chance } from '../clock.ts';

const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** Everything that says what is sealed; JSON keeps the parts apart. */
export function additionalData(...parts: readonly (string | number | null)[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(parts));
}

/** Nonce (12 bytes), ciphertext, tag (16 bytes). */
export function sealedUnder(values: Uint8Array, data: Uint8Array, key: KeyObject, chance: Chance): Uint8Array {
  const nonce = chance.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(data);
  const ciphertext = cipher.update(values);
  return Buffer.concat([nonce, ciphertext, cipher.final(), cipher.getAuthTag()]);
}

/** Null when it does not open. */
export function unsealed(sealed: Uint8Array, data: Uint8Array, key: KeyObject): Uint8Array | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(data);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null; // RFC 5116, 2.2: authentication failure is the only thing it may say.
  }
}
