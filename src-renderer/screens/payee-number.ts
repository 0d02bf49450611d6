/** Keying in an account number, digit by digit. */
import { ACCOUNT_DIGITS } from '../../src-contract/primitives.ts';

/** Long numbers are compared in groups of three and four, as one says a telephone number. */
const GROUPS = [3, 3, 4] as const;

export function keyedDigit(digits: string, key: string): string {
  return digits.length < ACCOUNT_DIGITS ? digits + key : digits;
}

export function isWhole(digits: string): boolean {
  return digits.length === ACCOUNT_DIGITS;
}

/** The number in groups, each place that is still to be keyed as null. */
export function grouped(digits: string): readonly (readonly (string | null)[])[] {
  let at = 0;
  return GROUPS.map((size) => Array.from({ length: size }, () => digits[at++] ?? null));
}

/** 123 456 7890 */
export function spaced(digits: string): string {
  return grouped(digits)
    .map((group) => group.join(''))
    .join(' ')
    .trim();
}
