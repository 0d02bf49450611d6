/**
 * What the paper shows, from the bytes that were printed: enough of ESC/POS to read a receipt by (text with its size, weight and
 * alignment, GS v 0 raster, feeds, cuts). Made for people at the control page; the bytes beside it are the record. A command it does
 * not know ends the reading there, and the picture says so rather than leave something out in silence.
 */
import sharp from 'sharp';

const PAPER_DOTS = 576;
const MARGIN = 24;
const CELL = { width: 12, height: 24, pitch: 30 } as const;
/** Longer than any receipt; bounds the memory that bytes from outside can take. */
const DOTS_HIGH_MAX = 12_000;
const INK = 0x151515ff;

interface Raster {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** One bit a dot, most significant left, rows padded to bytes. */
  readonly bits: Uint8Array;
}

/** A PNG of the paper. */
export async function receiptPicture(bytes: Uint8Array): Promise<Buffer> {
  const paper = new Paper(bytes);
  paper.print();
  const width = PAPER_DOTS + MARGIN * 2;
  const height = Math.max(paper.y, CELL.pitch) + MARGIN * 2;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="#fdfdfb"/>` +
    `<g transform="translate(${MARGIN} ${MARGIN})" font-family="monospace" fill="#151515">${paper.svg.join('')}</g></svg>`;
  const layers = await Promise.all(
    paper.rasters.map(async (raster) => ({
      input: await layer(raster),
      left: MARGIN + raster.x,
      top: MARGIN + raster.y,
    })),
  );
  return await sharp(Buffer.from(svg)).composite(layers).removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}

async function layer({ width, height, bits }: Raster): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 4);
  for (let dot = 0; dot < width * height; dot += 1) {
    const row = Math.floor(dot / width);
    const column = dot % width;
    const byte = bits[(row * width) / 8 + (column >> 3)] ?? 0;
    if ((byte >> (7 - (column & 7))) & 1) pixels.writeUInt32BE(INK, dot * 4);
  }
  const raw = { width, height, channels: 4 } as const;
  return await sharp(pixels, { raw }).png().toBuffer();
}

class Paper {
  readonly svg: string[] = [];
  readonly rasters: Raster[] = [];
  #y = 0;
  readonly #bytes: Uint8Array;
  #at = 0;
  #line = '';
  #bold = false;
  #align = 0;
  #wide = 1;
  #high = 1;
  #pitch: number = CELL.pitch;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Dots from the top; never beyond what a picture can hold. */
  get y(): number {
    return this.#y;
  }

  set y(dots: number) {
    this.#y = Math.min(dots, DOTS_HIGH_MAX);
  }

  print(): void {
    while (this.#at < this.#bytes.length && this.y < DOTS_HIGH_MAX) {
      const start = this.#at;
      if (this.#step()) continue;
      this.#feed();
      this.#write(`[${this.#bytes.length - start} bytes not shown]`);
      return;
    }
    if (this.#line) this.#feed();
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** One command or character; false for one that is not known. */
  #step(): boolean {
    const byte = this.#next();
    if (byte === 0x0a) this.#feed();
    else if (byte === 0x1b) return this.#escape(this.#next());
    else if (byte === 0x1d) return this.#group(this.#next());
    else if (byte === 0x1c) return this.#next() === 0x2e;
    else if (byte >= 0x20) this.#line += String.fromCharCode(byte);
    else return byte === 0x0d || byte === 0;
    return true;
  }

  /** ESC @ a E G - ! M t R 2 3 d J (Epson ESC/POS Application Programming Guide). */
  #escape(command: number): boolean {
    switch (String.fromCharCode(command)) {
      case '@':
        [this.#bold, this.#align, this.#wide, this.#high, this.#pitch] = [false, 0, 1, 1, CELL.pitch];
        return true;
      case 'a':
        this.#align = this.#next() % 48;
        return true;
      case 'E':
      case 'G':
        this.#bold = (this.#next() & 1) === 1;
        return true;
      case '!': {
        const mode = this.#next();
        this.#bold = (mode & 8) > 0;
        this.#high = mode & 16 ? 2 : 1;
        this.#wide = mode & 32 ? 2 : 1;
        return true;
      }
      case '-':
      case 'M':
      case 't':
      case 'R':
        this.#next();
        return true;
      case '2':
        this.#pitch = CELL.pitch;
        return true;
      case '3':
        this.#pitch = this.#next();
        return true;
      case 'd': {
        const lines = this.#next();
        this.#feed();
        this.y += this.#pitch * Math.max(0, lines - 1);
        return true;
      }
      case 'J':
        this.y += this.#next();
        return true;
      default:
        return false;
    }
  }

  /** GS ! B v 0 V. */
  #group(command: number): boolean {
    switch (String.fromCharCode(command)) {
      case '!': {
        const size = this.#next();
        this.#wide = ((size >> 4) & 7) + 1;
        this.#high = (size & 7) + 1;
        return true;
      }
      case 'B':
        this.#next();
        return true;
      case 'v':
        return this.#raster();
      case 'V': {
        if (this.#next() >= 65) this.y += this.#next();
        this.svg.push(`<path d="M0 ${this.y}H${PAPER_DOTS}" stroke="#bbb" stroke-width="2" stroke-dasharray="8 8"/>`);
        return true;
      }
      default:
        return false;
    }
  }

  #raster(): boolean {
    this.#at += 2;
    const rowBytes = this.#next() + this.#next() * 256;
    const height = this.#next() + this.#next() * 256;
    const bits = this.#bytes.subarray(this.#at, this.#at + rowBytes * height);
    if (bits.length !== rowBytes * height || rowBytes * 8 > PAPER_DOTS || this.y + height > DOTS_HIGH_MAX) return false;
    this.#at += bits.length;
    if (rowBytes > 0 && height > 0) {
      const width = rowBytes * 8;
      this.rasters.push({ x: ((PAPER_DOTS - width) * this.#align) >> 1, y: this.y, width, height, bits });
    }
    this.y += height;
    return true;
  }

  #feed(): void {
    if (this.#line.trim()) this.#write(this.#line);
    this.y += Math.max(this.#pitch, this.#line ? CELL.height * this.#high : 0);
    this.#line = '';
  }

  /** Characters stand in cells, whatever widths the font of this machine has. */
  #write(text: string): void {
    const width = CELL.width * this.#wide;
    const left = ((PAPER_DOTS - text.length * width) * Math.min(this.#align, 2)) / 2;
    const baseline = this.y + CELL.height * this.#high * 0.8;
    const weight = this.#bold ? ' font-weight="700"' : '';
    const letters = [...text].map((letter, index) => {
      if (letter === ' ') return '';
      const place = `translate(${left + (index + 0.5) * width} ${baseline}) scale(${this.#wide} ${this.#high})`;
      return `<text transform="${place}" font-size="20" text-anchor="middle"${weight}>${escaped(letter)}</text>`;
    });
    this.svg.push(letters.join(''));
  }
}

/** Code page 437 as far as receipts need it; box drawing becomes a line. */
function escaped(letter: string): string {
  const code = letter.charCodeAt(0);
  if (code === 0xc4 || code === 0xcd) return '—';
  if (code === 0x9d) return '¥';
  if (code > 0x7e) return '·';
  return letter === '<' ? '&lt;' : letter === '&' ? '&amp;' : letter;
}
