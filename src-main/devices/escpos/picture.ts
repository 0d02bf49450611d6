/** A sheet of paper as PNG: the printed side, with a little white around and a dashed line where it was cut. */
import sharp from 'sharp';
import { escapeXml } from '../receipt-drawing.ts';
import { loadReceiptFont, RECEIPT_FONT_FAMILY } from '../receipt-font.ts';
import type { Dots } from './images.ts';
import { type Mark, Paper, type Sheet } from './paper.ts';
import { CommandParser } from './parser.ts';

const MARGIN = 32;
const INK = '#151515';
const PAPER = '#fdfdfb';

/**
 * What the paper shows after these bytes. Throws RangeError, with the offset, for bytes it can't follow to the end.
 * @param widthDots printable dots across
 */
export async function renderReceipt(bytes: Uint8Array, widthDots = 576): Promise<Buffer> {
  const parser = new CommandParser();
  parser.push(bytes);
  const paper = new Paper(widthDots);
  for (let command = parser.next(); command; command = parser.next()) {
    paper.apply(command);
    if (paper.problems[0]) throw new RangeError(paper.problems[0]);
  }
  if (parser.buffered > 0) throw new RangeError(`receipt ends inside a command at byte ${parser.offset}`);
  return await renderSheet(paper.sheet);
}

export async function renderSheet({ marks, widthDots, height: used }: Sheet): Promise<Buffer> {
  await loadReceiptFont();
  const width = widthDots + MARGIN * 2;
  const height = Math.max(used, 40) + MARGIN * 2;
  const drawn = marks.map((mark) => svgOf(mark, widthDots)).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${PAPER}"/><g transform="translate(${MARGIN} ${MARGIN})" font-family="${RECEIPT_FONT_FAMILY}" fill="${INK}">${drawn}</g></svg>`;
  const pictures = marks.filter((mark) => mark.kind === 'dots');
  const layers = await Promise.all(
    pictures.map(async ({ x, y, dots }) => ({ input: await layerOf(dots), left: MARGIN + x, top: MARGIN + y })),
  );
  return await sharp(Buffer.from(svg)).composite(layers).removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}

async function layerOf({ dots, width, height }: Dots): Promise<Buffer> {
  const pixels = Buffer.alloc(dots.length * 4);
  dots.forEach((dot, index) => {
    if (dot) pixels.writeUInt32BE(0x151515ff, index * 4);
  });
  return await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

function svgOf(mark: Mark, widthDots: number): string {
  switch (mark.kind) {
    case 'letter':
      return letter(mark);
    case 'dots':
      return '';
    case 'code': {
      const { x, y, width, height } = mark;
      const label = mark.label.length > 40 ? `${mark.label.slice(0, 39)}…` : mark.label;
      return `<rect x="${x + 1}" y="${y + 1}" width="${width - 2}" height="${height - 2}" fill="none" stroke="${INK}" stroke-width="2" stroke-dasharray="2 4"/><text x="${x + width / 2}" y="${y + height / 2 + 6}" font-size="16" text-anchor="middle">${escapeXml(printable(label))}</text>`;
    }
    case 'cut':
      return `<path d="M-${MARGIN} ${mark.y}H${widthDots + MARGIN}" stroke="#bbb" stroke-width="2" stroke-dasharray="8 8"/>`;
  }
}

function letter({ x, y, width, height, character, full, style }: Extract<Mark, { kind: 'letter' }>): string {
  const parts: string[] = [];
  if (style.invert) parts.push(`<rect x="${x}" y="${y}" width="${width}" height="${height}"/>`);
  if (character === '─' || character === '═') {
    // Rules of a printer's font meet those of the next cell.
    parts.push(`<rect x="${x}" y="${y + height / 2 - 1}" width="${width}" height="2"/>`);
  } else if (character.trim() !== '') {
    const size = (height / style.height) * (full ? 0.96 : 0.8);
    const baseline = y + height * (full ? 0.86 : 0.79);
    // The letters of a printer's grid are all as wide; the widest of ours would touch their neighbours.
    const across = /[MW@%mw]/.test(character) ? style.width * 0.8 : style.width;
    parts.push(
      `<text transform="translate(${x + width / 2} ${baseline}) scale(${across} ${style.height})" font-size="${size}" text-anchor="middle"${style.bold ? ' font-weight="700"' : ''}${style.invert ? ` fill="${PAPER}"` : ''}>${escapeXml(printable(character))}</text>`,
    );
  }
  if (style.underline) parts.push(`<rect x="${x}" y="${y + height - 2}" width="${width}" height="2"/>`);
  return parts.join('');
}

/** XML 1.0 has no control characters. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '□');
}
