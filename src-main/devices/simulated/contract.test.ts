/** The contract suites of tests/contract/devices against the simulated drivers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { barcodeScannerContract } from '../../../tests/contract/devices/barcode-scanner.ts';
import { cashAcceptorContract } from '../../../tests/contract/devices/cash-acceptor.ts';
import { cashDispenserContract } from '../../../tests/contract/devices/cash-dispenser.ts';
import { lightsContract } from '../../../tests/contract/devices/lights.ts';
import { pinPadContract } from '../../../tests/contract/devices/pin-pad.ts';
import { receiptPrinterContract } from '../../../tests/contract/devices/receipt-printer.ts';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { systemChance } from '../../clock.ts';
import { openSimulatedDevices, type SimulatedDevicesOptions } from './open.ts';

async function open(profile: SimulatedDevicesOptions['profile']) {
  const dir = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
  const simulated = await openSimulatedDevices({ dir, clock: new VirtualClock(), chance: systemChance, profile });
  return {
    ...simulated,
    close: async () => {
      await simulated.close();
      rmSync(dir, { recursive: true });
    },
  };
}
const done = async (deed: Promise<unknown>) => expect(await deed).toMatchObject({ ok: true });

cashDispenserContract('simulated', async () => {
  const { devices, control, close } = await open('atm');
  return { dispenser: devices.cashDispenser!, takeNotes: () => done(control.takeNotes()), close };
});

cashAcceptorContract('simulated', async () => {
  const { devices, control, close } = await open('atm');
  return {
    acceptor: devices.cashAcceptor!,
    insert: (notes, unrecognised = 0) => done(control.insertNotes(notes, { unrecognised })),
    takeReturned: () => done(control.takeReturned()),
    close,
  };
});

pinPadContract('simulated', async () => {
  const { devices, control, close } = await open('checkout');
  return { pinPad: devices.pinPad!, press: (keys) => done(control.pressKeys(keys, { waitMs: 1_000 })), close };
});

receiptPrinterContract('simulated', async () => {
  const { devices, control, close } = await open('checkout');
  return {
    printer: devices.receiptPrinter!,
    takePaper: () => void control.setPaper(0),
    putPaper: () => void control.setPaper(300),
    close,
  };
});

barcodeScannerContract('simulated', async () => {
  const { devices, control, close } = await open('checkout');
  return {
    scanner: devices.barcodeScanner!,
    show: async (text) => {
      await control.scan(text);
    },
    close,
  };
});

lightsContract('simulated', async () => {
  const { devices, close } = await open('gate');
  return { lights: devices.lights!, close };
});
