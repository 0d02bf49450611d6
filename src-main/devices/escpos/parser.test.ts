import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { Paper } from './paper.ts';
import { type Command, CommandParser } from './parser.ts';
import { renderSheet } from './picture.ts';

function parse(...pieces: readonly Uint8Array[]): { commands: Command[]; left: number } {
  const parser = new CommandParser();
  const commands: Command[] = [];
  for (const piece of pieces) {
    parser.push(piece);
    for (let command = parser.next(); command; command = parser.next()) commands.push(command);
  }
  return { commands, left: parser.buffered };
}
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const names = (text: string) => parse(bytes(text)).commands.map(({ name }) => name);
/** Letters as a person reads them: lines from top to bottom. */
function readPaper(text: string, widthDots = 576): string[] {
  const paper = new Paper(widthDots);
  for (const command of parse(bytes(text)).commands) paper.apply(command);
  const lines = new Map<number, string>();
  for (const mark of paper.sheet.marks) {
    if (mark.kind === 'letter') {
      const bottom = mark.y + mark.height;
      lines.set(bottom, (lines.get(bottom) ?? '') + mark.character);
    }
  }
  return [...lines.values()];
}

describe('ESC/POS commands', () => {
  it('names them as the reference does and knows how long they are', () => {
    expect(names('\x1b@Hi\n\x1ba\x01\x1d!\x11\x1dV\x42\x00\x10\x04\x02\x1c&')).toEqual([
      'ESC @',
      'text',
      'LF',
      'ESC a',
      'GS !',
      'GS V',
      'DLE EOT',
      'FS &',
    ]);
    expect(
      names('\x1d(k\x03\x001C\x06\x1dk\x04ABC\0\x1dk\x49\x03{BA\x1dv0\0\x01\0\x02\0ab\x1b*\x21\x01\0abc.'),
    ).toEqual(['GS ( k', 'GS k', 'GS k', 'GS v', 'ESC *', 'text']);
  });

  it('steps over what it does not know and says so', () => {
    const { commands } = parse(bytes('\x1b~A\x07'));
    expect(commands.map(({ name, known, at }) => [name, known, at])).toEqual([
      ['ESC 0x7e', false, 0],
      ['text', true, 2],
      ['0x07', false, 3],
    ]);
  });

  it('waits for the rest of a command', () => {
    expect(parse(bytes('\x1dv0\0\x02\0\x02\0abc'))).toEqual({ commands: [], left: 11 });
  });

  it('knows everything the encoder of receipts can say', () => {
    const encoder = new ReceiptPrinterEncoder({ language: 'esc-pos', columns: 48, codepageMapping: 'epson' });
    const pixels = { data: new Uint8ClampedArray(16 * 8 * 4).fill(0), width: 16, height: 8 };
    const said = encoder
      .initialize()
      .codepage('cp437')
      .align('center')
      .bold(true)
      .underline(true)
      .italic(true)
      .invert(true)
      .size(2, 2)
      .font('B')
      .line('Kaopass')
      .lineSpacing('none')
      .image(pixels, { width: 16, height: 8, mode: 'raster' })
      .image(pixels, { width: 16, height: 8, mode: 'column' })
      .barcode('4901234567894', 'ean13', 60)
      .barcode('KAOPASS', 'code128', 60)
      .qrcode('https://example.com')
      .pdf417('Kaopass')
      .pulse()
      .cut('full')
      .encode();
    const { commands, left } = parse(said);
    expect(commands.filter(({ known }) => !known)).toEqual([]);
    expect(left).toBe(0);
  });

  it('reads the same however the bytes are cut into pieces', () => {
    const command = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc
        .constantFrom('\x1b@', '\x1dv0\0\x02\0\x03\0abcdef', '\x1dk\x04ABC\0', '\x1d(k\x03\x001C\x06', 'Kaopass\n')
        .map(bytes),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (pieces) => {
        // Text has no end of its own: its runs are as long as the piece they came in.
        const said = (commands: readonly Command[]) =>
          commands.flatMap(({ name, params, known }): (string | number)[] =>
            name === 'text' ? [...params] : [`${known} ${name} ${Buffer.from(params).toString('hex')}`],
          );
        const whole = parse(Buffer.concat(pieces));
        const apart = parse(...pieces);
        expect(apart.left).toBe(whole.left);
        expect(said(apart.commands)).toEqual(said(whole.commands));
      }),
      { numRuns: 300 },
    );
  });

  it('never fails, whatever the bytes: neither the parser nor the paper', () => {
    const noise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc
          .tuple(fc.constantFrom(0x10, 0x1b, 0x1c, 0x1d), fc.integer({ min: 0, max: 255 }))
          .map((pair) => Uint8Array.from(pair)),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(noise, (pieces) => {
        const paper = new Paper(384);
        for (const command of parse(...pieces).commands) paper.apply(command);
        expect(paper.y).toBeLessThanOrEqual(20_000);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('paper', () => {
  it('wraps what is wider than the paper, and aligns', () => {
    expect(readPaper('A'.repeat(40), 384)).toEqual(['A'.repeat(32)]);
    expect(readPaper(`${'A'.repeat(40)}\n`, 384)).toEqual(['A'.repeat(32), 'A'.repeat(8)]);
    const paper = new Paper(576);
    for (const command of parse(bytes('\x1ba\x02\x1d!\x11X\n')).commands) paper.apply(command);
    expect(paper.sheet.marks).toMatchObject([{ kind: 'letter', x: 576 - 24, y: 0, width: 24, height: 48 }]);
  });

  it('reads code page 437, windows-1252, katakana, national signs and kanji in Shift_JIS and JIS', () => {
    expect(readPaper('\x9d\x84\n')).toEqual(['¥ä']);
    expect(readPaper('\x1bt\x10\x80\xe4\n')).toEqual(['€ä']);
    expect(readPaper('\x1bt\x01\xb6\xb5\n')).toEqual(['ｶｵ']);
    expect(readPaper('\x1bR\x08\\\n')).toEqual(['¥']);
    expect(readPaper('\x1cC\x01\x1c&\x8a\xe7A\x83p\x83X\x1c.\n')).toEqual(['顔Aパス']);
    expect(readPaper('\x1c&\x34\x69\x1c.A\n')).toEqual(['顔A']);
  });

  it('joins a kanji whose bytes come apart', () => {
    const paper = new Paper(576);
    for (const command of parse(bytes('\x1cC\x01\x1c&\x8a'), bytes('\xe7\n')).commands) paper.apply(command);
    expect(paper.sheet.marks).toMatchObject([{ character: '顔', full: true }]);
  });

  it('shows GS v 0, ESC * and GS ( L as the same dots', () => {
    const dots = (text: string) => {
      const paper = new Paper(384);
      for (const command of parse(bytes(text)).commands) paper.apply(command);
      return paper.sheet.marks.map((mark) => (mark.kind === 'dots' ? mark.dots : null));
    };
    const [raster] = dots('\x1dv0\0\x01\0\x08\0\x80\x40\x20\x10\x08\x04\x02\x01');
    const [columns] = dots('\x1b*\x21\x08\0\x80\0\0\x40\0\0\x20\0\0\x10\0\0\x08\0\0\x04\0\0\x02\0\0\x01\0\0\n');
    const [graphics] = dots(
      '\x1d(L\x12\x00\x30\x70\x30\x01\x01\x31\x08\0\x08\0\x80\x40\x20\x10\x08\x04\x02\x01\x1d(L\x02\x00\x30\x32',
    );
    expect(raster).toMatchObject({ width: 8, height: 8 });
    expect(graphics).toEqual(raster);
    expect(columns?.dots.slice(0, 64)).toEqual(raster?.dots);
  });

  it('says what it did not draw as a printer would', () => {
    const paper = new Paper(576);
    for (const command of parse(bytes('\x1b{\x01\x1bt\x63\x1d(k\x03\x001Q0\x1b~')).commands) paper.apply(command);
    expect(paper.problems).toEqual([
      'not drawn: ESC { 01 at byte 0',
      'code page 99 is not known: ESC t 63 at byte 3',
      'drawn as a box: GS ( k 0300315130 at byte 6',
      'unknown printer command: ESC 0x7e at byte 14',
    ]);
  });

  it('becomes a picture even with signs that XML does not take', async () => {
    const paper = new Paper(384);
    for (const command of parse(bytes('\x1dk\x49\x03\x01&<\x7f&<>"\n\x1dV\x01')).commands) paper.apply(command);
    expect((await sharp(await renderSheet(paper.sheet)).metadata()).width).toBe(384 + 64);
  });
});
