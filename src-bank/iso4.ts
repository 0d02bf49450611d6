/**
 * ISO 9564-1 format 4 PIN blocks, the bank's half: AES, xor with the account field, AES. The digits of the account field are made
 * of what the PIN was entered for (transaction or person), since no card has a number here: the first 8 bytes of its SHA-256, as an
 * unsigned number, modulo 10^19. So a block copied to another transaction opens to nonsense.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { readPinField } from './pin.ts';

const BLOCK_BYTES = 16;
const FIELD_BYTES = 8;
const ACCOUNT_DIGITS = 19;

/** @param key AES, 16, 24 or 32 bytes. @returns null when it is no such block, for another key, or for other account digits. */
export function openIso4(block: Uint8Array, key: Uint8Array, account: string): string | null {
  if (block.length !== BLOCK_BYTES) return null;
  const decipher = (bytes: Uint8Array) =>
    createDecipheriv(`aes-${key.length * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(bytes);
  // M (digits beyond 12), the digits, zeros.
  const field = Buffer.from(`${account.length - 12}${account}`.padEnd(BLOCK_BYTES * 2, '0'), 'hex');
  const inner = decipher(block);
  for (let index = 0; index < BLOCK_BYTES; index += 1) inner[index] = inner[index]! ^ field[index]!;
  const plain = decipher(inner);
  try {
    return readPinField(plain.subarray(0, FIELD_BYTES).toString('hex'));
  } finally {
    plain.fill(0);
    inner.fill(0);
  }
}

export function accountDigits(boundTo: string): string {
  const first = createHash('sha256').update(boundTo, 'utf8').digest().readBigUInt64BE(0);
  return (first % 10n ** BigInt(ACCOUNT_DIGITS)).toString().padStart(ACCOUNT_DIGITS, '0');
}
