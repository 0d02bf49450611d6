/** Opens an ESC/POS printer and the drawer that hangs on it. docs/printers.md says how to connect each kind. */
import type { Clock } from '../../clock.ts';
import type { CashDrawer } from '../cash-drawer.ts';
import type { ReceiptForm } from '../receipt.ts';
import type { ReceiptPrinter } from '../receipt-printer.ts';
import { type DrawerSettings, EscPosDrawer } from './cash-drawer.ts';
import type { JobLog } from './job.ts';
import type { PrinterLine } from './line.ts';
import { EscPosPrinter } from './receipt-printer.ts';
import { serialLine } from './serial-line.ts';
import { tcpLine } from './tcp-line.ts';
import { usbLine } from './usb-line.ts';

export type PrinterLineSettings =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'usb'; readonly path: string }
  | {
      readonly kind: 'serial';
      readonly path: string;
      readonly baudRate: number;
      /** Default "rtscts", as TM printers leave the factory (DTR/DSR). */
      readonly flowControl?: 'rtscts' | 'xonxoff' | 'none';
    };

export interface OpenEscPosOptions extends ReceiptForm {
  readonly line: PrinterLineSettings;
  /** Absent or null: no drawer hangs on this printer. */
  readonly drawer?: DrawerSettings | null;
  readonly clock: Clock;
  /** Told what a technician may want to read later. No receipt's content is in it. */
  readonly log: JobLog;
}

/**
 * Resolves after the first try to connect, at most a few seconds, whether or not it succeeded: a terminal starts without its printer, whose
 * health says what is wrong and which connects by itself when it appears. Closing the printer closes the drawer.
 */
export async function openEscPosPrinter(
  options: OpenEscPosOptions,
): Promise<ReceiptPrinter & { readonly drawer: CashDrawer | null }> {
  const { text, widthDots, clock, log } = options;
  const printer = new EscPosPrinter({ line: lineOf(options.line, clock), form: { text, widthDots }, clock, log });
  const drawer = options.drawer ? new EscPosDrawer(printer, options.drawer, clock) : null;
  await printer.tried();
  return Object.assign(printer, { drawer });
}

function lineOf(line: PrinterLineSettings, clock: Clock): PrinterLine {
  switch (line.kind) {
    case 'tcp':
      return tcpLine(line.host, line.port, clock);
    case 'usb':
      return usbLine(line.path, clock);
    case 'serial':
      return serialLine(line, clock);
  }
}
