import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_EARLIER_STACKS, type PresentRecord } from '../notes/cash-state.ts';
import { presentToken } from './present-token.ts';
import { readAmount, readToken, verify, writeAmount, writeToken } from './token.ts';

const HOST_KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
const DEVICE_KEY = Buffer.from('202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f', 'hex');
const COMMAND =
  'NONCE=7A0F2C9915D84E63B1A45580C6E7D201,TOKENFORMAT=1,TOKENLENGTH=0164,DISPENSE1=30000JPY,HMACSHA256=D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57';
const RESPONSE =
  'NONCE=90417,TOKENFORMAT=1,TOKENLENGTH=0269,DISPENSEID=D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57,DISPENSED1=30000JPY,PRESENTED1=YES,PRESENTEDAMOUNT1=30000JPY,RETRACTED1=NO,HMACSHA256=2BF4622E05AFE31576153F52035717A1670B6C011C31439D4C90A3741CC97AB3';
const RETRACTED =
  'NONCE=90418,TOKENFORMAT=1,TOKENLENGTH=0289,DISPENSEID=D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57,DISPENSED1=30000JPY,PRESENTED1=YES,PRESENTEDAMOUNT1=30000JPY,RETRACTED1=YES,RETRACTEDAMOUNT1=?,HMACSHA256=F2AA914690F2E9088A6BE03296A54B8EC96DB80441260C8FBE469D41CE4BAF3F';

const paid: PresentRecord = {
  tokenHmac: 'D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57',
  units: { unit3: 3 },
  dispensed: { 'type10000JPY1/fit': 3 },
  state: 'presented',
  presented: { 'type10000JPY1/fit': 3 },
  retracted: {},
  wasRetracted: false,
  earlier: NO_EARLIER_STACKS,
};

describe('test vectors (8.4)', () => {
  test('8.4 command token, 164 bytes', () => {
    const token = readToken(COMMAND)!;
    expect(verify(token, HOST_KEY)).toBe(true);
    expect(verify(token, DEVICE_KEY)).toBe(false);
    expect(token.fields.get('DISPENSE1')).toBe('30000JPY');
    expect(writeToken('7A0F2C9915D84E63B1A45580C6E7D201', [['DISPENSE1', '30000JPY']], HOST_KEY)).toBe(COMMAND);
  });

  test('8.4 response token, dispensed and presented, 269 bytes', () => {
    expect(presentToken(paid, '90417', DEVICE_KEY)).toBe(RESPONSE);
  });

  test('8.4 response token, retracted uncounted, 289 bytes', () => {
    expect(presentToken({ ...paid, retracted: null, wasRetracted: true }, '90418', DEVICE_KEY)).toBe(RETRACTED);
  });

  test('says neither YES nor NO where the device does not know (8.7)', () => {
    const token = readToken(presentToken({ ...paid, state: 'unknown' }, '7', DEVICE_KEY))!;
    expect([...token.fields.keys()]).toEqual(['DISPENSEID', 'DISPENSED1', 'RETRACTED1']);
  });
});

describe('grammar (8.3)', () => {
  test.each([
    ['a length that is not its own', COMMAND.replace('0164', '0165')],
    ['a length in hex', COMMAND.replace('0164', '00A4')],
    ['another format', COMMAND.replace('TOKENFORMAT=1', 'TOKENFORMAT=2')],
    ['lower-case HMAC', COMMAND.slice(0, -64) + COMMAND.slice(-64).toLowerCase()],
    ['a space', COMMAND.replace('30000JPY', '30000 PY')],
    ['no nonce first', COMMAND.replace('NONCE=7A', 'TONCE=7A')],
    ['no key of its own', `NONCE=1,TOKENFORMAT=1,TOKENLENGTH=0115,HMACSHA256=${'A'.repeat(64)}`],
    ['something after the HMAC', `${COMMAND.replace('0164', '0168')},A=1`],
    [
      'a key twice',
      writeToken(
        '1',
        [
          ['A', '1'],
          ['A', '2'],
        ],
        HOST_KEY,
      ),
    ],
    ['a nonce twice', writeToken('1', [['NONCE', '2']], HOST_KEY)],
    ['more than 1024 bytes', writeToken('1', [['A', 'x'.repeat(1_000)]], HOST_KEY)],
    ['nothing', ''],
  ])('refuses %s', (_name, text) => {
    expect(readToken(text)).toBeNull();
  });

  test('takes keys it does not know', () => {
    const text = writeToken(
      '1',
      [
        ['VENDORX', 'a:b'],
        ['DISPENSE1', '1JPY'],
      ],
      HOST_KEY,
    );
    expect(verify(readToken(text)!, HOST_KEY)).toBe(true);
  });

  test('no byte of a token can be changed', () => {
    fc.assert(
      fc.property(fc.nat(COMMAND.length - 1), fc.integer({ min: 33, max: 126 }), (at, code) => {
        const altered = COMMAND.slice(0, at) + String.fromCharCode(code) + COMMAND.slice(at + 1);
        const token = readToken(altered);
        expect(altered === COMMAND || token === null || !verify(token, HOST_KEY)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('amounts (8.3)', () => {
  test.each([
    ['30000JPY', { currency: 'JPY', minor: 30_000 }],
    ['123.45EUR', { currency: 'EUR', minor: 12_345 }],
    ['50EUR', { currency: 'EUR', minor: 5_000 }],
    ['50.5EUR', { currency: 'EUR', minor: 5_050 }],
    ['30000.0JPY', null],
    ['.5EUR', null],
    ['5.EUR', null],
    ['-5JPY', null],
    ['1,000JPY', null],
    ['5jpy', null],
    ['5XXX', null],
    ['4294967296JPY', null],
  ])('%s', (text, amount) => {
    expect(readAmount(text)).toEqual(amount);
  });

  test('are written with the digits of their currency', () => {
    expect(writeAmount({ currency: 'JPY', minor: 30_000 })).toBe('30000JPY');
    expect(writeAmount({ currency: 'EUR', minor: 5 })).toBe('0.05EUR');
  });
});
