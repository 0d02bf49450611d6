/**
 * Tokens of XFS4IoT end-to-end security (2024-3, "End to end security"): text that the bank's key and the dispenser's key
 * vouch for, and that everybody between relays. Here is their grammar and arithmetic; no key and no HMAC ever comes near.
 *
 *   NONCE=7A0F…,TOKENFORMAT=1,TOKENLENGTH=0164,DISPENSE1=30000JPY,HMACSHA256=D912…
 *
 * The HMAC covers everything before it, up to and including the last "=". TOKENLENGTH counts the whole token, in decimal.
 */
import { z } from 'zod';
import { MinorUnits, type Money } from './primitives.ts';

export const SECURITY_TOKEN_LENGTH_MAX = 1024;

/** What a dispenser gives a command token for: 128 random bits, or a counter that never repeats. */
export const CommandNonce = z.string().regex(/^([0-9A-F]{32}|[0-9]{1,32})$/, '32 hex digits in capitals, or a counter');
/** What the bank gives a response token for: 128 random bits. */
export const ResponseNonce = z.string().regex(/^[0-9A-F]{32}$/, '32 hex digits in capitals');
/** Text that may be a token. Whether it is one says {@link parseToken}: what a device claims must reach the bank as it is. */
export const TokenText = z
  .string()
  .max(SECURITY_TOKEN_LENGTH_MAX)
  .regex(/^[!-~]+$/, 'printable ASCII without spaces');

const GRAMMAR = /^NONCE=[0-9A-F]+,TOKENFORMAT=1,TOKENLENGTH=[0-9]{4},(?:[A-Z0-9]+=[^,=]+,)+HMACSHA256=[0-9A-F]{64}$/;
const HMAC_HEX_LENGTH = 64;
/** "HMACSHA256=" without its value ends what is signed. */
const HMAC_KEY = 'HMACSHA256=';
const HEADER_KEYS = ['NONCE', 'TOKENFORMAT', 'TOKENLENGTH'];

export interface ParsedToken {
  readonly nonce: string;
  /** Keys between header and HMAC, in order; those nobody here knows included. */
  readonly fields: ReadonlyMap<string, string>;
  /** What the HMAC is taken over. */
  readonly signed: string;
  /** 64 hex digits, capitals. Of a command token also its name: a response token's DISPENSEID. */
  readonly hmac: string;
}

/** The text to sign: header with the right length, the fields in their order, and the beginning of the HMAC. */
export function unsignedToken(nonce: string, fields: readonly (readonly [key: string, value: string])[]): string {
  const body = fields.map(([key, value]) => `${key}=${value},`).join('');
  const withLength = (length: string) => `NONCE=${nonce},TOKENFORMAT=1,TOKENLENGTH=${length},${body}${HMAC_KEY}`;
  const length = withLength('0000').length + HMAC_HEX_LENGTH;
  const text = withLength(String(length).padStart(4, '0'));
  if (length > SECURITY_TOKEN_LENGTH_MAX || !GRAMMAR.test(text + '0'.repeat(HMAC_HEX_LENGTH))) {
    throw new RangeError('these fields make no token');
  }
  return text;
}

/** The token's parts, or what is wrong with its form. Says nothing about its HMAC. */
export function parseToken(text: string): ParsedToken | { readonly problem: string } {
  if (!TokenText.safeParse(text).success) {
    return { problem: `a token has at most ${SECURITY_TOKEN_LENGTH_MAX} printable ASCII characters` };
  }
  if (!GRAMMAR.test(text)) return { problem: 'the text does not follow the token grammar' };
  const pairs = text.split(',').map((pair) => pair.split('=') as [string, string]);
  const values = new Map(pairs);
  if (values.size !== pairs.length) return { problem: 'a key comes twice' };
  if (Number(values.get('TOKENLENGTH')) !== text.length) {
    return { problem: `TOKENLENGTH says ${values.get('TOKENLENGTH')}, the token has ${text.length} characters` };
  }
  const hmac = values.get('HMACSHA256') ?? '';
  const fields = new Map(pairs.filter(([key]) => key !== 'HMACSHA256' && !HEADER_KEYS.includes(key)));
  return { nonce: values.get('NONCE') ?? '', fields, signed: text.slice(0, -HMAC_HEX_LENGTH), hmac };
}

/** ISO 4217 currencies whose minor unit is not a hundredth. */
const EXPONENTS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((c) => [c, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((c) => [c, 3])),
};

function exponentOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/** Always with all of the currency's minor digits, "30000JPY" and "123.45EUR": firmware is known to read "50.5" as 50.05. */
export function formatTokenAmount({ amountMinor, currency }: Money): string {
  const exponent = exponentOf(currency);
  const digits = String(amountMinor).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  return exponent === 0 ? `${digits}${currency}` : `${whole}.${digits.slice(-exponent)}${currency}`;
}

/**
 * The amount, or what is wrong with it. A fraction that is neither missing, nor zero, nor complete is not guessed at: "12.5EUR"
 * is 12.50 by the grammar, and 12.05 in firmware that prints cents without padding.
 */
export function parseTokenAmount(text: string): Money | { readonly problem: string } {
  const match = /^(\d{1,12})(?:\.(\d{1,6}))?([A-Z]{3})$/.exec(text);
  if (!match) return { problem: `"${text}" is no amount` };
  const [, whole = '', fraction = '', currency = ''] = match;
  const exponent = exponentOf(currency);
  if (/[1-9]/.test(fraction) && fraction.length !== exponent)
    return { problem: `the fraction of "${text}" is ambiguous` };
  const amountMinor = Number(whole + (/[1-9]/.test(fraction) ? fraction : '0'.repeat(exponent)));
  const parsed = MinorUnits.safeParse(amountMinor);
  return parsed.success ? { amountMinor: parsed.data, currency } : { problem: `"${text}" is too large` };
}

/** What a response token says became of the last dispense under a token. Amounts in one currency, minor units. */
export interface PresentReport {
  /** HMAC of the command token that was used last; null when the device knows of none. */
  readonly dispenseId: string | null;
  readonly currency: string | null;
  readonly dispensedMinor: number;
  /** What the customer had access to. */
  readonly presentedMinor: number;
  /** What came back after that; "?" where the device did not count it. */
  readonly retractedMinor: number | '?';
}

const NOTHING_DISPENSED = { currency: null, dispensedMinor: 0, presentedMinor: 0, retractedMinor: 0 } as const;

/** Reads a response token, or says what it lacks. A dispense of several currencies is not read: no command token here asks for one. */
export function readPresentReport({ fields }: ParsedToken): PresentReport | { readonly problem: string } {
  const dispenseId = fields.get('DISPENSEID') ?? null;
  if (dispenseId !== null && !/^[0-9A-F]{64}$/.test(dispenseId)) return { problem: 'DISPENSEID is no HMAC' };
  if (['DISPENSED2', 'PRESENTED2', 'RETRACTED2'].some((key) => fields.has(key))) {
    return { problem: 'it speaks of a second currency' };
  }
  const dispensed = fields.get('DISPENSED1');
  if (dispensed === undefined) {
    return dispenseId === null ? { dispenseId, ...NOTHING_DISPENSED } : { problem: 'DISPENSED1 is missing' };
  }
  const total = parseTokenAmount(dispensed);
  if ('problem' in total) return total;
  const { currency, amountMinor: dispensedMinor } = total;
  const part = (flag: string, amountKey: string): number | '?' | { readonly problem: string } => {
    const said = fields.get(flag);
    const text = fields.get(amountKey);
    if (said !== 'YES' && said !== 'NO') return { problem: `${flag} is neither YES nor NO` };
    if (text === '?') return '?';
    if (text === undefined) return said === 'NO' ? 0 : { problem: `${amountKey} is missing` };
    const amount = parseTokenAmount(text);
    if ('problem' in amount) return amount;
    if (amount.currency !== currency) return { problem: `${amountKey} is in another currency` };
    if (said === 'NO' && amount.amountMinor > 0) return { problem: `${flag}=NO contradicts ${amountKey}` };
    return amount.amountMinor;
  };
  const presentedMinor = part('PRESENTED1', 'PRESENTEDAMOUNT1');
  if (typeof presentedMinor === 'object') return presentedMinor;
  if (presentedMinor === '?') return { problem: 'PRESENTEDAMOUNT1 is unknown' };
  const retractedMinor = part('RETRACTED1', 'RETRACTEDAMOUNT1');
  if (typeof retractedMinor === 'object') return retractedMinor;
  const most = typeof retractedMinor === 'number' ? retractedMinor : 0;
  if (presentedMinor > dispensedMinor || most > presentedMinor) return { problem: 'the amounts contradict each other' };
  return { dispenseId, currency, dispensedMinor, presentedMinor, retractedMinor };
}
