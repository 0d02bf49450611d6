/**
 * What a technician's test prints: text in the printer's own font, and a raster with Japanese and a scale, so that font, head and
 * cutter are all seen. It says in both languages that it is no receipt.
 */
import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import { withoutRealTimeCommands } from './receipt.ts';
import { drawReceipt } from './receipt-drawing.ts';

/** Font A, in dots. */
const COLUMN_DOTS = 12;

/** ESC/POS from initialisation to cut.
 *  @param widthDots what the printer prints across: 384, 512 or 576. */
export async function encodeTestSlip(terminalName: string, at: WallTimeMs, widthDots: number): Promise<Uint8Array> {
  const columns = Math.floor(widthDots / COLUMN_DOTS);
  const time = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'UTC' }).format(
    at,
  );
  const encoder = new ReceiptPrinterEncoder({
    language: 'esc-pos',
    columns,
    codepageMapping: 'epson',
    imageMode: 'raster',
    feedBeforeCut: 4,
  }).initialize();
  encoder.codepage('cp437').align('center').bold(true).line('PRINTER TEST').bold(false);
  encoder.line('This is not a receipt.').line(`${time} UTC`).align('left');
  encoder.line('1234567890'.repeat(5).slice(0, columns));
  const { pixels, height } = await drawReceipt(
    { title: '印字テスト', header: [terminalName], rows: [], notices: ['これは明細票ではありません。'] },
    widthDots,
  );
  encoder.image(
    { data: new Uint8ClampedArray(pixels), width: widthDots, height },
    { width: widthDots, height, algorithm: 'threshold', threshold: 160 },
  );
  return withoutRealTimeCommands(encoder.cut('partial').encode());
}
