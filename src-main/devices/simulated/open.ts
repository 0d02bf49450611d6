/** The simulated devices of one terminal, and the hands that use them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Chance, Clock } from '../../clock.ts';
import type { Devices } from '../devices.ts';
import { SimulatedBarcodeScanner } from './barcode-scanner.ts';
import { SimulatedCashAcceptor } from './cash-acceptor.ts';
import { SimulatedCashDispenser } from './cash-dispenser.ts';
import { CashModule } from './cash-module.ts';
import { DEFAULT_LOAD, type UnitLoad } from './cash-state.ts';
import { SimulatedControl } from './control.ts';
import { Faults } from './faults.ts';
import { SimulatedLights } from './lights.ts';
import { SimulatedPinPad } from './pin-pad.ts';
import { type PaperTray, SimulatedReceiptPrinter } from './receipt-printer.ts';

export interface SimulatedDevicesOptions {
  /** Holds cash.json and printer.json; made when missing. One process at a time. */
  readonly dir: string;
  readonly clock: Clock;
  readonly chance: Chance;
  /** atm: cash, PIN pad, printer, lights. checkout: PIN pad, printer, scanner, lights. gate: lights. */
  readonly profile: 'atm' | 'checkout' | 'gate';
  /** What the units hold when there is no cash.json yet. */
  readonly load?: readonly UnitLoad[];
  /** 1 is brisk hardware (a withdrawal takes about half a second); 10 is ten times as fast. */
  readonly speed?: number;
  /** Where receipts are kept; `<dir>/receipts` when not given. */
  readonly receiptsDir?: string;
  /** Takes the receipts instead. */
  readonly paperTray?: PaperTray;
}

export interface SimulatedDevices {
  readonly devices: Devices;
  readonly control: SimulatedControl;
  /** Cuts the power: motions stop where they are, and what they did so far is on disk. */
  close(): Promise<void>;
}

/** Throws DEVICE_FAILED naming the file when one on disk is damaged; never starts over with fresh counts. */
export async function openSimulatedDevices(options: SimulatedDevicesOptions): Promise<SimulatedDevices> {
  const { dir, clock, chance, profile } = options;
  mkdirSync(dir, { recursive: true });
  const faults = new Faults();
  const mechanics = { clock, faults, speed: options.speed ?? 1 };
  const served = profile !== 'gate';

  const cash = profile === 'atm' ? new CashModule(dir, options.load ?? DEFAULT_LOAD) : null;
  const cashDispenser = cash && new SimulatedCashDispenser(cash, mechanics);
  const cashAcceptor = cash && new SimulatedCashAcceptor(cash, mechanics);
  const pinPad = served ? new SimulatedPinPad({ ...mechanics, chance }) : null;
  const receiptPrinter = served
    ? new SimulatedReceiptPrinter(dir, options.receiptsDir ?? join(dir, 'receipts'), mechanics, options.paperTray)
    : null;
  const barcodeScanner = profile === 'checkout' ? new SimulatedBarcodeScanner(mechanics) : null;
  const lights = new SimulatedLights(mechanics);

  const mechanisms = [cashDispenser, cashAcceptor, pinPad, receiptPrinter, barcodeScanner, lights].filter(
    (device) => device !== null,
  );
  const control = new SimulatedControl({
    profile,
    clock,
    faults,
    cash,
    pinPad,
    printer: receiptPrinter,
    scanner: barcodeScanner,
    lights,
    mechanisms,
  });
  return {
    devices: { cashDispenser, cashAcceptor, pinPad, receiptPrinter, barcodeScanner, lights },
    control,
    close: async () => {
      control.close();
      await Promise.all(mechanisms.map((device) => device.close()));
    },
  };
}
