/** The HID devices of one terminal: which there are, and the drivers of those that the configuration names. */
import type { Chance, Clock } from '../../clock.ts';
import type { BarcodeScanner } from '../barcode-scanner.ts';
import type { Lights } from '../lights.ts';
import type { PinPad } from '../pin-pad.ts';
import { HidBarcodeScanner } from './barcode-scanner.ts';
import type { HidBus } from './bus.ts';
import type { HidConfig } from './config.ts';
import type { HidLog } from './connection.ts';
import { HidLights } from './lights.ts';
import { HidPinPad } from './pin-pad.ts';
import { ScannerGroup } from './scanner-group.ts';

export interface OpenHidOptions {
  readonly bus: HidBus;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: HidLog;
  readonly config: HidConfig;
}

export interface HidDevices {
  /** Null: the configuration names none. One that is configured and missing is there, with its problem in health(). */
  readonly pinPad: PinPad | null;
  readonly barcodeScanner: BarcodeScanner | null;
  readonly lights: Lights | null;
  close(): Promise<void>;
}

/** Resolves when each configured device was looked for once. Never rejects for a device: its health tells what is wrong. */
export async function openHidDevices(options: OpenHidOptions): Promise<HidDevices> {
  const { config } = options;
  const pinPad = config.pinPad && new HidPinPad({ ...options, config: config.pinPad });
  const lights = config.lights && new HidLights({ ...options, config: config.lights });
  const scanners = config.barcodeScanners.map(
    (scanner, index, { length }) =>
      new HidBarcodeScanner({
        ...options,
        config: scanner,
        name: length === 1 ? 'barcode-scanner' : `barcode-scanner-${index + 1}`,
      }),
  );
  const all = [pinPad, lights, ...scanners].filter((device) => device !== null);
  await Promise.all(all.map((device) => device.connection.start()));
  return {
    pinPad,
    barcodeScanner: scanners.length > 1 ? new ScannerGroup(scanners) : (scanners[0] ?? null),
    lights,
    close: async () => {
      await Promise.all(all.map((device) => device.close()));
    },
  };
}
