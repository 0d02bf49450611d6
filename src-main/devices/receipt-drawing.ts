/** A receipt drawn for the printer: black on white, in dots of the paper. */
import sharp from 'sharp';
import { loadReceiptFont, RECEIPT_FONT_FAMILY } from './receipt-font.ts';
import type { ReceiptWords } from './receipt-words.ts';
import { WIDE_FROM, wrapText } from './receipt-wrap.ts';

const MARGIN = 16;
const NOTICE_SIZE = 22;
/** Smaller letters are not legible at 203 dots an inch. */
const SIZE_MIN = 18;

/** RGBA rows of `width` dots; the height is a multiple of 8, as raster commands want. */
export async function drawReceipt(words: ReceiptWords, width: number): Promise<{ pixels: Buffer; height: number }> {
  await loadReceiptFont();
  const right = width - MARGIN;
  const parts: string[] = [];
  let y = 0;
  const text = (value: string, x: number, size: number, anchor: 'start' | 'middle' | 'end', weight: 400 | 700 = 400) =>
    parts.push(
      `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" xml:space="preserve">${escapeXml(value)}</text>`,
    );
  const rule = (thickness: number, dashes: string) =>
    parts.push(
      `<path d="M${MARGIN} ${y}H${right}" stroke="#000" stroke-width="${thickness}" stroke-dasharray="${dashes}"/>`,
    );

  y += 52;
  text('KAOPASS', width / 2, 46, 'middle', 700);
  y += 56;
  text(words.title, width / 2, fitted(words.title, 32, width - 2 * MARGIN), 'middle', 700);
  y += 10;
  for (const line of words.header) {
    y += 34;
    text(line, width / 2, fitted(line, 24, width - 2 * MARGIN), 'middle');
  }
  y += 26;
  rule(3, 'none');
  for (const row of words.rows) {
    if (row.kind === 'rule') {
      y += 22;
      rule(2, '4 6');
      continue;
    }
    const size = row.kind === 'detail' ? 22 : row.kind === 'total' ? 40 : 26;
    const weight = row.kind === 'total' ? 700 : 400;
    y += row.kind === 'total' ? 62 : row.kind === 'detail' ? 36 : 44;
    const room = right - MARGIN - widthOf(row.right) * size - size;
    const sizeLeft = Math.max(fitted(row.left, row.kind === 'total' ? 28 : size, room), SIZE_MIN);
    text(clipped(row.left, room / sizeLeft), MARGIN, sizeLeft, 'start', weight);
    text(row.right, right, size, 'end', weight);
    if (row.kind === 'total') y += 6;
  }
  y += 26;
  rule(3, 'none');
  y += 8;
  for (const notice of words.notices) {
    for (const line of wrapText(notice, (width - 2 * MARGIN) / NOTICE_SIZE, widthOf)) {
      y += 34;
      text(line, width / 2, NOTICE_SIZE, 'middle');
    }
    y += 6;
  }
  const height = Math.ceil((y + 24) / 8) * 8;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#fff"/><g font-family="${RECEIPT_FONT_FAMILY}">${parts.join('')}</g></svg>`;
  return { pixels: await sharp(Buffer.from(svg)).ensureAlpha().raw().toBuffer(), height };
}

/** The size, or the smaller one at which the text is no wider than the room. */
function fitted(text: string, size: number, room: number): number {
  return Math.min(size, Math.floor(room / Math.max(widthOf(text), 1)));
}

/** The text, or what of it is no wider than so many ems. */
function clipped(text: string, ems: number): string {
  if (widthOf(text) <= ems) return text;
  const characters = [...text];
  while (characters.length > 0 && widthOf(characters.join('')) + 1 > ems) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** Width in ems: full-width characters take one, others a little over half. */
function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (isWide(character) ? 1 : 0.58), 0);
}

function isWide(character: string): boolean {
  return character.codePointAt(0)! >= WIDE_FROM;
}

export function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // U+FF5E is not in the font; U+301C is the same wave dash by its other name.
  return text.replace(/[&<>"]/g, (character) => entities[character]!).replaceAll('\uff5e', '\u301c');
}
