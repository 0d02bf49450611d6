/** Codes that a person reads from one screen and types at another, once. */
import type { Chance } from '../clock.ts';

/** No 0/O, 1/I: 32 characters, so twelve of them carry 60 bits. */
const CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** Like ABCD-EFGH-2345. */
export function oneTimeCode(chance: Chance): string {
  const letters = [...chance.bytes(12)].map((byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length]).join('');
  return letters.replace(/(.{4})(?=.)/g, '$1-');
}
