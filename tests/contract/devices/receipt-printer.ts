/** What every receipt printer driver must do. */
import { describe, expect, it } from 'vitest';
import type { ReceiptPrinter } from '../../../src-main/devices/receipt-printer.ts';
import { patient } from './vocabulary.ts';

export interface PrinterRig {
  readonly printer: ReceiptPrinter;
  close(): Promise<void>;
}

export function receiptPrinterContract(name: string, open: () => Promise<PrinterRig>): void {
  const hello = new TextEncoder().encode('\x1b@Kaopass\n\x1dV\x01');
  describe(`receipt printer contract: ${name}`, () => {
    it('has paper, prints, and rejects with the reason of an aborted signal', async () => {
      const rig = await open();
      try {
        expect(['full', 'low']).toContain((await rig.printer.status(patient)).paper);
        expect(await rig.printer.print(hello, patient)).toEqual({ outcome: 'printed' });
        await expect(rig.printer.print(hello, AbortSignal.abort('left'))).rejects.toBe('left');
        expect(rig.printer.health().state).toBe('online');
      } finally {
        await rig.close();
      }
    });
  });
}
