/**
 * PINs at the bank. A PIN block is a compact JWE (ECDH-ES + A256GCM, RFC 7516 and 7518) for the bank's PIN key, protected
 * header {alg, enc, typ: "kaopass-pin+jwe", kid}; inside, JSON {pinField, boundTo, nonce}, where pinField is the plain text
 * PIN field of ISO 9564-1, format 4 (first eight bytes as hex: control nibble 4, length nibble, the digits, fill nibbles A).
 * boundTo names what the PIN was entered for, nonce is used once: a copied block opens nothing.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { type CryptoKey, compactDecrypt } from 'jose';
import { z } from 'zod';
import { Uuid } from '../src-contract/primitives.ts';
import type { Chance } from './clock.ts';
import { ProblemError } from './problem.ts';
import type { Vault } from './vault.ts';

const PIN_BLOCK_TYP = 'kaopass-pin+jwe';

const PinBlock = z.strictObject({
  pinField: z.string().regex(/^[0-9A-Fa-f]{16}$/),
  boundTo: z.string().max(100),
  nonce: Uuid.or(z.uuid()),
});

export interface OpenPin {
  readonly digits: string;
  readonly nonce: string;
}

export interface PinKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

/**
 * Opens a PIN block. Throws invalid-request, naming the field, when it is not for this key, not well-formed, or was bound
 * to something else; the message never says what was inside.
 */
export async function readPinBlock(jwe: string, boundTo: string, key: PinKey, field: string): Promise<OpenPin> {
  const refuse = (detail: string, cause?: unknown) =>
    new ProblemError('invalid-request', `${field}: ${detail}`, { field, cause });
  let opened: Awaited<ReturnType<typeof compactDecrypt>>;
  try {
    opened = await compactDecrypt(jwe, key.privateKey, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
  } catch {
    throw refuse('the PIN block cannot be decrypted with the PIN key');
  }
  if (opened.protectedHeader.typ !== PIN_BLOCK_TYP) throw refuse(`the PIN block's typ is not ${PIN_BLOCK_TYP}`);
  if (opened.protectedHeader.kid !== key.kid) throw refuse("the PIN block's kid is not the PIN key's");
  const block = parseBlock(opened.plaintext);
  const digits = block && readPinField(block.pinField);
  if (!block || digits === null || digits === undefined) throw refuse('the PIN block is not well-formed');
  if (block.boundTo !== boundTo) throw refuse('the PIN block was made for another transaction');
  return { digits, nonce: block.nonce };
}

function parseBlock(plaintext: Uint8Array): z.infer<typeof PinBlock> | null {
  try {
    return PinBlock.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext)));
  } catch {
    return null;
  }
}

/** ISO 9564-1, format 4, plain text PIN field: 4, L, L digits, fill A. Null when it is anything else. */
export function readPinField(hex: string): string | null {
  const field = hex.toUpperCase();
  const length = Number.parseInt(field[1] ?? '', 16);
  if (field.length !== 16 || field[0] !== '4' || !(length >= 4 && length <= 12)) return null;
  const digits = field.slice(2, 2 + length);
  return /^\d+$/.test(digits) && /^A*$/.test(field.slice(2 + length)) ? digits : null;
}

/** Often chosen and not caught by the two rules below: keypad paths, years, and in Japan numbers that read as words. */
const COMMON_PINS = new Set(
  '0852 1004 1010 1122 1192 1212 1313 2000 2001 2525 2580 4649 5683 112233 121212 123123 123321 147258 159753'.split(
    ' ',
  ),
);

/** Whether a thief would try it first: one digit repeated, a run up or down, or among the most common. */
export function isWeakPin(digits: string): boolean {
  if (/^(\d)\1*$/.test(digits)) return true;
  const steps = [...digits].slice(1).map((digit, index) => (Number(digit) - Number(digits[index]) + 10) % 10);
  if (steps.every((step) => step === 1) || steps.every((step) => step === 9)) return true;
  return COMMON_PINS.has(digits);
}

/** scrypt's parameters (RFC 7914). Stored with each hash, so they may be raised at any time. */
export interface PinCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}
/** About 50 ms and 16 MiB on one core of 2020. */
export const PIN_COST: PinCost = { N: 2 ** 14, r: 8, p: 1 };
const HASH_BYTES = 32;

/** A PIN has too few values to survive a stolen table by slowness alone: the pepper is under the bank key. */
export async function hashPin(digits: string, vault: Vault, chance: Chance, cost = PIN_COST): Promise<string> {
  const salt = Buffer.from(chance.bytes(16));
  const hash = await derive(digits, salt, cost, vault);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

export async function verifyPin(digits: string, stored: string, vault: Vault): Promise<boolean> {
  const [scheme, N, r, p, salt, hash] = stored.split('$');
  if (scheme !== 'scrypt' || !salt || !hash) throw new Error('a stored PIN hash is damaged');
  const expected = Buffer.from(hash, 'base64url');
  const actual = await derive(
    digits,
    Buffer.from(salt, 'base64url'),
    { N: Number(N), r: Number(r), p: Number(p) },
    vault,
  );
  return timingSafeEqual(actual, expected);
}

function derive(digits: string, salt: Uint8Array, cost: PinCost, vault: Vault): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(vault.mac('pin-pepper', digits), salt, HASH_BYTES, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Whether two entries are the same, in constant time for equal lengths. */
export function samePin(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
