/** ISO 9564-1 PIN blocks against published values, and what must never come out. */
import { createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encipherPinBlock, fitsFormat, PIN_FORMATS, type PinFormat } from './pin-block.ts';

const TDES = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex');
const AES = Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex');
const digitsOf = (pin: string) => Uint8Array.from(pin, Number);
const ones = (bytes: number) => new Uint8Array(bytes).fill(0xff);

function clear(block: Buffer): string {
  return createDecipheriv('des-ede', TDES, null).setAutoPadding(false).update(block).toString('hex').toUpperCase();
}

describe('the PIN block', () => {
  it('format 0 xors the PIN field with the last twelve account digits', () => {
    // PIN 1234, PAN 43219876543210987 with its check digit taken off: 041234FFFFFFFFFF xor 0000987654321098.
    const block = encipherPinBlock(
      digitsOf('1234'),
      { format: 'iso0', customerData: '4321987654321098', key: TDES },
      ones,
    );
    expect(clear(block)).toBe('0412AC89ABCDEF67');
    const ansi = encipherPinBlock(
      digitsOf('1234'),
      { format: 'ansi', customerData: '4321987654321098', key: TDES },
      ones,
    );
    expect(ansi).toEqual(block);
  });

  it('format 1 carries the transaction field and no account', () => {
    const block = encipherPinBlock(digitsOf('123456'), { format: 'iso1', customerData: '0987654321', key: TDES }, ones);
    expect(clear(block)).toBe('1612345609876543');
  });

  it('format 3 fills at random with A to F', () => {
    const key = { format: 'iso3', customerData: '000000000000', key: TDES } as const;
    const block = encipherPinBlock(digitsOf('98765'), key, (bytes) =>
      Uint8Array.from({ length: bytes }, (_, at) => at * 7),
    );
    expect(clear(block)).toMatch(/^3598765[A-F]{9}$/);
    expect(encipherPinBlock(digitsOf('98765'), key, ones)).not.toEqual(block);
  });

  it('format 4 enciphers the account in: the published vector', () => {
    const order = { format: 'iso4', customerData: '1234567890123456789', key: AES } as const;
    expect(encipherPinBlock(digitsOf('1234'), order, ones).toString('hex').toUpperCase()).toBe(
      '28B41FDDD29B743E93124BD8E32D921E',
    );
  });

  it('never shows the digits of the PIN in the clear, in any format', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<PinFormat>(...PIN_FORMATS),
        fc.stringMatching(/^\d{4,12}$/),
        fc.stringMatching(/^\d{10}$/),
        (format, pin, customerData) => {
          const key = format === 'iso4' ? AES : TDES;
          const block = encipherPinBlock(digitsOf(pin), { format, customerData, key }, ones);
          return block.length === key.length / (format === 'iso4' ? 1 : 2) && !block.toString('latin1').includes(pin);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['123', '111', 'iso0', 'a PIN has 4 to 12 digits'],
    ['1234567890123', '111', 'iso0', 'a PIN has 4 to 12 digits'],
    ['1234', '', 'iso4', 'customer data does not fit iso4'],
    ['1234', '4321-98765', 'iso3', 'customer data does not fit iso3'],
  ] as const)('refuses PIN %s with customer data "%s" for %s', (pin, customerData, format, message) => {
    expect(() => encipherPinBlock(digitsOf(pin), { format, customerData, key: TDES }, ones)).toThrow(message);
  });

  it('refuses a key of the wrong length', () => {
    const order = { format: 'iso0', customerData: '1', key: new Uint8Array(8) } as const;
    expect(() => encipherPinBlock(digitsOf('1234'), order, ones)).toThrow('a TDES key has 16 or 24 bytes');
    expect(() => encipherPinBlock(digitsOf('1234'), { ...order, format: 'iso4' }, ones)).toThrow('an AES key has');
  });

  it('knows which customer data a format takes', () => {
    expect(fitsFormat('iso1', '')).toBe(true);
    expect(fitsFormat('iso1', '12345678901')).toBe(false);
    expect(fitsFormat('iso4', '12345678901234567890')).toBe(false);
  });
});
