/**
 * PIN blocks of ISO 9564-1, enciphered inside the PIN device. Formats 0 (also ANSI X9.8), 1 and 3 are 64 bits under TDES;
 * format 4 is 128 bits under AES with the account number enciphered in. Every intermediate buffer is wiped here; the caller
 * wipes the digits.
 */
import { createCipheriv } from 'node:crypto';

/** Names as in XFS4IoT 2024-3, PinPad.GetPinBlock. */
export const PIN_FORMATS = ['ansi', 'iso0', 'iso1', 'iso3', 'iso4'] as const;
export type PinFormat = (typeof PIN_FORMATS)[number];

export interface PinBlockOrder {
  readonly format: PinFormat;
  /**
   * ansi, iso0, iso3: PAN digits without the check digit, the last twelve are used. iso4: the digits the host expects, all of
   * them, at most 19. iso1: the transaction field, at most ten digits.
   */
  readonly customerData: string;
  /** TDES: 16 or 24 bytes; AES: 16, 24 or 32. */
  readonly key: Uint8Array;
}

/** ISO 9564-1, 9.1: a PIN has 4 to 12 digits. */
export const PIN_DIGITS_MIN = 4;
export const PIN_DIGITS_MAX = 12;
const ISO4_PAN_DIGITS_MAX = 19;
const NIBBLES = 16;

/** The algorithm that a format is enciphered with, as the key's own letter (XFS4IoT keyBlockInfo.algorithm). */
export function algorithmOf(format: PinFormat): 'A' | 'T' {
  return format === 'iso4' ? 'A' : 'T';
}

/** Whether customerData suits the format. */
export function fitsFormat(format: PinFormat, customerData: string): boolean {
  if (format === 'iso1') return /^\d{0,10}$/.test(customerData);
  if (format === 'iso4') return new RegExp(`^\\d{1,${ISO4_PAN_DIGITS_MAX}}$`).test(customerData);
  return /^\d{1,18}$/.test(customerData);
}

/**
 * @param digits one digit 0–9 a byte, 4 to 12 of them.
 * @param random fit for keys; gives the fill of formats 1, 3 and 4.
 * @returns 8 bytes, 16 for format 4. Throws RangeError for digits, customer data or a key that do not fit the format.
 */
export function encipherPinBlock(
  digits: Uint8Array,
  order: PinBlockOrder,
  random: (bytes: number) => Uint8Array,
): Buffer {
  if (digits.length < PIN_DIGITS_MIN || digits.length > PIN_DIGITS_MAX) {
    throw new RangeError(`a PIN has ${PIN_DIGITS_MIN} to ${PIN_DIGITS_MAX} digits`);
  }
  if (!fitsFormat(order.format, order.customerData)) throw new RangeError(`customer data does not fit ${order.format}`);
  return order.format === 'iso4' ? format4(digits, order, random) : format013(digits, order, random);
}

function format013(digits: Uint8Array, order: PinBlockOrder, random: (bytes: number) => Uint8Array): Buffer {
  const control = { ansi: 0, iso0: 0, iso1: 1, iso3: 3 }[order.format as Exclude<PinFormat, 'iso4'>];
  const chance = random(NIBBLES);
  const field = Buffer.alloc(NIBBLES / 2);
  try {
    for (let nibble = 0; nibble < NIBBLES; nibble += 1) {
      const fill = () => {
        if (order.format === 'iso1')
          return transactionNibble(order.customerData, nibble - 2 - digits.length, chance[nibble]!);
        // Format 3 fills with A to F at random, so that equal PINs of equal accounts give different blocks.
        return order.format === 'iso3' ? 0xa + (chance[nibble]! % 6) : 0xf;
      };
      setNibble(field, nibble, nibble === 0 ? control : nibble === 1 ? digits.length : (digits[nibble - 2] ?? fill()));
    }
    if (order.format !== 'iso1') {
      const account = order.customerData.slice(-12).padStart(12, '0');
      for (let byte = 2; byte < 8; byte += 1) {
        field[byte] = field[byte]! ^ Number.parseInt(account.slice((byte - 2) * 2, (byte - 2) * 2 + 2), 16);
      }
    }
    return encipherBlock(tdesCipher(order.key), order.key, field);
  } finally {
    field.fill(0);
  }
}

/** ISO 9564-1, 9.3.6: AES over the PIN field, xor with the PAN field, AES again. */
function format4(digits: Uint8Array, order: PinBlockOrder, random: (bytes: number) => Uint8Array): Buffer {
  const cipher = aesCipher(order.key);
  const field = Buffer.alloc(16);
  try {
    for (let nibble = 0; nibble < NIBBLES; nibble += 1) {
      setNibble(field, nibble, nibble === 0 ? 4 : nibble === 1 ? digits.length : (digits[nibble - 2] ?? 0xa));
    }
    field.set(random(8), 8);
    const once = encipherBlock(cipher, order.key, field);
    const account = panField(order.customerData);
    for (let byte = 0; byte < 16; byte += 1) once[byte] = once[byte]! ^ account[byte]!;
    return encipherBlock(cipher, order.key, once);
  } finally {
    field.fill(0);
  }
}

/** ISO 9564-1, 9.3.6.3: how many digits there are beyond twelve, the digits (short ones with zeroes before), zeroes behind. */
function panField(digits: string): Buffer {
  const beyond = Math.max(0, digits.length - 12);
  return Buffer.from(`${beyond}${digits.padStart(12, '0')}`.padEnd(32, '0'), 'hex');
}

function transactionNibble(field: string, index: number, chance: number): number {
  const digit = field[index];
  return digit === undefined ? chance & 0xf : Number(digit);
}

function setNibble(field: Uint8Array, nibble: number, value: number): void {
  field[nibble >> 1] = (field[nibble >> 1]! << 4) | value;
}

function tdesCipher(key: Uint8Array): string {
  if (key.length === 16) return 'des-ede';
  if (key.length === 24) return 'des-ede3';
  throw new RangeError('a TDES key has 16 or 24 bytes');
}

function aesCipher(key: Uint8Array): string {
  if (key.length === 16 || key.length === 24 || key.length === 32) return `aes-${key.length * 8}-ecb`;
  throw new RangeError('an AES key has 16, 24 or 32 bytes');
}

function encipherBlock(cipher: string, key: Uint8Array, block: Uint8Array): Buffer {
  return createCipheriv(cipher, key, null).setAutoPadding(false).update(block);
}
