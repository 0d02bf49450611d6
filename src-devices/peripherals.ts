/** Every device of a machine that is not cash, over the machine's folder. */
import { join } from 'node:path';
import { z } from 'zod';
import { BarcodeReader } from './barcode/barcode-reader.ts';
import { BiometricUnit } from './biometric/biometric-unit.ts';
import { CameraState, cameraBroken, NEW_CAMERA, SecurityCamera } from './camera/security-camera.ts';
import type { Chance } from './clock.ts';
import type { FaultKind } from './faults.ts';
import { GuideLights, lightFailure } from './lights/guide-lights.ts';
import { PinKey } from './pin/keys.ts';
import { PinDevice } from './pin/pin-device.ts';
import { PIN_FAULTS } from './pin/pin-faults.ts';
import { PRINTER_FAULTS } from './printer/printer-faults.ts';
import { NEW_PRINTER, PrinterState } from './printer/printer-state.ts';
import { ReceiptPrinter } from './printer/receipt-printer.ts';
import { Receipts } from './printer/receipts.ts';
import type { Runtime, Service } from './service.ts';
import { StateFile } from './state-file.ts';

export interface Peripherals {
  readonly pin: PinDevice;
  readonly printer: ReceiptPrinter;
  readonly barcode: BarcodeReader;
  readonly lights: GuideLights;
  readonly camera: SecurityCamera;
  readonly biometric: BiometricUnit;
}

export const PERIPHERAL_FAULTS: readonly FaultKind[] = [...PIN_FAULTS, ...PRINTER_FAULTS, lightFailure, cameraBroken];

/** Where lights are, in the standard's names: what a customer of an ATM or of a self-checkout is led to. */
const LIGHTS = ['pinPad', 'notesDispenser', 'billAcceptor', 'receiptPrinter', 'scanner', 'statusGood', 'fasciaLight'];

/** Throws an Error that names the file when a state is damaged. */
export function openPeripherals(
  runtime: Runtime,
  stateDir: string,
  chance: Chance,
): { readonly services: readonly Service[]; readonly hands: Peripherals } {
  const keys = StateFile.open<readonly PinKey[]>(stateDir, 'pin-keys', z.array(PinKey), () => []);
  const paper = StateFile.open<PrinterState>(stateDir, 'printer', PrinterState, () => NEW_PRINTER);
  const hands: Peripherals = {
    pin: new PinDevice({ runtime, chance, keys }),
    printer: new ReceiptPrinter({ runtime, state: paper, receipts: new Receipts(join(stateDir, 'receipts')) }),
    barcode: new BarcodeReader(runtime),
    lights: new GuideLights(runtime, LIGHTS),
    camera: new SecurityCamera(
      runtime,
      StateFile.open(stateDir, 'camera', CameraState, () => NEW_CAMERA),
    ),
    biometric: new BiometricUnit(runtime),
  };
  return { services: Object.values(hands).map(({ service }) => service), hands };
}
