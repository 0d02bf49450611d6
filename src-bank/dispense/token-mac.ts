/** HMAC-SHA-256 of XFS4IoT tokens (2024-3, end-to-end security): 64 hex digits in capitals over all that comes before. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ParsedToken } from '../../src-contract/security-token.ts';

export function signToken(key: Uint8Array, unsigned: string): string {
  return unsigned + macOf(key, unsigned).toString('hex').toUpperCase();
}

/** In constant time. */
export function isSignedWith(key: Uint8Array, { signed, hmac }: Pick<ParsedToken, 'signed' | 'hmac'>): boolean {
  return timingSafeEqual(macOf(key, signed), Buffer.from(hmac, 'hex'));
}

function macOf(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}
