/**
 * What a scanner in keyboard mode types: usages of the keyboard page (HID Usage Tables, 10) to characters, by the layout the
 * scanner was set to. Japanese is JIS X 6002 as on OADG 109A keyboards.
 */
import { CONTROL, SHIFT } from './keyboard-report.ts';

export type KeyboardLayout = 'us' | 'jp';

/** Each string: the plain characters from a usage on, then the shifted ones. A blank is a key without a character. */
type Rows = readonly (readonly [firstUsage: number, plain: string, shifted: string])[];

const LETTERS: Rows = [[0x04, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ']];
/** Keypad / * - +, then 1 … 9 0 . after Enter. */
const KEYPAD: Rows = [
  [0x54, '/*-+', '/*-+'],
  [0x59, '1234567890.', '1234567890.'],
];
const ROWS: Readonly<Record<KeyboardLayout, Rows>> = {
  us: [
    [0x1e, '1234567890', '!@#$%^&*()'],
    [0x2d, "-=[]\\\\;'`,./", '_+{}||:"~<>?'],
    [0x64, '\\', '|'],
  ],
  jp: [
    [0x1e, '1234567890', '!"#$%&\'() '],
    // 0x35 is the key for half and full width; it types nothing.
    [0x2d, '-^@[]];: ,./', '=~`{}}+* <>?'],
    // International1 (ro) and International3 (yen): Shift_JIS and JIS X 0201 have the yen at the backslash's place.
    [0x87, '\\', '_'],
    [0x89, '\\', '|'],
  ],
};
const SPACE = 0x2c;

const TABLES = { us: table('us'), jp: table('jp') };

function table(layout: KeyboardLayout): ReadonlyMap<number, readonly [string, string]> {
  const keys = new Map<number, readonly [string, string]>([[SPACE, [' ', ' ']]]);
  for (const [first, plain, shifted] of [...LETTERS, ...KEYPAD, ...ROWS[layout]]) {
    [...plain].forEach((character, index) => {
      keys.set(first + index, [character.trim(), shifted.charAt(index).trim()]);
    });
  }
  return keys;
}

/** @returns the character; '' for a key that types none. With Control a letter is a control character (Ctrl+J: line feed). */
export function characterOf(layout: KeyboardLayout, usage: number, modifiers: number): string {
  const shifted = (modifiers & SHIFT) !== 0;
  const character = TABLES[layout].get(usage)?.[shifted ? 1 : 0] ?? '';
  if ((modifiers & CONTROL) === 0) return character;
  const code = character.toUpperCase().charCodeAt(0);
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : '';
}
