/** A receipt in lines of a printer's grid: half-width characters take one column, full-width ones two. */
import type { ReceiptWords } from './receipt-words.ts';
import { wrapText } from './receipt-wrap.ts';

export interface ReceiptLine {
  /** Filled up with spaces on the left where it is centred; a rule of the whole width when null. */
  readonly text: string | null;
  readonly bold: boolean;
  /** Times as wide as usual; text twice as wide has half the columns. */
  readonly width: 1 | 2;
  readonly height: 1 | 2;
}

type Measure = (text: string) => number;

export function receiptLines(words: ReceiptWords, columns: number, measure: Measure): ReceiptLine[] {
  const lines: ReceiptLine[] = [];
  const put = (text: string | null, bold = false, width: 1 | 2 = 1, height: 1 | 2 = width) =>
    lines.push({ text, bold, width, height });
  const centred = (text: string, bold = false, width: 1 | 2 = 1) => {
    const room = Math.floor(columns / width);
    for (const line of wrapText(text, room, measure)) {
      put(' '.repeat(Math.floor((room - measure(line)) / 2)) + line, bold, width);
    }
  };
  centred('KAOPASS', true, 2);
  put('');
  centred(words.title, true);
  for (const line of words.header) centred(line);
  put(null);
  for (const row of words.rows) {
    if (row.kind === 'rule') {
      put(null);
      continue;
    }
    const total = row.kind === 'total';
    const wide = total && measure(row.left) + measure(row.right) < Math.floor(columns / 2);
    const room = wide ? Math.floor(columns / 2) : columns;
    const left = clip(row.left, room - measure(row.right) - 1, measure);
    const gap = ' '.repeat(Math.max(room - measure(left) - measure(row.right), 0));
    put(left + gap + row.right, total, wide ? 2 : 1, total ? 2 : 1);
    // Tall letters fill their line: the next one would touch them.
    if (total) put('');
  }
  put(null);
  for (const notice of words.notices) centred(notice);
  return lines;
}

function clip(text: string, room: number, measure: Measure): string {
  if (measure(text) <= room) return text;
  let kept = '';
  for (const character of text) {
    if (measure(kept + character) > room - 2) break;
    kept += character;
  }
  return `${kept}..`;
}
