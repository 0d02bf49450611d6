/**
 * Which symbology a code was, by the AIM identifier the scanner sends with it (ISO/IEC 15424) or, without one, as far as length
 * and check digit tell. What calls itself EAN or UPC and has a wrong check digit was misread: it is refused, not guessed.
 */
import type { Barcode } from '../barcode-scanner.ts';

/** ISO/IEC 15424: "]", a letter for the symbology, a modifier. */
const AIM_IDENTIFIER = /^\][A-Za-z][0-9A-Za-z]$/;

/** @param aim "]E0"; null or anything that is none: the scanner did not say. @returns null: misread. */
export function barcodeOf(aim: string | null, text: string): Barcode | null {
  if (text === '') return null;
  const known = aim !== null && AIM_IDENTIFIER.test(aim) ? aim : null;
  switch (known?.[1]) {
    case 'E':
      return eanOrUpc(known.charAt(2), text);
    case 'C':
      return { symbology: 'code128', text };
    case 'Q':
      return { symbology: 'qr', text };
    case undefined:
      return { symbology: bySight(text), text };
    default:
      return { symbology: 'unknown', text };
  }
}

/** "]E0" is EAN-13, UPC-A and UPC-E, "]E4" EAN-8, "]E1" to "]E3" an add-on or a code with one. */
function eanOrUpc(modifier: string, text: string): Barcode | null {
  if (modifier === '4') return text.length === 8 && checkDigitFits(text) ? { symbology: 'ean8', text } : null;
  if (modifier !== '0') return { symbology: 'unknown', text };
  // Some scanners send UPC-E short, some say "]E0" of EAN-8 too. Where both fit, "]E0" says that it is the former.
  const expanded = expandUpcE(text);
  const code = expanded !== null && checkDigitFits(expanded) ? expanded : text;
  const symbology = bySight(code);
  return symbology === 'unknown' ? null : { symbology, text: code };
}

function bySight(text: string): Barcode['symbology'] {
  if (!checkDigitFits(text)) return 'unknown';
  return text.length === 13 ? 'ean13' : text.length === 12 ? 'upca' : text.length === 8 ? 'ean8' : 'unknown';
}

/** GS1 General Specifications, 7.9: weights 3 and 1 from the right, the check digit itself weighs 1. */
function checkDigitFits(digits: string): boolean {
  if (!/^\d{2,}$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    sum += Number(digits[digits.length - 1 - index]) * (index % 2 === 0 ? 1 : 3);
  }
  return sum % 10 === 0;
}

/** GS1 General Specifications, 5.2.2.4.2: the UPC-A of which a UPC-E left out the zeros. Null: it is no UPC-E. */
function expandUpcE(code: string): string | null {
  const match = /^([01])(\d)(\d)(\d)(\d)(\d)(\d)(\d)$/.exec(code);
  if (!match) return null;
  const [, system, a, b, c, d, e, last, check] = match;
  const middle =
    last === '0' || last === '1' || last === '2'
      ? `${a}${b}${last}0000${c}${d}${e}`
      : last === '3'
        ? `${a}${b}${c}00000${d}${e}`
        : last === '4'
          ? `${a}${b}${c}${d}00000${e}`
          : `${a}${b}${c}${d}${e}0000${last}`;
  return `${system}${middle}${check}`;
}
