/** ISO 9564-1 format 4, opened: the published vector, and what a copied block is worth. */
import { describe, expect, it } from 'vitest';
import { accountDigits, openIso4 } from './iso4.ts';

const key = Buffer.from('00112233445566778899AABBCCDDEEFF', 'hex');
const block = Buffer.from('28B41FDDD29B743E93124BD8E32D921E', 'hex');

describe('a format 4 PIN block', () => {
  it('opens with its key and account digits', () => {
    expect(openIso4(block, key, '1234567890123456789')).toBe('1234');
  });

  it('opens to nothing with other account digits, another key, or when a bit was turned', () => {
    const other = Buffer.from(block);
    other[15] = other[15]! ^ 1;
    expect(openIso4(block, key, '1234567890123456788')).toBeNull();
    expect(openIso4(block, Buffer.alloc(16, 7), '1234567890123456789')).toBeNull();
    expect(openIso4(other, key, '1234567890123456789')).toBeNull();
    expect(openIso4(block.subarray(1), key, '1234567890123456789')).toBeNull();
  });

  it('has account digits of what it is bound to, as the terminal makes them', () => {
    expect(accountDigits('01935b1e-8c2a-7f3e-9a1b-3c4d5e6f7a8b')).toMatch(/^\d{19}$/);
    expect(accountDigits('a')).toBe('4598278634844962250');
    expect(accountDigits('a')).not.toBe(accountDigits('b'));
  });
});
