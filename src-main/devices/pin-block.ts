/**
 * The encrypted PIN block. Its plain text is the PIN field of ISO 9564-1 format 4, as far as digits reach (8 bytes: control
 * nibble 4, length nibble, the digits, fill nibble A), with what the block is bound to and a nonce, so that equal PINs never
 * give equal blocks and a block copied from one transaction is refused in another. Format 4 enciphers this field with AES
 * under a key shared with the host; here JWE does (RFC 7516, ECDH-ES with A256GCM), for the bank's public key alone.
 */
import { CompactEncrypt, importJWK } from 'jose';
import type { P256PublicJwk } from '../../src-contract/bank-api.ts';
import type { Chance } from '../clock.ts';

const PIN_BLOCK_TYP = 'kaopass-pin+jwe';
/** ISO 9564-1, 9.1: a PIN has 4 to 12 digits. */
const PIN_DIGITS_MIN = 4;
const PIN_DIGITS_MAX = 12;
const PIN_FIELD_BYTES = 8;
const CONTROL_FORMAT_4 = 4;
const FILL = 0xa;

export interface PinBlockRequest {
  /** The bank's public key for PIN blocks. */
  readonly encryptFor: P256PublicJwk & { readonly kid: string };
  /** Transaction or person the block is good for. */
  readonly boundTo: string;
}

/**
 * @param digits one digit 0–9 a byte. Wiped (filled with 0) before this resolves or rejects, and as soon as they are encoded.
 * @returns JWE in compact serialisation. Throws RangeError for fewer than 4 or more than 12 digits or a byte that is no digit.
 */
export async function encryptPinBlock(digits: Uint8Array, request: PinBlockRequest, chance: Chance): Promise<string> {
  const plaintext = encodePlaintext(digits, request.boundTo, chance.id());
  try {
    const key = await importJWK({ ...request.encryptFor }, 'ECDH-ES');
    return await new CompactEncrypt(plaintext)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ: PIN_BLOCK_TYP, kid: request.encryptFor.kid })
      .encrypt(key);
  } finally {
    plaintext.fill(0);
  }
}

/** The first 8 bytes of the format-4 plain-text PIN field. */
export function pinField(digits: Uint8Array): Uint8Array {
  if (digits.length < PIN_DIGITS_MIN || digits.length > PIN_DIGITS_MAX) {
    throw new RangeError(`a PIN has ${PIN_DIGITS_MIN} to ${PIN_DIGITS_MAX} digits`);
  }
  const field = new Uint8Array(PIN_FIELD_BYTES);
  for (let nibble = 0; nibble < PIN_FIELD_BYTES * 2; nibble += 1) {
    const value = nibble === 0 ? CONTROL_FORMAT_4 : nibble === 1 ? digits.length : (digits[nibble - 2] ?? FILL);
    if (nibble >= 2 && nibble < digits.length + 2 && value > 9) {
      field.fill(0);
      throw new RangeError('a PIN has digits only');
    }
    field[nibble >> 1] = (field[nibble >> 1]! << 4) | value;
  }
  return field;
}

/** JSON written byte by byte, so that the digits are never part of a string, which could not be wiped. */
function encodePlaintext(digits: Uint8Array, boundTo: string, nonce: string): Uint8Array {
  const hexDigit = (nibble: number) => nibble + (nibble < 10 ? 0x30 : 0x57);
  try {
    const field = pinField(digits);
    const before = new TextEncoder().encode('{"pinField":"');
    const after = new TextEncoder().encode(`","boundTo":${JSON.stringify(boundTo)},"nonce":"${nonce}"}`);
    const plaintext = new Uint8Array(before.length + PIN_FIELD_BYTES * 2 + after.length);
    plaintext.set(before);
    field.forEach((byte, index) => {
      plaintext[before.length + index * 2] = hexDigit(byte >> 4);
      plaintext[before.length + index * 2 + 1] = hexDigit(byte & 15);
    });
    plaintext.set(after, before.length + PIN_FIELD_BYTES * 2);
    field.fill(0);
    return plaintext;
  } finally {
    digits.fill(0);
  }
}
