/** The receipt printer, in XFS4IoT's words (Printer.PrintRaw). */
import type { Device } from './device.ts';
import type { ReceiptForm } from './receipt.ts';

export interface PrinterStatus {
  readonly paper: 'full' | 'low' | 'out' | 'jammed' | 'unknown';
}
export type PrintCompletion =
  | { readonly outcome: 'printed' }
  | {
      readonly outcome: 'failed';
      readonly error: 'paperOut' | 'paperJammed' | 'hardwareError' | 'noDevice';
      readonly message: string;
    };

export interface ReceiptPrinter extends Device {
  /** What receipts for it are made of; absent: the default of `encodeReceipt`. */
  readonly form?: ReceiptForm;
  status(signal: AbortSignal): Promise<PrinterStatus>;
  /** Prints ESC/POS bytes and cuts. */
  print(bytes: Uint8Array, signal: AbortSignal): Promise<PrintCompletion>;
}
