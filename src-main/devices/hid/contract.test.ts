/** The contract suites of tests/contract/devices against the HID drivers, over a scripted bus. */
import { pino } from 'pino';
import { barcodeScannerContract } from '../../../tests/contract/devices/barcode-scanner.ts';
import { lightsContract } from '../../../tests/contract/devices/lights.ts';
import { pinPadContract } from '../../../tests/contract/devices/pin-pad.ts';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { bootReport, POS_SCANNER, posReport, relayBoard, usagesOf } from '../../../tests/support/hid-hands.ts';
import { systemChance } from '../../clock.ts';
import { HidConfig } from './config.ts';
import { openHidDevices } from './open.ts';

async function open(bus: ScriptedHidBus, config: unknown) {
  const clock = new VirtualClock();
  const log = pino({ level: 'silent' });
  const devices = await openHidDevices({ bus, clock, chance: systemChance, log, config: HidConfig.parse(config) });
  return { ...devices, clock };
}

pinPadContract('HID keypad', async () => {
  const bus = new ScriptedHidBus();
  bus.plug(KEYPAD);
  const { pinPad, clock, close } = await open(bus, { pinPad: { vendorId: '04d9', productId: 'a070' } });
  return {
    pinPad: pinPad!,
    press: async (keys) => {
      for (const usage of usagesOf(keys)) {
        await clock.sleep(40, patient);
        bus.report(KEYPAD.path, bootReport(usage));
        await clock.sleep(40, patient);
        bus.report(KEYPAD.path, bootReport());
      }
    },
    close,
  };
});

barcodeScannerContract('HID POS scanner', async () => {
  const bus = new ScriptedHidBus();
  bus.plug(POS_SCANNER);
  const { barcodeScanner, close } = await open(bus, { barcodeScanners: [{}] });
  return {
    scanner: barcodeScanner!,
    show: async (text) => {
      bus.report(POS_SCANNER.path, posReport(']E0', text));
    },
    close,
  };
});

barcodeScannerContract('HID scanner in keyboard mode', async () => {
  const bus = new ScriptedHidBus();
  bus.plug(KEYPAD);
  const config = { vendorId: '04d9', productId: 'a070', mode: 'keyboard' };
  const { barcodeScanner, close } = await open(bus, { barcodeScanners: [config] });
  return {
    scanner: barcodeScanner!,
    show: async (text) => {
      for (const usage of usagesOf(`${text}E`)) {
        bus.report(KEYPAD.path, bootReport(usage));
        bus.report(KEYPAD.path, bootReport());
      }
    },
    close,
  };
});

lightsContract('HID relay board', async () => {
  const bus = new ScriptedHidBus();
  const board = relayBoard(4);
  bus.plug(board.info, board.as);
  const channels = { camera: 1, pinPad: 2, cashOutput: 3, status: 4 };
  const { lights, close } = await open(bus, { lights: { channels } });
  return { lights: lights!, close };
});
