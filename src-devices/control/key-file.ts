/**
 * The operator's key file (`--keys`), JSON: what key injection is to real devices. `hostKey` and `deviceKey` are named as the bank's
 * admin API takes them; `pinKeys` are for PIN blocks.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PinKey } from '../pin/keys.ts';
import type { SecurityKeys } from '../security/keys.ts';

const Hmac = z.string().regex(/^[0-9A-Fa-f]{64}$/, '64 hexadecimal digits');
const KeyFile = z.strictObject({
  /** XFSAuthenticateHost. */
  hostKey: Hmac.nullable().default(null),
  /** XFSAuthenticateDevice. */
  deviceKey: Hmac.nullable().default(null),
  pinKeys: z
    .array(PinKey)
    .max(16)
    .refine((keys) => new Set(keys.map(({ name }) => name)).size === keys.length, 'every name only once')
    .default([]),
});

export interface DeviceKeys {
  readonly security: SecurityKeys;
  readonly pin: readonly PinKey[];
}

/** Throws an Error that names the file, and the field that does not fit. No key is ever in the message. */
export function readKeyFile(path: string): DeviceKeys {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // A syntax error's message repeats the text, and the text is keys.
    const why = cause instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${(cause as Error).message}`;
    throw new Error(`the key file ${path} ${why}`);
  }
  const parsed = KeyFile.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path: field, message }) => `${field.join('.') || '(file)'}: ${message}`);
    throw new Error(`the key file ${path} does not fit: ${fields.join('; ')}`);
  }
  const { hostKey, deviceKey, pinKeys } = parsed.data;
  return { security: { host: hostKey, device: deviceKey }, pin: pinKeys };
}
