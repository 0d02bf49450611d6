/**
 * A receipt: what it says, as a value, and its ESC/POS bytes for 80 mm paper (576 dots, 48 columns of font A). Text that the
 * printer's own font (code page 437) has goes as text, which prints fast and sharp; anything else, Japanese above all, is
 * drawn here and goes as raster, so that no printer needs a kanji font of ours or theirs.
 */
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder';
import { z } from 'zod';
import { Language, Money, Service, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { BasketLine } from '../../src-contract/screen.ts';
import { drawReceipt } from './receipt-drawing.ts';
import { type ReceiptWords, receiptWords } from './receipt-words.ts';

/** What a receipt tells. No name and no account number: paper is left lying about. */
export const Receipt = z.strictObject({
  language: Language,
  terminalName: z.string().min(1).max(60),
  service: Service,
  transactionId: Uuid,
  at: WallTimeMs,
  /** What was bought; empty for anything but a purchase. */
  lines: z
    .array(BasketLine.omit({ lineId: true }))
    .max(100)
    .default([]),
  /** Null where no money moved (enrolment, balance). */
  amount: Money.nullable(),
  /** What is left in the account; null where the bank did not say. */
  balance: Money.nullable().default(null),
  accountEnding: z
    .string()
    .regex(/^\d{4}$/)
    .nullable()
    .default(null),
  /** Approved by the terminal because the bank could not be asked: the receipt says that it will be booked later. */
  standIn: z.boolean().default(false),
  /** Printed by a demonstration; the receipt says that it is not worth money. */
  demonstration: z.boolean().default(false),
});
export type Receipt = z.infer<typeof Receipt>;

export const PAPER_DOTS = 576;
export const PAPER_COLUMNS = 48;
/** Rows of one raster command: printers of the TM series take up to 2,303 (ESC/POS reference, GS v 0). */
const RASTER_ROWS_MAX = 2_048;

/** The receipt as ESC/POS, from initialisation to cut. Throws ZodError for a value that is no receipt. */
export async function encodeReceipt(receipt: z.input<typeof Receipt>): Promise<Uint8Array> {
  const words = receiptWords(Receipt.parse(receipt));
  const encoder = new ReceiptPrinterEncoder({
    language: 'esc-pos',
    columns: PAPER_COLUMNS,
    codepageMapping: 'epson',
    imageMode: 'raster',
    feedBeforeCut: 4,
  }).initialize();
  const printable = [
    words.title,
    ...words.header,
    ...words.rows.flatMap(({ left, right }) => [left, right]),
    ...words.notices,
  ]
    .join('')
    .match(/^[\x20-\x7e¥]*$/);
  return printable ? asText(encoder, words) : await asRaster(encoder, words);
}

type Encoder = InstanceType<typeof ReceiptPrinterEncoder>;

function asText(encoder: Encoder, words: ReceiptWords): Uint8Array {
  encoder.codepage('cp437').align('center').bold(true).size(2, 2).line('KAOPASS').size(1, 1).bold(false);
  encoder.newline().bold(true).line(words.title).bold(false);
  for (const line of words.header) encoder.line(line);
  encoder.align('left').rule();
  for (const row of words.rows) {
    if (row.kind === 'rule') {
      encoder.rule();
      continue;
    }
    const tall = row.kind === 'total';
    // Double width halves the columns; the amount keeps its place at the right edge.
    const columns = tall ? PAPER_COLUMNS / 2 : PAPER_COLUMNS;
    const room = columns - row.right.length - 1;
    const left = row.left.length > room ? `${row.left.slice(0, room - 2)}..` : row.left;
    if (tall) encoder.bold(true).size(2, 2);
    encoder.line(left.padEnd(columns - row.right.length) + row.right);
    if (tall) encoder.size(1, 1).bold(false);
  }
  encoder.rule().align('center');
  for (const notice of words.notices) for (const line of wrap(notice, PAPER_COLUMNS)) encoder.line(line);
  return encoder.cut('partial').encode();
}

async function asRaster(encoder: Encoder, words: ReceiptWords): Promise<Uint8Array> {
  const { pixels, height } = await drawReceipt(words, PAPER_DOTS);
  encoder.lineSpacing('none');
  for (let top = 0; top < height; top += RASTER_ROWS_MAX) {
    const rows = Math.min(RASTER_ROWS_MAX, height - top);
    const data = pixels.subarray(top * PAPER_DOTS * 4, (top + rows) * PAPER_DOTS * 4);
    encoder.image(
      { data: new Uint8ClampedArray(data), width: PAPER_DOTS, height: rows },
      { width: PAPER_DOTS, height: rows, algorithm: 'threshold', threshold: 160 },
    );
  }
  return encoder.lineSpacing('default').cut('partial').encode();
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + word.length + 1 > columns) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}
