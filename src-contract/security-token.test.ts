import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Money, money } from './primitives.ts';
import {
  formatTokenAmount,
  type ParsedToken,
  parseToken,
  parseTokenAmount,
  readPresentReport,
  unsignedToken,
} from './security-token.ts';

const COMMAND =
  'NONCE=7A0F2C9915D84E63B1A45580C6E7D201,TOKENFORMAT=1,TOKENLENGTH=0164,DISPENSE1=30000JPY,HMACSHA256=D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57';
const DISPENSE_ID = COMMAND.slice(-64);
const HMAC = 'A'.repeat(64);
const response = (...fields: (readonly [string, string])[]) =>
  readPresentReport(parseToken(unsignedToken('90417', fields) + HMAC) as ParsedToken);
const FULL = [
  ['DISPENSEID', DISPENSE_ID],
  ['DISPENSED1', '30000JPY'],
  ['PRESENTED1', 'YES'],
  ['PRESENTEDAMOUNT1', '30000JPY'],
  ['RETRACTED1', 'NO'],
] as const;

describe('the form of a token (XFS4IoT 2024-3, end-to-end security)', () => {
  it('is read into nonce, fields, what is signed, and the HMAC', () => {
    expect(parseToken(COMMAND)).toEqual({
      nonce: '7A0F2C9915D84E63B1A45580C6E7D201',
      fields: new Map([['DISPENSE1', '30000JPY']]),
      signed: COMMAND.slice(0, -64),
      hmac: DISPENSE_ID,
    });
    expect(unsignedToken('7A0F2C9915D84E63B1A45580C6E7D201', [['DISPENSE1', '30000JPY']])).toBe(COMMAND.slice(0, -64));
  });

  it.each([
    ['a length that is not its own', COMMAND.replace('0164', '0165'), /TOKENLENGTH says 0165/],
    ['a length in hex, as a known demonstration writes it', COMMAND.replace('0164', '00A4'), /grammar/],
    ['another format', COMMAND.replace('TOKENFORMAT=1', 'TOKENFORMAT=2'), /grammar/],
    ['small letters in its HMAC', COMMAND.replace('D912C6', 'd912c6'), /grammar/],
    ['an HMAC too short', COMMAND.slice(0, -1), /grammar/],
    ['a space', COMMAND.replace(',DISPENSE1', ', DISPENSE1'), /printable/],
    ['nothing between header and HMAC', COMMAND.replace('DISPENSE1=30000JPY,', ''), /grammar/],
    ['more than 1024 characters', `${COMMAND.slice(0, 60)}${'X=1,'.repeat(300)}${COMMAND.slice(60)}`, /1024/],
    [
      'a key twice',
      unsignedToken('1', [
        ['A', '1'],
        ['A', '2'],
      ]) + HMAC,
      /twice/,
    ],
  ])('is refused with %s', (_, text, sentence) => {
    expect(parseToken(text)).toEqual({ problem: expect.stringMatching(sentence) });
  });

  it('reads back whatever it writes', () => {
    const key = fc
      .stringMatching(/^[A-Z][A-Z0-9]{0,8}$/)
      .filter((k) => !/^(NONCE|TOKENFORMAT|TOKENLENGTH|HMACSHA256)$/.test(k));
    const value = fc.stringMatching(/^[!-+\--<>-~]{1,12}$/);
    const fields = fc.uniqueArray(fc.tuple(key, value), { minLength: 1, maxLength: 12, selector: ([k]) => k });
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9A-F]{1,32}$/), fields, (nonce, pairs) => {
        const text = unsignedToken(nonce, pairs) + HMAC;
        expect(parseToken(text)).toMatchObject({ nonce, fields: new Map(pairs), hmac: HMAC });
      }),
      { numRuns: 200 },
    );
  });

  it('never takes a mutilated text for more than it is, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 1100 }), fc.nat(COMMAND.length), (text, at) => {
        parseToken(text);
        parseToken(COMMAND.slice(0, at) + text + COMMAND.slice(at));
      }),
      { numRuns: 300 },
    );
  });
});

describe('amounts in a token', () => {
  it.each([
    [money(30_000), '30000JPY'],
    [money(12_345, 'EUR'), '123.45EUR'],
    [money(5, 'EUR'), '0.05EUR'],
    [money(1_500, 'KWD'), '1.500KWD'],
  ])('%j is written with all minor digits, and read back', (amount: Money, text) => {
    expect(formatTokenAmount(amount)).toBe(text);
    expect(parseTokenAmount(text)).toEqual(amount);
  });

  it.each(['50EUR', '50.0EUR', '50.00EUR'])('%s is fifty', (text) => {
    expect(parseTokenAmount(text)).toEqual(money(5_000, 'EUR'));
  });

  it.each(['12.5EUR', '12.345EUR', '1.5JPY'])('%s is ambiguous, and nobody guesses', (text) => {
    expect(parseTokenAmount(text)).toEqual({ problem: expect.stringMatching(/ambiguous/) });
  });

  it.each(['', 'JPY', '-1JPY', '+1JPY', '1,000JPY', '.5EUR', '5.EUR', '1jpy', '1JPYX', '9999999999999JPY'])(
    '"%s" is none',
    (text) => {
      expect(parseTokenAmount(text)).toHaveProperty('problem');
    },
  );
});

describe('what a response token says', () => {
  test('8.4: dispensed and presented in full', () => {
    expect(response(...FULL)).toEqual({
      dispenseId: DISPENSE_ID,
      currency: 'JPY',
      dispensedMinor: 30_000,
      presentedMinor: 30_000,
      retractedMinor: 0,
    });
  });
  test('8.4: retracted uncounted', () => {
    expect(response(...FULL.slice(0, -1), ['RETRACTED1', 'YES'], ['RETRACTEDAMOUNT1', '?'])).toMatchObject({
      retractedMinor: '?',
    });
  });
  it('may know of no dispense', () => {
    expect(response(['VENDOR', '1'])).toEqual({
      dispenseId: null,
      currency: null,
      dispensedMinor: 0,
      presentedMinor: 0,
      retractedMinor: 0,
    });
  });
  it.each([
    ['says nothing of what was dispensed', [FULL[0]]],
    ['presents more than it dispensed', [...FULL.slice(0, 3), ['PRESENTEDAMOUNT1', '40000JPY'], FULL[4]]],
    ['presents an unknown amount', [...FULL.slice(0, 3), FULL[4]]],
    ['presents in another currency', [...FULL.slice(0, 3), ['PRESENTEDAMOUNT1', '300.00EUR'], FULL[4]]],
    ['retracts more than it presented', [...FULL.slice(0, 4), ['RETRACTED1', 'YES'], ['RETRACTEDAMOUNT1', '31000JPY']]],
    ['contradicts itself', [...FULL.slice(0, 2), ['PRESENTED1', 'NO'], FULL[3], FULL[4]]],
    ['is silent on what came back', FULL.slice(0, 4)],
    ['speaks of a second currency', [...FULL, ['DISPENSED2', '5.00EUR']]],
    ['names no dispense by its HMAC', [['DISPENSEID', 'ABC'], ...FULL.slice(1)]],
  ] as [string, [string, string][]][])('is not believed when it %s', (_, fields) => {
    expect(response(...fields)).toEqual({ problem: expect.any(String) });
  });
});
