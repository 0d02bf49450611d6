/**
 * A receipt: what it says, as a value, and its ESC/POS bytes in the form that a printer can take. Text that its own font has goes as
 * text, which prints fast and sharp; anything else is drawn here and goes as raster, so that no printer needs a kanji font.
 */
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder';
import { z } from 'zod';
import { Language, Money, Service, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { BasketLine } from '../../src-contract/screen.ts';
import { drawReceipt } from './receipt-drawing.ts';
import { receiptLines } from './receipt-lines.ts';
import { type ReceiptWords, receiptWords } from './receipt-words.ts';
import { columnsOf, encodeShiftJis } from './shift-jis.ts';

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
  /** Of a transfer: the account it went to. */
  payeeEnding: z
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

/** What a printer can do with text, and how wide it prints. */
export interface ReceiptForm {
  /**
   * "codepage": text of code page 437, and a drawing where that has no letters for it. "kanji": the printer has a kanji font; text goes
   * as Shift_JIS. "raster": everything is drawn, for a printer whose letters nobody wants to read.
   */
  readonly text: 'kanji' | 'codepage' | 'raster';
  /** Dots across: 384 on 58 mm paper, 512 or 576 on 80 mm. */
  readonly widthDots: 384 | 512 | 576;
}

const FORM_DEFAULT: ReceiptForm = { text: 'codepage', widthDots: 576 };
/** Font A, in dots. */
const COLUMN_DOTS = 12;
/** Rows drawn into the encoder at once; bounds the memory of one call. */
const RASTER_ROWS_MAX = 2_048;

type Encoder = InstanceType<typeof ReceiptPrinterEncoder>;

/** The receipt as ESC/POS for such a printer, from initialisation to cut. Throws ZodError for a value that is no receipt. */
export async function encodeReceipt(
  receipt: z.input<typeof Receipt>,
  form: ReceiptForm = FORM_DEFAULT,
): Promise<Uint8Array> {
  const words = receiptWords(Receipt.parse(receipt));
  const encoder = new ReceiptPrinterEncoder({
    language: 'esc-pos',
    columns: Math.floor(form.widthDots / COLUMN_DOTS),
    codepageMapping: 'epson',
    imageMode: 'raster',
    feedBeforeCut: 4,
  }).initialize();
  const text =
    form.text === 'kanji' ? asKanji(encoder, words) : form.text === 'codepage' ? asCodepage(encoder, words) : null;
  return text ?? (await asRaster(encoder, words, form.widthDots));
}

/** Null when the code page lacks a letter. */
function asCodepage(encoder: Encoder, words: ReceiptWords): Uint8Array | null {
  const lines = receiptLines(words, encoder.columns, (text) => [...text].length);
  if (!lines.every(({ text }) => /^[\x20-\x7e¥]*$/.test(text ?? ''))) return null;
  encoder.codepage('cp437');
  for (const { text, bold, width, height } of lines) {
    if (text === null) encoder.rule();
    else if (bold) encoder.bold(true).size(width, height).line(text).size(1, 1).bold(false);
    else encoder.line(text);
  }
  return encoder.cut('partial').encode();
}

/** FS C 1 and FS &: two bytes of Shift_JIS are one kanji from here on. */
const KANJI_MODE = [0x1c, 0x43, 1, 0x1c, 0x26];

/** Null when the kanji font lacks a character. The encoder has no Shift_JIS of two bytes, so the lines go past its composer. */
function asKanji(encoder: Encoder, words: ReceiptWords): Uint8Array | null {
  encoder.raw(KANJI_MODE);
  for (const { text, bold, width, height } of receiptLines(words, encoder.columns, columnsOf)) {
    const bytes = encodeShiftJis(text ?? '─'.repeat(Math.floor(encoder.columns / 2)));
    if (!bytes) return null;
    const size = ((width - 1) << 4) | (height - 1);
    encoder.raw([0x1b, 0x45, bold ? 1 : 0, 0x1d, 0x21, size, ...bytes, 0x0a]);
  }
  return encoder.raw([0x1b, 0x45, 0, 0x1d, 0x21, 0, 0x1c, 0x2e]).cut('partial').encode();
}

async function asRaster(encoder: Encoder, words: ReceiptWords, width: number): Promise<Uint8Array> {
  const { pixels, height } = await drawReceipt(words, width);
  encoder.lineSpacing('none');
  for (let top = 0; top < height; top += RASTER_ROWS_MAX) {
    const rows = Math.min(RASTER_ROWS_MAX, height - top);
    const data = pixels.subarray(top * width * 4, (top + rows) * width * 4);
    encoder.image(
      { data: new Uint8ClampedArray(data), width, height: rows },
      { width, height: rows, algorithm: 'threshold', threshold: 160 },
    );
  }
  return withoutRealTimeCommands(encoder.lineSpacing('default').cut('partial').encode());
}

/**
 * Printers obey real-time commands wherever the bytes stand, in the dots of a picture too (ESC/POS reference, DLE EOT, DLE ENQ, DLE DC4:
 * notes): 10h 14h 01h would open the cash drawer. One more dot makes them harmless. For what the encoder makes of text and rasters: nothing but dots
 * has a 10h there, for rasters are of 48, 64 or 72 bytes and at most 255 rows, and no row count is followed by one of these.
 */
export function withoutRealTimeCommands(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) =>
    bytes[at - 1] === 0x10 && (byte === 4 || byte === 5 || byte === 0x14) ? byte | 0x20 : byte,
  );
}
