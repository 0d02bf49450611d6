import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barcodeOf } from './symbology.ts';

describe('the symbology of a code', () => {
  it.each([
    // GS1 General Specifications and ISO/IEC 15424.
    [']E0', '4901234567894', 'ean13', '4901234567894'],
    [']E0', '036000291452', 'upca', '036000291452'],
    [']E4', '49012347', 'ean8', '49012347'],
    [']E0', '49012347', 'ean8', '49012347'],
    [']C0', 'ABC-123', 'code128', 'ABC-123'],
    [']C1', '0104912345678904', 'code128', '0104912345678904'],
    [']Q1', 'https://example.jp/', 'qr', 'https://example.jp/'],
    [']d2', '0104912345678904', 'unknown', '0104912345678904'],
    [']E3', '490123456789412', 'unknown', '490123456789412'],
    [null, '4901234567894', 'ean13', '4901234567894'],
    [null, '036000291452', 'upca', '036000291452'],
    [null, 'ABC', 'unknown', 'ABC'],
    // Misread or not, without an identifier nothing says that it is an EAN.
    [null, '4901234567890', 'unknown', '4901234567890'],
    ['xyz', '4901234567894', 'ean13', '4901234567894'],
  ])('%s %s is %s', (aim, text, symbology, told) => {
    expect(barcodeOf(aim, text)).toEqual({ symbology, text: told });
  });

  it.each([
    // GS1 General Specifications, 5.2.2.4.2: each way to leave out zeros.
    ['01234565', '012345000065'],
    ['04252614', '042100005264'],
    ['01234531', '012300000451'],
    ['01234543', '012340000053'],
  ])(']E0 %s is the UPC-A %s that the UPC-E stands for', (text, upca) => {
    expect(barcodeOf(']E0', text)).toEqual({ symbology: 'upca', text: upca });
  });

  it.each([
    [']E0', '4901234567890'],
    [']E0', '036000291453'],
    [']E4', '49012340'],
    [']E4', '4901234567894'],
    [']E0', '01234560'],
    [']E0', '490123456789X'],
    [']E0', '12'],
    [']E0', ''],
    [null, ''],
  ])('%s %s was misread', (aim, text) => {
    expect(barcodeOf(aim, text)).toBeNull();
  });

  it('of an EAN-13 with one wrong digit, or two neighbours swapped that differ by other than five, is none', () => {
    const digits = fc.array(fc.nat(9), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(digits, fc.nat(12), fc.integer({ min: 1, max: 9 }), (twelve, at, by) => {
        const sum = twelve.reduce((total, digit, index) => total + digit * (index % 2 === 0 ? 1 : 3), 0);
        const code = [...twelve, (10 - (sum % 10)) % 10];
        expect(barcodeOf(']E0', code.join(''))?.symbology).toBe('ean13');
        const wrong = code.with(at, (code[at]! + by) % 10);
        expect(barcodeOf(']E0', wrong.join(''))).toBeNull();
        const [a, b] = [code[at]!, code[at + 1]];
        if (b === undefined || Math.abs(a - b) % 5 === 0) return;
        expect(
          barcodeOf(
            ']E0',
            code
              .with(at, b)
              .with(at + 1, a)
              .join(''),
          ),
        ).toBeNull();
      }),
    );
  });
});
