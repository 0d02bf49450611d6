/** Text → Shift_JIS as printers with a kanji font read it (JIS X 0208 with NEC's and IBM's additions, as in the WHATWG Encoding Standard). */

/** The same sign by another name: what Unicode calls it → what the standard's table has in its place. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  '¥': '￥',
  '〜': '～',
  '−': '－',
  '—': '―',
  '‖': '∥',
  '¢': '￠',
  '£': '￡',
  '¬': '￢',
};

let table: ReadonlyMap<string, number> | null = null;

/** Null when a character is not in the font. */
export function encodeShiftJis(text: string): Uint8Array | null {
  table ??= makeTable();
  const bytes: number[] = [];
  for (const character of text) {
    const code = table.get(OTHER_NAMES[character] ?? character);
    if (code === undefined) return null;
    if (code > 0xff) bytes.push(code >> 8);
    bytes.push(code & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** Columns of the printer's half-width grid that the text takes in Shift_JIS: one for ASCII and half-width katakana, two for the rest. */
export function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[\x20-\x7e\uff61-\uff9f]/.test(character) ? 1 : 2), 0);
}

function makeTable(): ReadonlyMap<string, number> {
  const decoder = new TextDecoder('shift_jis', { fatal: true });
  const codes = new Map<string, number>();
  const add = (code: number, ...bytes: number[]) => {
    try {
      const character = decoder.decode(Uint8Array.from(bytes));
      // Some signs stand in the table twice; printers have the first.
      if (!codes.has(character)) codes.set(character, code);
    } catch {
      // Not every pair is a character.
    }
  };
  // 5Ch and 7Eh show a yen sign and an overline in Japanese fonts, a backslash and a tilde in others.
  for (let code = 0x20; code <= 0x7d; code += 1) if (code !== 0x5c) add(code, code);
  for (let code = 0xa1; code <= 0xdf; code += 1) add(code, code);
  for (let lead = 0x81; lead <= 0xfc; lead += 1) {
    if (lead >= 0xa0 && lead < 0xe0) continue;
    for (let trail = 0x40; trail <= 0xfc; trail += 1) add((lead << 8) | trail, lead, trail);
  }
  return codes;
}
