/** A hand or counter scanner. Symbology is told from the text as far as check digits allow (GS1 General Specifications, 7.9). */
import type { Barcode, BarcodeScanner } from '../barcode-scanner.ts';
import { Mechanism, type MechanismOptions } from './mechanism.ts';

const READ_MS = 60;

export class SimulatedBarcodeScanner extends Mechanism implements BarcodeScanner {
  readonly #barcodeListeners = new Set<(barcode: Barcode) => void>();

  constructor(options: MechanismOptions) {
    super('barcode-scanner', options);
  }

  onBarcode(listener: (barcode: Barcode) => void): () => void {
    this.#barcodeListeners.add(listener);
    return () => this.#barcodeListeners.delete(listener);
  }

  /** Shows the scanner a code. False when it is gone or nobody listens. */
  async scan(text: string): Promise<boolean> {
    await this.step(READ_MS);
    if (this.isGone() || this.#barcodeListeners.size === 0) return false;
    const barcode = { symbology: symbologyOf(text), text };
    for (const listener of [...this.#barcodeListeners]) listener(barcode);
    return true;
  }
}

function symbologyOf(text: string): Barcode['symbology'] {
  if (/^\d+$/.test(text) && gs1CheckDigitFits(text)) {
    if (text.length === 13) return 'ean13';
    if (text.length === 8) return 'ean8';
    if (text.length === 12) return 'upca';
  }
  if (text.length > 80) return 'qr';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Code 128 carries ASCII, its control characters too.
  return /^[\x00-\x7f]+$/.test(text) ? 'code128' : 'qr';
}

function gs1CheckDigitFits(digits: string): boolean {
  const sum = [...digits]
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}
