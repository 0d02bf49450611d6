import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { money } from '../../src-contract/primitives.ts';
import { Paper } from './escpos/paper.ts';
import { CommandParser } from './escpos/parser.ts';
import { renderReceipt } from './escpos/picture.ts';
import { RealTimeScanner } from './escpos/virtual/real-time.ts';
import { encodeReceipt, Receipt } from './receipt.ts';
import { unwrapWoff } from './receipt-font.ts';
import { receiptLines } from './receipt-lines.ts';
import { formatMoney, receiptWords } from './receipt-words.ts';
import { columnsOf, encodeShiftJis } from './shift-jis.ts';

type ReceiptInput = z.input<typeof Receipt>;
const withdrawal: ReceiptInput = {
  language: 'en',
  terminalName: 'ATM 1',
  service: 'withdraw',
  transactionId: '01935b1e-8c2a-7f3e-9a1b-3c4d5e6f7a8b',
  at: 1_795_372_985_000 as ReceiptInput['at'],
  amount: money(30_000),
  balance: money(1_234_567),
  accountEnding: '4821',
};
function paperOf(bytes: Uint8Array, widthDots: number): Paper {
  const parser = new CommandParser();
  parser.push(bytes);
  const paper = new Paper(widthDots);
  for (let command = parser.next(); command; command = parser.next()) paper.apply(command);
  return paper;
}
const ink = async (png: Buffer) => 255 - ((await sharp(png).greyscale().stats()).channels[0]?.mean ?? 255);

describe('receipt', () => {
  it('says amount, balance, account ending, reference and Japanese time, in both languages', () => {
    const ja = receiptWords(Receipt.parse({ ...withdrawal, language: 'ja' }));
    expect(ja.title).toBe('お引き出し ご利用明細票');
    expect(ja.header[0]).toBe('2026年11月23日 03:43');
    expect(ja.rows.map((row) => [row.left, row.right])).toEqual([
      ['お引き出し金額', '￥30,000'],
      ['お取引後残高', '￥1,234,567'],
      ['口座番号', '**** 4821'],
      ['取扱番号', '5E6F7A8B'],
    ]);
    const en = receiptWords(Receipt.parse(withdrawal));
    expect(en.header[0]).toBe('23 Nov 2026, 03:43');
    expect(en.rows[0]).toEqual({ kind: 'total', left: 'Paid out', right: '¥30,000' });
    expect(formatMoney({ ...money(1_050), currency: 'EUR' }, 'en')).toBe('€10.50');
  });

  it('of a transfer says which account was paid by its last four digits alone', () => {
    const transfer = { ...withdrawal, service: 'transfer', payeeEnding: '0937' } as const;
    const ja = receiptWords(Receipt.parse({ ...transfer, language: 'ja' }));
    expect(ja.title).toBe('お振り込み ご利用明細票');
    expect(ja.rows.map((row) => [row.left, row.right]).slice(0, 4)).toEqual([
      ['お振り込み金額', '￥30,000'],
      ['お振り込み先口座', '**** 0937'],
      ['お取引後残高', '￥1,234,567'],
      ['口座番号', '**** 4821'],
    ]);
    expect(receiptWords(Receipt.parse(transfer)).rows[1]).toMatchObject({
      left: 'Paid to account',
      right: '**** 0937',
    });
    expect(Receipt.safeParse({ ...transfer, payeeEnding: '1234567890' }).success).toBe(false);
  });

  it('says what stand-in means and that a demonstration is none of it real', () => {
    const { notices } = receiptWords(Receipt.parse({ ...withdrawal, standIn: true, demonstration: true }));
    expect(notices.join(' ')).toMatch(/could not be reached.*booked later.*Not a real transaction/);
    expect(receiptWords(Receipt.parse(withdrawal)).notices).toEqual(['Thank you.']);
  });

  it('sends English as text of the printer and Japanese as raster', async () => {
    const en = Buffer.from(await encodeReceipt(withdrawal));
    expect(en.toString('latin1')).toContain('Paid out');
    // Code page 437 has the yen sign at 0x9D.
    expect(en.includes(Buffer.from('\x9d30,000', 'latin1'))).toBe(true);
    expect(en.includes(Buffer.from('\x1dv0', 'latin1'))).toBe(false);
    const ja = Buffer.from(await encodeReceipt({ ...withdrawal, language: 'ja' }));
    expect(ja.includes(Buffer.from('\x1dv0\x00\x48\x00', 'latin1'))).toBe(true);
    for (const bytes of [en, ja]) {
      expect(bytes.subarray(0, 2)).toEqual(Buffer.from('\x1b@'));
      expect(bytes.includes(Buffer.from('\x1dV\x01', 'latin1'))).toBe(true);
    }
  });

  it('sends Japanese as Shift_JIS to a printer with a kanji font', async () => {
    const form = { text: 'kanji', widthDots: 384 } as const;
    const ja = Buffer.from(await encodeReceipt({ ...withdrawal, language: 'ja' }, form));
    // FS C 1, FS &, and 「取引」 as two bytes a character.
    expect(ja.includes(Buffer.from('1c43011c26', 'hex'))).toBe(true);
    expect(ja.includes(Buffer.from('8ee688b5', 'hex'))).toBe(true);
    expect(ja.includes(Buffer.from('\x1dv0', 'latin1'))).toBe(false);
    const unknown = Buffer.from(await encodeReceipt({ ...withdrawal, terminalName: '𠮷野家前' }, form));
    expect(unknown.includes(Buffer.from('\x1dv0', 'latin1'))).toBe(true);
  });

  it.each([384, 512, 576] as const)('keeps within %i dots, in every form and language', async (widthDots) => {
    for (const text of ['kanji', 'codepage', 'raster'] as const) {
      for (const language of ['ja', 'en'] as const) {
        const names = {
          ja: 'とても長い名前の商品 '.repeat(5),
          en: 'An article with a very long name '.repeat(2).slice(0, 60),
        };
        const lines = [{ names, unitPrice: money(1_234_567), quantity: 9 }];
        const bytes = await encodeReceipt({ ...withdrawal, language, lines, standIn: true }, { text, widthDots });
        const paper = paperOf(bytes, widthDots);
        // A picture or a command that does not fit is a problem.
        expect(paper.problems).toEqual([]);
        expect(paper.sheet.marks.length).toBeGreaterThan(2);
        const columns = Math.floor(widthDots / 12);
        const words = receiptWords(Receipt.parse({ ...withdrawal, language, lines, standIn: true }));
        for (const line of receiptLines(words, columns, columnsOf)) {
          expect(columnsOf(line.text ?? '') * line.width).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it('draws no dots that a printer would take for a real-time command, such as the one that opens the drawer', async () => {
    const found: string[] = [];
    for (const size of [384, 512, 576] as const) {
      for (let index = 0; index < 8; index += 1) {
        const bytes = await encodeReceipt(
          { ...withdrawal, terminalName: `支店 ${index * 997}`, language: 'ja' },
          { text: 'raster', widthDots: size },
        );
        new RealTimeScanner((name) => found.push(name)).push(bytes);
      }
    }
    expect(found).toEqual([]);
  });

  it('draws a text the printer has no letters for, though the customer chose English', async () => {
    const bytes = Buffer.from(await encodeReceipt({ ...withdrawal, terminalName: '本店 1' }));
    expect(bytes.includes(Buffer.from('\x1dv0', 'latin1'))).toBe(true);
  });

  it('cuts a basket of a hundred lines into rasters the printer can take', async () => {
    const line = { names: { ja: 'おにぎり', en: 'Rice ball' }, unitPrice: money(160), quantity: 2 };
    const lines = Array.from({ length: 100 }, () => line);
    const bytes = await encodeReceipt({ ...withdrawal, service: 'purchase', language: 'ja', lines });
    const { height } = await sharp(await renderReceipt(bytes)).metadata();
    expect(height).toBeGreaterThan(7_000);
  });

  it('refuses a value that is no receipt, naming the field', async () => {
    await expect(encodeReceipt({ ...withdrawal, accountEnding: '12345' })).rejects.toThrow('accountEnding');
  });
});

describe('picture of a receipt', () => {
  it('shows ink for both languages, on paper 80 mm wide', async () => {
    for (const language of ['ja', 'en'] as const) {
      const png = await renderReceipt(await encodeReceipt({ ...withdrawal, language }));
      expect((await sharp(png).metadata()).width).toBe(640);
      expect(await ink(png)).toBeGreaterThan(4);
    }
  });

  it('shows a raster dot for dot, in its place', async () => {
    const raster = Uint8Array.from([
      0x1b, 0x40, 0x1b, 0x61, 2, 0x1d, 0x76, 0x30, 0, 1, 0, 2, 0, 0b1000_0001, 0b0111_1110,
    ]);
    const { data, info } = await sharp(await renderReceipt(raster))
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const dots = [0, 1].map((row) =>
      Array.from({ length: 8 }, (_, column) => (data[(32 + row) * info.width + 32 + 568 + column]! < 128 ? 1 : 0)),
    );
    expect(dots).toEqual([
      [1, 0, 0, 0, 0, 0, 0, 1],
      [0, 1, 1, 1, 1, 1, 1, 0],
    ]);
  });

  it('names the byte at which it meets a command it does not know, an end too early, or a raster too wide', async () => {
    await expect(renderReceipt(Uint8Array.of(0x1b, 0x40, 0x1b, 0x7e))).rejects.toThrow('0x7e at byte 2');
    await expect(renderReceipt(Uint8Array.of(0x1d, 0x76, 0x30, 0, 1, 0, 9, 0, 1))).rejects.toThrow('ends inside');
    const wide = [0x1d, 0x76, 0x30, 0, 255, 0, 1, 0, ...Array.from({ length: 255 }, () => 0)];
    await expect(renderReceipt(Uint8Array.from(wide))).rejects.toThrow('2040×1');
  });

  it('is the same whatever fonts a machine has: none, or a Japanese one of its own', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kaopass-fonts-'));
    mkdirSync(join(dir, 'fonts'));
    const black = unwrapWoff(
      readFileSync(
        createRequire(import.meta.url).resolve('@fontsource/noto-sans-jp/files/noto-sans-jp-japanese-900-normal.woff'),
      ),
    );
    const nameOf = (family: string) => Buffer.from(family, 'utf16le').swap16();
    for (let at = black.indexOf(nameOf('Noto Sans')); at >= 0; at = black.indexOf(nameOf('Noto Sans')))
      nameOf('Some Sans').copy(black, at);
    // OS/2 table, usWeightClass: it says of itself that it is regular, so that nothing but its family tells against it.
    black.writeUInt16BE(400, black.readUInt32BE(black.indexOf('OS/2', 12, 'latin1') + 8) + 4);
    writeFileSync(join(dir, 'fonts', 'some-sans.otf'), black);
    const script = `
      import { createHash } from 'node:crypto';
      const { encodeReceipt } = await import(${JSON.stringify(new URL('./receipt.ts', import.meta.url).href)});
      const bytes = await encodeReceipt(${JSON.stringify({ ...withdrawal, language: 'ja' })});
      process.stdout.write(createHash('sha256').update(bytes).digest('hex'));`;
    const here = await encodeReceipt({ ...withdrawal, language: 'ja' });
    // As a distribution does: what the machine prefers stands behind every family asked for.
    const theirs = `<dir>${dir}/fonts</dir><match target="pattern"><edit name="family" mode="append_last"><string>Some Sans JP Thin</string></edit></match>`;
    for (const fonts of ['', theirs]) {
      const conf = join(dir, 'fonts.conf');
      writeFileSync(conf, `<?xml version="1.0"?><fontconfig>${fonts}<cachedir>${dir}/cache</cachedir></fontconfig>`);
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, FONTCONFIG_FILE: conf },
      });
      expect(stdout).toBe(createHash('sha256').update(here).digest('hex'));
    }
    rmSync(dir, { recursive: true });
  });

  it('takes no font that is not WOFF', () => {
    expect(() => unwrapWoff(Buffer.from('OTTO'))).toThrow('not a WOFF');
    expect(() => unwrapWoff(Buffer.alloc(100))).toThrow('not a WOFF');
  });
});

describe('Shift_JIS', () => {
  it('is what its decoder reads back, for every character it takes', () => {
    const text = '顔パス、お引き出し￥30,000〜ｶｵ①髙ー';
    const decoded = new TextDecoder('shift_jis').decode(encodeShiftJis(text)!);
    expect(decoded).toBe(text.replace('〜', '～'));
    expect(encodeShiftJis('¥')).toEqual(Uint8Array.of(0x81, 0x8f));
    expect(encodeShiftJis('😀')).toBeNull();
    // A backslash would be printed as a yen sign.
    expect(encodeShiftJis('\\')).toBeNull();
    expect(columnsOf('顔Aｶ')).toBe(4);
  });
});
