/** The barcode scanner, in XFS4IoT's words (BarcodeReader.Read), as a stream: a checkout never stops listening. */
import type { Device } from './device.ts';

export interface Barcode {
  readonly symbology: 'ean13' | 'ean8' | 'upca' | 'code128' | 'qr' | 'unknown';
  readonly text: string;
}

export interface BarcodeScanner extends Device {
  /** Calls back for each code read while listening. Returns how to stop. */
  onBarcode(listener: (barcode: Barcode) => void): () => void;
}
