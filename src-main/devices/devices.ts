/** The devices one terminal has. A profile without cash has null there, and offers no service that needs it. */
import type { BarcodeScanner } from './barcode-scanner.ts';
import type { CashAcceptor } from './cash-acceptor.ts';
import type { CashDispenser } from './cash-dispenser.ts';
import type { Lights } from './lights.ts';
import type { PinPad } from './pin-pad.ts';
import type { ReceiptPrinter } from './receipt-printer.ts';

export interface Devices {
  readonly cashDispenser: CashDispenser | null;
  readonly cashAcceptor: CashAcceptor | null;
  readonly pinPad: PinPad | null;
  readonly receiptPrinter: ReceiptPrinter | null;
  readonly barcodeScanner: BarcodeScanner | null;
  readonly lights: Lights | null;
}
