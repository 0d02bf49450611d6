import { describe, expect, it } from 'vitest';
import { redacted } from './dead-letter.ts';
import { DeadLetterBox } from './dead-letter-box.ts';

function box() {
  const told: { untold: number; detail: string }[] = [];
  let now = 0;
  const clock = { monotonicMs: () => now, sleep: () => Promise.reject(new Error('not used')), after: () => () => {} };
  const letters = new DeadLetterBox(clock, (letter) => told.push(letter));
  const put = (uri: string, detail: string) =>
    letters.put({ uri, reason: 'malformed', detail, bytes: 1, message: null });
  return { letters, put, told, pass: (ms: number) => (now += ms) };
}

describe('the box of dead letters', () => {
  it('tells sixty a minute of one service, and with the next one how many it did not tell', () => {
    const { put, told, pass } = box();
    for (let index = 0; index < 100; index += 1) put('mad', `${index}`);
    put('sane', 'other');
    expect(told).toHaveLength(61);
    pass(60_000);
    put('mad', 'again');
    expect(told.at(-1)).toMatchObject({ detail: 'again', untold: 40 });
    put('mad', 'once more');
    expect(told.at(-1)).toMatchObject({ untold: 0 });
  });

  it('keeps the last hundred, told or not', () => {
    const { letters, put } = box();
    for (let index = 0; index < 150; index += 1) put('mad', `${index}`);
    expect(letters.letters().map(({ detail }) => detail)).toEqual(
      Array.from({ length: 100 }, (_, index) => `${index + 50}`),
    );
  });
});

describe('a redacted message', () => {
  it.each([
    ['token', 'NONCE=1'],
    ['pinBlock', 'c2VjcmV0'],
    ['vendorPinBuffer', 'c2VjcmV0'],
    ['customerData', '5566'],
    ['digit', 'seven'],
    ['pictureFile', 'cGlj'],
    ['templateData', 'dGVt'],
    ['barcodeData', 'YmFy'],
    ['trackTwo', 'x'],
    ['cardNumber', 'x'],
  ])('has no %s', (name, secret) => {
    expect(redacted({ payload: { list: [{ [name]: secret }] } })).toBe(
      JSON.stringify({ payload: { list: [{ [name]: '[redacted]' }] } }),
    );
  });

  it('has no long number in any text, and no short one that stands alone', () => {
    const text = redacted({
      header: { errorDescription: 'account 4929123412341234 unknown' },
      payload: { vendor: '1234' },
    });
    expect(text).toBe('{"header":{"errorDescription":"account [digits] unknown"},"payload":{"vendor":"[redacted]"}}');
  });

  it('keeps what a technician needs: names, codes, units, item types', () => {
    const message = {
      header: { type: 'completion', name: 'CashDispenser.Dispense', version: '3.0', requestId: 52 },
      payload: { errorCode: 'cashUnitError', unit3: { cash: { type10000JPY1: { fit: 'three' } } } },
    };
    expect(redacted(message)).toBe(JSON.stringify(message));
  });

  it('is cut: long texts, and the whole', () => {
    expect(redacted({ text: 'x'.repeat(65) })).toBe('{"text":"[65 characters]"}');
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`unit${index}`, 'ok']));
    expect(redacted(many)).toHaveLength(2_049);
  });
});
