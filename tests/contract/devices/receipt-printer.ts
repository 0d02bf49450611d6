/** What every receipt printer driver must do. */
import { describe, expect, it } from 'vitest';
import type { ReceiptPrinter } from '../../../src-main/devices/receipt-printer.ts';
import { patient } from './vocabulary.ts';

export interface PrinterRig {
  readonly printer: ReceiptPrinter;
  /** Hands at the printer, where there are any. */
  readonly takePaper?: () => void | Promise<void>;
  readonly putPaper?: () => void | Promise<void>;
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
        await expect(rig.printer.status(AbortSignal.abort('left'))).rejects.toBe('left');
        expect(rig.printer.health().state).toBe('online');
      } finally {
        await rig.close();
      }
    });

    it('prints one receipt after the other, in the order of their coming', async () => {
      const rig = await open();
      try {
        const outcomes = await Promise.all([1, 2, 3].map(() => rig.printer.print(hello, patient)));
        expect(outcomes).toEqual([{ outcome: 'printed' }, { outcome: 'printed' }, { outcome: 'printed' }]);
      } finally {
        await rig.close();
      }
    });

    it('says that it is out of paper, prints nothing then, and prints again with a new roll', async ({ skip }) => {
      const rig = await open();
      try {
        const { printer, takePaper, putPaper } = rig;
        if (!takePaper || !putPaper) skip('nobody is there to take the paper out');
        const told: string[] = [];
        printer.onHealth(({ state }) => told.push(state));
        await takePaper!();
        expect((await printer.status(patient)).paper).toBe('out');
        expect(await printer.print(hello, patient)).toMatchObject({ outcome: 'failed', error: 'paperOut' });
        expect(printer.health().state).not.toBe('online');
        await putPaper!();
        expect((await printer.status(patient)).paper).toBe('full');
        expect(await printer.print(hello, patient)).toEqual({ outcome: 'printed' });
        expect(told).toEqual([expect.not.stringMatching('online'), 'online']);
      } finally {
        await rig.close();
      }
    });

    it('ends every wait when it is closed', async () => {
      const rig = await open();
      const printing = rig.printer.print(hello, patient).catch(() => 'rejected');
      await rig.close();
      await printing;
      await expect(rig.printer.print(hello, patient)).rejects.toThrow();
    });
  });
}
