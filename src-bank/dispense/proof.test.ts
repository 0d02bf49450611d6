import { describe, expect, it, test } from 'vitest';
import { money } from '../../src-contract/primitives.ts';
import { formatTokenAmount, type PresentReport, parseToken, unsignedToken } from '../../src-contract/security-token.ts';
import { findingOf, isUnforeseeable, readProof } from './proof.ts';
import { isSignedWith, signToken } from './token-mac.ts';

const bytes = (first: number) => Uint8Array.from({ length: 32 }, (_, index) => first + index);
const HOST_KEY = bytes(0x00);
const DEVICE_KEY = bytes(0x20);
const COMMAND =
  'NONCE=7A0F2C9915D84E63B1A45580C6E7D201,TOKENFORMAT=1,TOKENLENGTH=0164,DISPENSE1=30000JPY,HMACSHA256=D912C683226366197018F686AACEEEFF0D350B8C0C0061C0E25CFF349AC5FF57';
const DISPENSE_ID = COMMAND.slice(-64);
const PRESENTED = `NONCE=90417,TOKENFORMAT=1,TOKENLENGTH=0269,DISPENSEID=${DISPENSE_ID},DISPENSED1=30000JPY,PRESENTED1=YES,PRESENTEDAMOUNT1=30000JPY,RETRACTED1=NO,HMACSHA256=2BF4622E05AFE31576153F52035717A1670B6C011C31439D4C90A3741CC97AB3`;
const RETRACTED = `NONCE=90418,TOKENFORMAT=1,TOKENLENGTH=0289,DISPENSEID=${DISPENSE_ID},DISPENSED1=30000JPY,PRESENTED1=YES,PRESENTEDAMOUNT1=30000JPY,RETRACTED1=YES,RETRACTEDAMOUNT1=?,HMACSHA256=F2AA914690F2E9088A6BE03296A54B8EC96DB80441260C8FBE469D41CE4BAF3F`;
const GRANT = { amountMinor: 30_000, currency: 'JPY', proofsCover: 'last-stack' } as const;

describe('test vectors of XFS4IoT end-to-end security (digest, section 8.4)', () => {
  test('8.4 command token: 164 bytes, made byte for byte', () => {
    const unsigned = unsignedToken('7A0F2C9915D84E63B1A45580C6E7D201', [
      ['DISPENSE1', formatTokenAmount(money(30_000))],
    ]);
    expect(signToken(HOST_KEY, unsigned)).toBe(COMMAND);
    expect(COMMAND).toHaveLength(164);
  });

  test('8.4 response token, fully dispensed and presented: 269 bytes, proves ¥30,000', () => {
    expect(PRESENTED).toHaveLength(269);
    const proof = readProof(PRESENTED, '90417', [DEVICE_KEY]);
    const report = { dispenseId: DISPENSE_ID, currency: 'JPY', dispensedMinor: 30_000, presentedMinor: 30_000 };
    expect(proof).toEqual({ is: 'valid', report: { ...report, retractedMinor: 0 } });
    expect(findingOf({ ...report, retractedMinor: 0 }, GRANT)).toEqual({ finding: 'spent', paidMinor: 30_000 });
  });

  test('8.4 response token, retracted uncounted: 289 bytes, proves that nobody knows', () => {
    expect(RETRACTED).toHaveLength(289);
    const proof = readProof(RETRACTED, '90418', [DEVICE_KEY]);
    expect(proof).toMatchObject({ is: 'valid', report: { dispenseId: DISPENSE_ID, retractedMinor: '?' } });
    if (proof.is === 'valid') expect(findingOf(proof.report, GRANT)).toEqual({ finding: 'uncounted' });
  });

  test('8.4 with one byte changed anywhere proves nothing', () => {
    for (let at = 0; at < PRESENTED.length; at += 1) {
      const other = PRESENTED[at] === '1' ? '2' : '1';
      const altered = PRESENTED.slice(0, at) + other + PRESENTED.slice(at + 1);
      expect(readProof(altered, '90417', [DEVICE_KEY]).is, `byte ${at}`).toBe('invalid');
    }
  });
});

describe('a proof', () => {
  it('is of no use under the host’s key, another key, or another nonce', () => {
    expect(readProof(PRESENTED, '90417', [HOST_KEY]).is).toBe('invalid');
    expect(readProof(PRESENTED, '90417', [bytes(0x40)]).is).toBe('invalid');
    expect(readProof(PRESENTED, '90417', []).is).toBe('invalid');
    expect(readProof(PRESENTED, '90418', [DEVICE_KEY])).toEqual({ is: 'invalid', why: 'it answers another nonce' });
    expect(readProof(PRESENTED, '090417', [DEVICE_KEY]).is).toBe('invalid');
  });

  it('may be made with any of the keys in use', () => {
    expect(readProof(PRESENTED, '90417', [bytes(0x40), DEVICE_KEY]).is).toBe('valid');
  });

  it('is missing where there is none', () => {
    expect(readProof(null, '90417', [DEVICE_KEY])).toEqual({ is: 'missing' });
  });

  it('is no proof with its HMAC over the wrong bytes, as a known firmware makes it', () => {
    const parsed = parseToken(PRESENTED);
    if ('problem' in parsed) throw new Error(parsed.problem);
    const signed = parsed.signed.slice(0, -'HMACSHA256='.length);
    expect(isSignedWith(DEVICE_KEY, { signed, hmac: parsed.hmac })).toBe(false);
  });
});

describe('what a proof means for the account', () => {
  const report = (change: Partial<PresentReport>): PresentReport => ({
    dispenseId: DISPENSE_ID,
    currency: 'JPY',
    dispensedMinor: 30_000,
    presentedMinor: 30_000,
    retractedMinor: 0,
    ...change,
  });

  it.each<[string, Partial<PresentReport>, ReturnType<typeof findingOf>]>([
    ['all of it taken', {}, { finding: 'spent', paidMinor: 30_000 }],
    ['all of it back', { retractedMinor: 30_000 }, { finding: 'spent', paidMinor: 0 }],
    ['some of it back', { retractedMinor: 12_000 }, { finding: 'spent', paidMinor: 18_000 }],
    ['dispensed, and waiting inside', { presentedMinor: 0 }, { finding: 'part', paidMinor: 0 }],
    ['one of two bunches shown', { presentedMinor: 20_000 }, { finding: 'part', paidMinor: 20_000 }],
    [
      'a part dispensed, perhaps not the first',
      { dispensedMinor: 10_000, presentedMinor: 10_000 },
      { finding: 'partial' },
    ],
    ['nothing dispensed, perhaps at last', { dispensedMinor: 0, presentedMinor: 0 }, { finding: 'partial' }],
    ['more than the token', { dispensedMinor: 40_000, presentedMinor: 40_000 }, { finding: 'impossible' }],
    ['other money', { currency: 'EUR' }, { finding: 'impossible' }],
    ['back, but not counted', { retractedMinor: '?' }, { finding: 'uncounted' }],
  ])('%s', (_, change, finding) => {
    expect(findingOf(report(change), GRANT)).toEqual(finding);
  });

  it('a part dispensed, by a device that adds up all that came under the token', () => {
    const some = report({ dispensedMinor: 10_000, presentedMinor: 10_000, retractedMinor: 2_000 });
    expect(findingOf(some, { ...GRANT, proofsCover: 'whole-token' })).toEqual({ finding: 'part', paidMinor: 8_000 });
  });
});

it('takes only 128 random bits for a nonce that nobody foresees', () => {
  expect(isUnforeseeable('7A0F2C9915D84E63B1A45580C6E7D201')).toBe(true);
  expect(isUnforeseeable('90417')).toBe(false);
});
