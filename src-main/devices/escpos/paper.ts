/**
 * What commands leave on paper: text in fonts A and B and in kanji, its styles, pictures, cuts, each at its place in dots. What is not drawn as
 * a printer would is said in `problems`, because a picture that leaves something out is no evidence of what was printed.
 */
import { CHARSET_DEFAULT, type Charset, isCodePage, readLetter } from './charset.ts';
import { type Dots, readColumns, readGraphics, readRaster } from './images.ts';
import type { Command } from './parser.ts';

const CELL = { A: { width: 12, height: 24 }, B: { width: 9, height: 17 } } as const;
const KANJI_DOTS = 24;
const SPACING_DEFAULT = 30;
const TAB_COLUMNS = 8;
/** Longer than any receipt; bounds the memory that bytes from outside can take. */
export const ROWS_MAX = 20_000;

export interface Style {
  readonly font: 'A' | 'B';
  readonly width: number;
  readonly height: number;
  readonly bold: boolean;
  readonly underline: boolean;
  readonly invert: boolean;
  readonly align: 'left' | 'center' | 'right';
}
const PLAIN: Style = { font: 'A', width: 1, height: 1, bold: false, underline: false, invert: false, align: 'left' };

/** Something on the paper. x and y are its upper left corner, in dots. */
export type Mark =
  | {
      readonly kind: 'letter';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly character: string;
      readonly full: boolean;
      readonly style: Style;
    }
  | { readonly kind: 'dots'; readonly x: number; readonly y: number; readonly dots: Dots }
  /** A code whose bars are not drawn: a box with its content. */
  | {
      readonly kind: 'code';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly label: string;
    }
  | { readonly kind: 'cut'; readonly y: number };

export interface Sheet {
  readonly marks: readonly Mark[];
  readonly widthDots: number;
  readonly height: number;
}

interface Item {
  readonly x: number;
  readonly width: number;
  readonly height: number;
  readonly style: Style;
  readonly content: { readonly letter: string; readonly full: boolean } | { readonly dots: Dots };
}

/** Commands that change nothing on the paper. */
const SILENT = new Set([
  ...['DLE EOT', 'DLE ENQ', 'DLE DC4', 'ESC =', 'ESC c', 'ESC p', 'ESC r', 'ESC u', 'ESC v', 'ESC U', 'ESC S', 'ESC 4'],
  ...[
    'FS C',
    'GS a',
    'GS b',
    'GS f',
    'GS h',
    'GS j',
    'GS r',
    'GS w',
    'GS z',
    'GS H',
    'GS I',
    'GS P',
    'GS ( D',
    'GS ( E',
    'GS ( H',
    'GS ( K',
  ],
  'CR',
]);

export class Paper {
  readonly widthDots: number;
  #marks: Mark[] = [];
  #y = 0;
  #style = PLAIN;
  #charset = CHARSET_DEFAULT;
  #spacing = SPACING_DEFAULT;
  #letterSpace = 0;
  #leftMargin = 0;
  #line: Item[] = [];
  #x = 0;
  /** The first byte of a kanji whose second has yet to come. */
  #lead: Uint8Array = new Uint8Array(0);
  /** What FS & turns on: JIS until FS C says otherwise. */
  #kanjiCode: 'jis' | 'shiftJis' = 'jis';
  #graphics: Dots | null = null;
  #qr = '';
  readonly problems: string[] = [];

  constructor(widthDots: number) {
    this.widthDots = widthDots;
  }

  get y(): number {
    return this.#y;
  }

  /** What stands on it since the last `tear`; what waits in the line buffer is not printed yet. */
  get sheet(): Sheet {
    return { marks: this.#marks, widthDots: this.widthDots, height: this.#y };
  }

  /** Takes the sheet away. Style and position in the line stay, as in a printer. */
  tear(): Sheet {
    const { sheet } = this;
    this.#marks = [];
    this.#y = 0;
    return sheet;
  }

  /** Forgets what was not printed yet (DLE DC4 8). */
  clear(): void {
    this.#line = [];
    this.#x = 0;
    this.#lead = new Uint8Array(0);
  }

  apply(command: Command): void {
    if (!command.known) {
      this.#problem(command, 'unknown printer command');
      return;
    }
    try {
      this.#do(command);
    } catch (error) {
      // A picture whose size and bytes don't fit each other.
      if (!(error instanceof RangeError)) throw error;
      this.#problem(command, error.message);
    }
    if (this.#y > ROWS_MAX) {
      this.#problem(command, `receipt longer than ${ROWS_MAX} dots`);
      this.#y = ROWS_MAX;
    }
  }

  #do(command: Command): void {
    const { name, params } = command;
    const [n = 0, m = 0] = params;
    switch (name) {
      case 'text':
        this.#text(params);
        break;
      case 'LF':
        this.#feedLine();
        break;
      case 'HT':
        this.#x = (Math.floor(this.#x / (CELL.A.width * TAB_COLUMNS)) + 1) * CELL.A.width * TAB_COLUMNS;
        break;
      case 'ESC @':
        this.clear();
        this.#style = PLAIN;
        this.#charset = CHARSET_DEFAULT;
        this.#spacing = SPACING_DEFAULT;
        this.#letterSpace = 0;
        this.#leftMargin = 0;
        break;
      case 'ESC a':
        this.#set({ align: (['left', 'center', 'right'] as const)[n % 48] ?? 'left' });
        break;
      case 'ESC E':
      case 'ESC G':
        this.#set({ bold: (n & 1) === 1 });
        break;
      case 'ESC -':
      case 'FS -':
        this.#set({ underline: n % 48 > 0 });
        break;
      case 'ESC M':
        this.#set({ font: n % 48 === 1 ? 'B' : 'A' });
        break;
      case 'ESC !':
        this.#set({
          font: n & 1 ? 'B' : 'A',
          bold: (n & 8) > 0,
          height: n & 16 ? 2 : 1,
          width: n & 32 ? 2 : 1,
          underline: (n & 128) > 0,
        });
        break;
      case 'GS !':
        this.#set({ width: ((n >> 4) & 7) + 1, height: (n & 7) + 1 });
        break;
      case 'GS B':
        this.#set({ invert: (n & 1) === 1 });
        break;
      case 'ESC t':
        if (!isCodePage(n)) this.#problem(command, `code page ${n} is not known`);
        this.#charset = { ...this.#charset, page: n };
        break;
      case 'ESC R':
        this.#charset = { ...this.#charset, country: n };
        break;
      case 'FS &':
        if (this.#charset.kanji === 'off') this.#kanji(this.#kanjiCode);
        break;
      case 'FS .':
        this.#kanji('off');
        break;
      case 'FS C':
        this.#kanjiCode = n % 48 === 0 ? 'jis' : 'shiftJis';
        if (this.#charset.kanji !== 'off') this.#kanji(this.#kanjiCode);
        break;
      case 'ESC SP':
        this.#letterSpace = n;
        break;
      case 'ESC $':
        this.#x = n + m * 256;
        break;
      case 'ESC \\': {
        const by = n + m * 256;
        this.#x = Math.max(this.#x + (by >= 0x8000 ? by - 0x1_0000 : by), 0);
        break;
      }
      case 'GS L':
        this.#leftMargin = Math.min(n + m * 256, this.widthDots - CELL.A.width);
        break;
      case 'ESC 2':
        this.#spacing = SPACING_DEFAULT;
        break;
      case 'ESC 3':
        this.#spacing = n;
        break;
      case 'ESC d':
        for (let line = 0; line < n; line += 1) this.#feedLine();
        break;
      case 'ESC J':
        this.#flush();
        this.#y += n;
        break;
      case 'ESC *':
        this.#inline(readColumns(params));
        break;
      case 'GS v':
        this.#block(readRaster(params));
        break;
      case 'GS ( L':
      case 'GS 8 L':
        this.#storeOrPrint(command);
        break;
      case 'GS k':
        this.#code(command, barcodeText(params), Math.floor(this.widthDots * 0.7), 80);
        break;
      case 'GS ( k':
        this.#twoDimensional(command);
        break;
      case 'GS V':
        if (n >= 65) this.#y += m;
        this.#cut();
        break;
      case 'ESC i':
      case 'ESC m':
        this.#cut();
        break;
      default:
        if (!SILENT.has(name)) this.#problem(command, 'not drawn');
    }
  }

  #kanji(kanji: Charset['kanji']): void {
    this.#charset = { ...this.#charset, kanji };
  }

  #set(change: Partial<Style>): void {
    this.#style = { ...this.#style, ...change };
  }

  #problem({ name, at, params }: Command, what: string): void {
    const bytes = params.length > 0 ? ` ${Buffer.from(params.subarray(0, 8)).toString('hex')}` : '';
    if (this.problems.length < 100) this.problems.push(`${what}: ${name}${bytes} at byte ${at}`);
  }

  #text(params: Uint8Array): void {
    let rest: Uint8Array = Uint8Array.from([...this.#lead, ...params]);
    this.#lead = new Uint8Array(0);
    while (rest.length > 0) {
      const read = readLetter(rest, this.#charset);
      if (!read) {
        this.#lead = rest;
        return;
      }
      rest = rest.subarray(read.took);
      const { character, full } = read.letter;
      const style = this.#style;
      const cell = full ? { width: KANJI_DOTS, height: KANJI_DOTS } : CELL[style.font];
      this.#put({ letter: character, full }, cell.width * style.width, cell.height * style.height);
      this.#x += this.#letterSpace * style.width;
    }
  }

  #put(content: Item['content'], width: number, height: number): void {
    // What does not fit goes on in the next line.
    if (this.#x > 0 && this.#leftMargin + this.#x + width > this.widthDots) this.#feedLine();
    this.#line.push({ x: this.#x, width, height, style: this.#style, content });
    this.#x += width;
  }

  #inline(dots: Dots): void {
    if (dots.width > this.widthDots) throw new RangeError(`bit image of ${dots.width} dots`);
    this.#put({ dots }, dots.width, dots.height);
  }

  #block(dots: Dots): void {
    this.#flush();
    if (dots.width > this.widthDots || this.#y + dots.height > ROWS_MAX) {
      throw new RangeError(`raster of ${dots.width}×${dots.height} dots`);
    }
    if (dots.width * dots.height === 0) return;
    this.#marks.push({ kind: 'dots', x: this.#left(dots.width, this.#style), y: this.#y, dots });
    this.#y += dots.height;
  }

  /** GS ( L and GS 8 L: fn 112 keeps a raster, fn 50 (or 2) prints it. */
  #storeOrPrint(command: Command): void {
    const params = command.params.subarray(command.name === 'GS ( L' ? 2 : 4);
    const fn = params[1];
    if (fn === 112) this.#graphics = readGraphics(params);
    else if ((fn === 50 || fn === 2) && this.#graphics) {
      this.#block(this.#graphics);
      this.#graphics = null;
    } else if (fn !== 50 && fn !== 2) this.#problem(command, 'not drawn');
  }

  /** GS ( k pL pH cn fn: fn 80 keeps the data, fn 81 prints the symbol. */
  #twoDimensional(command: Command): void {
    const { params } = command;
    const [, , cn, fn] = params;
    if (fn === 80) this.#qr = Buffer.from(params.subarray(5)).toString('latin1');
    if (fn !== 81) return;
    const side = Math.min(200, this.widthDots);
    this.#code(command, `${cn === 49 ? 'QR' : 'PDF417'} ${this.#qr}`, side, cn === 49 ? side : 80);
  }

  #code(command: Command, label: string, width: number, height: number): void {
    this.#problem(command, 'drawn as a box');
    this.#flush();
    this.#marks.push({ kind: 'code', x: this.#left(width, this.#style), y: this.#y, width, height, label });
    this.#y += height + 4;
  }

  #cut(): void {
    this.#flush();
    this.#marks.push({ kind: 'cut', y: this.#y });
  }

  #left(width: number, { align }: Style): number {
    const room = Math.max(this.widthDots - this.#leftMargin - width, 0);
    return this.#leftMargin + Math.floor(room * { left: 0, center: 0.5, right: 1 }[align]);
  }

  #feedLine(): void {
    const printed = this.#line.length > 0;
    const height = Math.max(...this.#line.map((item) => item.height), 0);
    this.#flush();
    this.#y += printed ? Math.max(height, this.#spacing) - height : this.#spacing;
  }

  /** Prints what stands in the line buffer, on one base line. */
  #flush(): void {
    const line = this.#line;
    this.#line = [];
    const used = this.#x;
    this.#x = 0;
    const [first] = line;
    if (!first) return;
    const height = Math.max(...line.map((item) => item.height));
    const left = this.#left(used, first.style);
    for (const { x, width, height: own, style, content } of line) {
      const at = { x: left + x, y: this.#y + height - own };
      if ('dots' in content) this.#marks.push({ kind: 'dots', ...at, dots: content.dots });
      else
        this.#marks.push({
          kind: 'letter',
          ...at,
          width,
          height: own,
          character: content.letter,
          full: content.full,
          style,
        });
    }
    this.#y += height;
  }
}

/** GS k: form A ends with NUL, form B says how long it is. */
function barcodeText(params: Uint8Array): string {
  const [m = 0] = params;
  const data = m >= 65 ? params.subarray(2) : params.subarray(1, -1);
  return Buffer.from(data).toString('latin1');
}
