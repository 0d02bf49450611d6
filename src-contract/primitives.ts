/**
 * The small values every message is made of. Money is whole minor units with an ISO 4217 code (1 JPY = 1 minor unit);
 * time is UTC milliseconds since 1970; ids are UUIDv7 (RFC 9562, section 5.7), so they sort by when they were made.
 */
import { z } from 'zod';

export const Uuid = z.uuidv7();
export type Uuid = z.infer<typeof Uuid>;

/** UTC, milliseconds since 1970-01-01T00:00:00Z. */
export const WallTimeMs = z.int().nonnegative().brand<'WallTimeMs'>();
export type WallTimeMs = z.infer<typeof WallTimeMs>;

/** Whole minor units of a currency, never negative. For JPY one minor unit is one yen. */
export const MinorUnits = z.int().nonnegative().brand<'MinorUnits'>();
export type MinorUnits = z.infer<typeof MinorUnits>;

export const Currency = z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code of three capital letters');
export type Currency = z.infer<typeof Currency>;

export const Money = z.strictObject({ amountMinor: MinorUnits, currency: Currency });
export type Money = z.infer<typeof Money>;

export function money(amountMinor: number, currency = 'JPY'): Money {
  return Money.parse({ amountMinor, currency });
}

export const Language = z.enum(['ja', 'en']);
export type Language = z.infer<typeof Language>;

/** What a customer can ask a terminal for. */
export const Service = z.enum(['enrol', 'deposit', 'withdraw', 'transfer', 'balance', 'purchase', 'opt-out']);
export type Service = z.infer<typeof Service>;

export const Profile = z.enum(['atm', 'checkout', 'gate']);
export type Profile = z.infer<typeof Profile>;

/** Digits of an account number at this bank. */
export const ACCOUNT_DIGITS = 10;
export const AccountNumber = z.string().regex(/^\d{10}$/, 'an account number of ten digits');

/** A rate between 0 and 1, as ISO/IEC 19795-1 uses the word: a false-match rate of 1e-6 is one in a million. */
export const Rate = z.number().min(0).max(1);

/** base64url without padding (RFC 4648, section 5). */
export const Base64Url = z.string().regex(/^[A-Za-z0-9_-]*$/, 'base64url without padding');

/** SHA-256 as lower-case hex. */
export const Sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');

/** A JWS or JWE in compact serialisation (RFC 7515, section 7.1; RFC 7516, section 7.1). */
export const CompactJws = z
  .string()
  .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a compact JWS')
  .max(16_384);
export const CompactJwe = z
  .string()
  .regex(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/, 'a compact JWE')
  .max(16_384);

export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
