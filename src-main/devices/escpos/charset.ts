/** The letters that bytes mean to a printer: its code page (ESC t), its national signs (ESC R), its kanji mode (FS &, FS C). */

const LOW = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('');
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';
const KATAKANA = `${' '.repeat(33)}${Array.from({ length: 63 }, (_, index) => String.fromCharCode(0xff61 + index)).join('')}${' '.repeat(32)}`;
const HIGH = Array.from({ length: 128 }, (_, index) => index + 128);
const WPC1252 = new TextDecoder('windows-1252').decode(Uint8Array.from(HIGH));

/** ESC t n, as Epson numbers them. Code page 0 is 437 on every printer of the family. */
const CODE_PAGES: ReadonlyMap<number, string> = new Map([
  [0, LOW + CP437],
  [1, LOW + KATAKANA],
  [16, LOW + WPC1252],
]);
const JAPAN = 8;

export interface Charset {
  readonly page: number;
  readonly country: number;
  readonly kanji: 'off' | 'jis' | 'shiftJis';
}
export const CHARSET_DEFAULT: Charset = { page: 0, country: 0, kanji: 'off' };

export interface Letter {
  readonly character: string;
  /** 24 dots wide, not 12. */
  readonly full: boolean;
}
/** What a printer shows for a code it has no letter for. */
const MISSING: Letter = { character: '□', full: false };

export function isCodePage(page: number): boolean {
  return CODE_PAGES.has(page);
}

/** One letter from the front of the bytes and how many it took; null when the second byte of a kanji has yet to come. */
export function readLetter(
  bytes: Uint8Array,
  { page, country, kanji }: Charset,
): { letter: Letter; took: 1 | 2 } | null {
  const [first = 0, second] = bytes;
  const lead =
    kanji === 'jis'
      ? first >= 0x21 && first <= 0x7e
      : (first >= 0x81 && first < 0xa0) || (first >= 0xe0 && first < 0xfd);
  if (kanji !== 'off' && lead) {
    if (second === undefined) return null;
    return { letter: kanji === 'jis' ? fromJis(first, second) : fromShiftJis(first, second), took: 2 };
  }
  if (kanji === 'shiftJis' && first >= 0x80) return { letter: half(CODE_PAGES.get(1)![first]!), took: 1 };
  if (country === JAPAN && first === 0x5c) return { letter: half('¥'), took: 1 };
  const character = CODE_PAGES.get(page)?.[first];
  return {
    letter: character === undefined || (first >= 0x80 && !isCodePage(page)) ? MISSING : half(character),
    took: 1,
  };
}

const half = (character: string): Letter => ({ character, full: false });

function fromShiftJis(first: number, second: number): Letter {
  const character = new TextDecoder('shift_jis').decode(Uint8Array.of(first, second));
  return { character: [...character].length === 1 && character !== '\ufffd' ? character : '□', full: true };
}

/** JIS X 0208 is EUC-JP without its high bits. */
function fromJis(first: number, second: number): Letter {
  const character = new TextDecoder('euc-jp').decode(Uint8Array.of(first | 0x80, second | 0x80));
  return { character: [...character].length === 1 && character !== '\ufffd' ? character : '□', full: true };
}
