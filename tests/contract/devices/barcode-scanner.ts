/** What every barcode scanner driver must do. The rig's hands show it a code. */
import { describe, expect, it } from 'vitest';
import type { Barcode, BarcodeScanner } from '../../../src-main/devices/barcode-scanner.ts';

export interface ScannerRig {
  readonly scanner: BarcodeScanner;
  show(text: string): Promise<void>;
  close(): Promise<void>;
}

export function barcodeScannerContract(name: string, open: () => Promise<ScannerRig>): void {
  describe(`barcode scanner contract: ${name}`, () => {
    it('tells every code to whoever listens, and nothing afterwards', async () => {
      const rig = await open();
      try {
        const heard: Barcode[] = [];
        const stop = rig.scanner.onBarcode((barcode) => heard.push(barcode));
        await rig.show('4901234567894');
        stop();
        await rig.show('4901234567894');
        expect(heard).toEqual([{ symbology: 'ean13', text: '4901234567894' }]);
      } finally {
        await rig.close();
      }
    });
  });
}
