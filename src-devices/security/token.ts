/**
 * Tokens of XFS4IoT end-to-end security: `NONCE=…,TOKENFORMAT=1,TOKENLENGTH=dddd,KEY=value,…,HMACSHA256=64HEX`. The HMAC is taken
 * over everything up to and including `HMACSHA256=`; the length is the decimal count of bytes of the whole, HMAC included.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES_MAX = 1_024;
/** Shortest text that can be a token: one digit of nonce, one key of one letter with a value of one. */
const TOKEN_BYTES_MIN = 114;
const GRAMMAR =
  /^(?=[!-~]{0,1024}$)NONCE=[0-9A-F]+,TOKENFORMAT=1,TOKENLENGTH=[0-9]{4},(?:[A-Z0-9]+=[^,=]+?,)+HMACSHA256=[0-9A-F]{64}$/;
const HMAC_DIGITS = 64;

export interface Token {
  readonly nonce: string;
  /** All keys between length and HMAC. */
  readonly fields: ReadonlyMap<string, string>;
  /** 64 upper-case hex digits, as the token has them; nothing here has verified it. */
  readonly hmac: string;
  readonly text: string;
}

/** Null when grammar, length or uniqueness of keys is wrong. */
export function readToken(text: string): Token | null {
  if (text.length > TOKEN_BYTES_MAX || text.length < TOKEN_BYTES_MIN || !GRAMMAR.test(text)) return null;
  const pairs = text.split(',').map((part) => part.split('=') as [string, string]);
  const all = new Map(pairs);
  if (all.size !== pairs.length) return null;
  if (Number(all.get('TOKENLENGTH')) !== text.length) return null;
  const fields = new Map(pairs.slice(3, -1));
  return { nonce: all.get('NONCE')!, fields, hmac: all.get('HMACSHA256')!, text };
}

/** Writes a token over these fields, in their order. */
export function writeToken(nonce: string, fields: readonly (readonly [string, string])[], key: Uint8Array): string {
  const body = fields.map(([name, value]) => `${name}=${value},`).join('');
  const length = `NONCE=${nonce},TOKENFORMAT=1,TOKENLENGTH=0000,${body}HMACSHA256=`.length + HMAC_DIGITS;
  const head = `NONCE=${nonce},TOKENFORMAT=1,TOKENLENGTH=${String(length).padStart(4, '0')},${body}HMACSHA256=`;
  return head + hmacOf(head, key);
}

/** Whether the HMAC of a token is the one this key makes; takes the same time whatever is wrong. */
export function verify(token: Token, key: Uint8Array): boolean {
  return equalInConstantTime(hmacOf(token.text.slice(0, -HMAC_DIGITS), key), token.hmac);
}

export function equalInConstantTime(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function hmacOf(head: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(head).digest('hex').toUpperCase();
}

/** Minor digits of the currencies a token may name (ISO 4217). */
const MINOR_DIGITS: Readonly<Record<string, number>> = { JPY: 0, KRW: 0, EUR: 2, USD: 2, GBP: 2, CHF: 2, CNY: 2 };
const AMOUNT = /^(\d{1,10})(?:\.(\d+))?([A-Z]{3})$/;
/** Largest integer part the reference firmware reads. */
const MAJOR_MAX = 4_294_967_295;

export interface TokenAmount {
  readonly currency: string;
  /** Minor units. */
  readonly minor: number;
}

/** `30000JPY`, `123.45EUR`; null when it is no amount of a known currency, or has more digits than that currency. */
export function readAmount(text: string): TokenAmount | null {
  const match = AMOUNT.exec(text);
  if (!match) return null;
  const [, major, fraction = '', currency] = match as unknown as [string, string, string | undefined, string];
  const digits = MINOR_DIGITS[currency];
  if (digits === undefined || fraction.length > digits || Number(major) > MAJOR_MAX) return null;
  return { currency, minor: Number(major) * 10 ** digits + Number(fraction.padEnd(digits, '0') || 0) };
}

/** Always with exactly the currency's minor digits. */
export function writeAmount({ currency, minor }: TokenAmount): string {
  const digits = MINOR_DIGITS[currency] ?? 0;
  const text = String(minor).padStart(digits + 1, '0');
  return digits === 0 ? `${text}${currency}` : `${text.slice(0, -digits)}.${text.slice(-digits)}${currency}`;
}
