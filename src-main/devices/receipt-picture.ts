/**
 * What the paper shows, from the bytes a printer got: an interpreter of the ESC/POS commands that receipts use (Epson ESC/POS
 * Application Programming Guide: ESC @, ESC a, ESC E, ESC G, ESC -, ESC !, ESC M, ESC t, ESC 2/3, ESC d/J, ESC *, GS !, GS B,
 * GS v 0, GS V, FS .). A command it does not know is an error that names where it stands: a picture that leaves something out would
 * be no evidence of what was printed.
 */
import sharp from 'sharp';
import { escapeXml } from './receipt-drawing.ts';
import { loadReceiptFont, RECEIPT_FONT_FAMILY } from './receipt-font.ts';

const PAPER_DOTS = 576;
const MARGIN = 32;
const CELL = { A: { width: 12, height: 24 }, B: { width: 9, height: 17 } } as const;
const SPACING_DEFAULT = 30;
/** Longer than any receipt; bounds the memory that bytes from outside can take. */
const ROWS_MAX = 20_000;

const LOW = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('');
const CP437 =
  LOW +
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

interface Style {
  readonly font: 'A' | 'B';
  readonly width: number;
  readonly height: number;
  readonly bold: boolean;
  readonly underline: boolean;
  readonly invert: boolean;
  readonly align: 'left' | 'center' | 'right';
}
const PLAIN: Style = {
  font: 'A',
  width: 1,
  height: 1,
  bold: false,
  underline: false,
  invert: false,
  align: 'left',
};

interface Cell {
  readonly character: string;
  readonly style: Style;
}
interface Raster {
  readonly width: number;
  readonly height: number;
  /** One byte a dot: 0 paper, 1 black. */
  readonly dots: Uint8Array;
  readonly x: number;
  readonly y: number;
}

/** A PNG of the paper, printed side, with a little white around. Throws RangeError, with the offset, for bytes it can't follow. */
export async function renderReceipt(bytes: Uint8Array): Promise<Buffer> {
  await loadReceiptFont();
  const paper = new Paper(bytes);
  paper.run();
  const width = PAPER_DOTS + MARGIN * 2;
  const height = Math.max(paper.y, 40) + MARGIN * 2;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#fdfdfb"/><g transform="translate(${MARGIN} ${MARGIN})" font-family="${RECEIPT_FONT_FAMILY}" fill="#151515">${paper.svg.join('')}</g></svg>`;
  const layers = await Promise.all(
    paper.rasters.map(async (raster) => ({
      input: await rasterLayer(raster),
      left: MARGIN + raster.x,
      top: MARGIN + raster.y,
    })),
  );
  return await sharp(Buffer.from(svg)).composite(layers).removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}

async function rasterLayer({ dots, width, height }: Raster): Promise<Buffer> {
  const pixels = Buffer.alloc(dots.length * 4);
  dots.forEach((dot, index) => {
    if (dot) pixels.writeUInt32BE(0x151515ff, index * 4);
  });
  return await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

class Paper {
  readonly svg: string[] = [];
  readonly rasters: Raster[] = [];
  y = 0;
  #style = PLAIN;
  #line: Cell[] = [];
  #spacing = SPACING_DEFAULT;
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  run(): void {
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const byte = this.#next();
      if (byte === 0x1b) this.#esc(this.#next(), start);
      else if (byte === 0x1d) this.#gs(this.#next(), start);
      else if (byte === 0x1c && this.#next() === 0x2e) continue;
      else if (byte === 0x0a) this.#feedLine();
      else if (byte === 0x0d) continue;
      else if (byte >= 0x20) this.#line.push({ character: CP437[byte]!, style: this.#style });
      else throw unknown(start, byte);
      if (this.y > ROWS_MAX) throw new RangeError(`receipt longer than ${ROWS_MAX} dots`);
    }
  }

  #next(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError(`receipt ends inside a command at byte ${this.#at}`);
    this.#at += 1;
    return byte;
  }

  #word(): number {
    return this.#next() + this.#next() * 256;
  }

  #set(change: Partial<Style>): void {
    this.#style = { ...this.#style, ...change };
  }

  #esc(command: number, start: number): void {
    switch (String.fromCharCode(command)) {
      case '@':
        this.#style = PLAIN;
        this.#spacing = SPACING_DEFAULT;
        return;
      case 'a':
        this.#set({ align: (['left', 'center', 'right'] as const)[this.#next() % 48] ?? 'left' });
        return;
      case 'E':
      case 'G':
        this.#set({ bold: (this.#next() & 1) === 1 });
        return;
      case '-':
        this.#set({ underline: this.#next() % 48 > 0 });
        return;
      case 'M':
        this.#set({ font: this.#next() % 48 === 1 ? 'B' : 'A' });
        return;
      case '!': {
        const mode = this.#next();
        this.#set({
          font: mode & 1 ? 'B' : 'A',
          bold: (mode & 8) > 0,
          height: mode & 16 ? 2 : 1,
          width: mode & 32 ? 2 : 1,
          underline: (mode & 128) > 0,
        });
        return;
      }
      case 't':
        // Code page 0 is 437 on every printer of the family; another one would show other letters.
        if (this.#next() !== 0) throw unknown(start, command);
        return;
      case '2':
        this.#spacing = SPACING_DEFAULT;
        return;
      case '3':
        this.#spacing = this.#next();
        return;
      case 'd': {
        const lines = this.#next();
        for (let line = 0; line < lines; line += 1) this.#feedLine();
        return;
      }
      case 'J':
        this.#flush();
        this.y += this.#next();
        return;
      case '*':
        this.#columns();
        return;
      default:
        throw unknown(start, command);
    }
  }

  #gs(command: number, start: number): void {
    switch (String.fromCharCode(command)) {
      case '!': {
        const size = this.#next();
        this.#set({ width: ((size >> 4) & 7) + 1, height: (size & 7) + 1 });
        return;
      }
      case 'B':
        this.#set({ invert: (this.#next() & 1) === 1 });
        return;
      case 'v':
        this.#next();
        this.#raster();
        return;
      case 'V': {
        const mode = this.#next();
        if (mode >= 65) this.y += this.#next();
        this.svg.push(
          `<path d="M-${MARGIN} ${this.y}H${PAPER_DOTS + MARGIN}" stroke="#bbb" stroke-width="2" stroke-dasharray="8 8"/>`,
        );
        return;
      }
      default:
        throw unknown(start, command);
    }
  }

  /** GS v 0 m xL xH yL yH: rows of bytes, most significant bit left. */
  #raster(): void {
    this.#flush();
    this.#next();
    const rowBytes = this.#word();
    const height = this.#word();
    const width = rowBytes * 8;
    if (width > PAPER_DOTS || this.y + height > ROWS_MAX) throw new RangeError(`raster of ${width}×${height} dots`);
    const dots = new Uint8Array(width * height);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < rowBytes; column += 1) {
        const byte = this.#next();
        for (let bit = 0; bit < 8; bit += 1) dots[row * width + column * 8 + bit] = (byte >> (7 - bit)) & 1;
      }
    }
    this.#place(width, height, dots);
    this.y += height;
  }

  /** ESC * m nL nH, 24 dots high (m 33): columns of three bytes, top first. */
  #columns(): void {
    const mode = this.#next();
    const width = this.#word();
    const bytesPerColumn = mode === 32 || mode === 33 ? 3 : 1;
    const height = bytesPerColumn * 8;
    if (width > PAPER_DOTS) throw new RangeError(`bit image ${width} dots wide`);
    const dots = new Uint8Array(width * height);
    for (let column = 0; column < width; column += 1) {
      for (let part = 0; part < bytesPerColumn; part += 1) {
        const byte = this.#next();
        for (let bit = 0; bit < 8; bit += 1) dots[(part * 8 + bit) * width + column] = (byte >> (7 - bit)) & 1;
      }
    }
    this.#place(width, height, dots);
  }

  #place(width: number, height: number, dots: Uint8Array): void {
    if (width === 0 || height === 0) return;
    this.rasters.push({ width, height, dots, x: this.#left(width), y: this.y });
  }

  #left(width: number): number {
    const room = Math.max(PAPER_DOTS - width, 0);
    const share = { left: 0, center: 0.5, right: 1 }[(this.#line[0]?.style ?? this.#style).align];
    return Math.floor(room * share);
  }

  #feedLine(): void {
    const printed = this.#line.length > 0;
    const height = Math.max(...this.#line.map(({ style }) => CELL[style.font].height * style.height), 0);
    this.#flush();
    this.y += printed ? Math.max(height, this.#spacing) - height : this.#spacing;
  }

  /** Prints what stands in the line buffer, its characters on one base line. */
  #flush(): void {
    const line = this.#line;
    const widthOf = ({ style }: Cell) => CELL[style.font].width * style.width;
    const height = Math.max(...line.map(({ style }) => CELL[style.font].height * style.height), 0);
    let x = this.#left(line.reduce((sum, cell) => sum + widthOf(cell), 0));
    this.#line = [];
    for (const cell of line) {
      const { style, character } = cell;
      const cellHeight = CELL[style.font].height * style.height;
      const top = this.y + height - cellHeight;
      if (style.invert) this.svg.push(`<rect x="${x}" y="${top}" width="${widthOf(cell)}" height="${cellHeight}"/>`);
      if (character === '─' || character === '═') {
        this.svg.push(`<rect x="${x}" y="${top + cellHeight / 2 - 1}" width="${widthOf(cell)}" height="2"/>`);
      } else if (character !== ' ') {
        const size = CELL[style.font].height * 0.8;
        this.svg.push(
          `<text transform="translate(${x + widthOf(cell) / 2} ${top + cellHeight * 0.79}) scale(${style.width} ${style.height})" font-size="${size}" text-anchor="middle"${style.bold ? ' font-weight="700"' : ''}${style.invert ? ' fill="#fdfdfb"' : ''}>${escapeXml(character)}</text>`,
        );
      }
      if (style.underline) {
        this.svg.push(`<rect x="${x}" y="${top + cellHeight - 2}" width="${widthOf(cell)}" height="2"/>`);
      }
      x += widthOf(cell);
    }
    this.y += height;
  }
}

function unknown(at: number, byte: number): RangeError {
  return new RangeError(`unknown printer command 0x${byte.toString(16)} at byte ${at}`);
}
