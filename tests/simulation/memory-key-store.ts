/** Keys of one terminal in memory, made from the seed: signing and encryption keys are what identity.ts would make, only not by chance. */
import { createECDH, createPrivateKey } from 'node:crypto';
import type { KeyStore } from '../../src-main/identity/key-store.ts';
import type { Stream } from './generator.ts';

/** PKCS #8 of an Ed25519 key (RFC 8410, 7), but for its 32 bytes. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export function keyStoreFrom(stream: Stream): KeyStore {
  const secrets = new Map<string, Uint8Array>([
    ['signing-key', Buffer.concat([ED25519_PREFIX, stream.bytes(32)])],
    ['encryption-key', p256Key(stream)],
  ]);
  return {
    get: async (name) => secrets.get(name) ?? null,
    put: async (name, secret) => void secrets.set(name, secret),
    create: async (name, secret) => {
      if (secrets.has(name)) return false;
      secrets.set(name, secret);
      return true;
    },
    remove: async (name) => void secrets.delete(name),
    list: async () => [...secrets.keys()].sort(),
  };
}

function p256Key(stream: Stream): Uint8Array {
  const secret = stream.bytes(32);
  // Below the order of the curve, which begins with 32 ones, and not zero.
  secret[0] = secret[0]! & 0x7f;
  secret[31] = secret[31]! | 1;
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const part = (from: number) => point.subarray(from, from + 32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: part(1), y: part(33), d: Buffer.from(secret).toString('base64url') };
  return new Uint8Array(createPrivateKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'pkcs8' }));
}
