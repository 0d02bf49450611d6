/** The contract suites of PIN pad, printer, scanner and lights against the XFS4IoT drivers, over real sockets to the simulated machine. */
import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { accountDigits } from '../../../src-main/devices/xfs4iot/pin-pad.ts';
import { barcodeScannerContract } from '../../contract/devices/barcode-scanner.ts';
import { lightsContract } from '../../contract/devices/lights.ts';
import { pinBank, pinPadContract } from '../../contract/devices/pin-pad.ts';
import { receiptPrinterContract } from '../../contract/devices/receipt-printer.ts';
import { patient } from '../../contract/devices/vocabulary.ts';
import { Machine, PIN_KEY } from './machine.ts';
import { until } from './waiting.ts';

async function open(profile: 'checkout' | 'gate', pinKeys = [PIN_KEY]) {
  const machine = await Machine.open({ profile, pinKeys });
  return {
    machine,
    atm: machine.atm,
    hands: machine.peripherals,
    devices: machine.devices,
    surveillance: machine.terminal.surveillance,
    close: () => machine.close(),
  };
}

const FINGERS = { E: 'enter', C: 'cancel', '<': 'backspace' } as const;
const NAMES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const;
const keysOf = (keys: string) =>
  [...keys].map((key) => FINGERS[key as keyof typeof FINGERS] ?? NAMES[Number(key)] ?? 'clear');

/** The bank's half of ISO 9564-1 format 4: AES, xor with the account field, AES. */
function readField(pinBlock: string, boundTo: string): string {
  const [format, name, block] = pinBlock.split('.');
  expect([format, Buffer.from(name ?? '', 'base64url').toString()]).toEqual(['iso4', PIN_KEY.name]);
  const decipher = (bytes: Uint8Array) =>
    createDecipheriv('aes-128-ecb', Buffer.from(PIN_KEY.value, 'hex'), null).setAutoPadding(false).update(bytes);
  const account = accountDigits(boundTo);
  const panField = Buffer.from(`${account.length - 12}${account}`.padEnd(32, '0'), 'hex');
  const inner = decipher(Buffer.from(block ?? '', 'base64url')).map((byte, index) => byte ^ panField[index]!);
  return decipher(inner).subarray(0, 8).toString('hex');
}

pinPadContract('XFS4IoT', async () => {
  const { devices, hands, close } = await open('checkout');
  return {
    pinPad: devices.pinPad!,
    press: async (keys) => {
      await until(() => hands.pin.state().entering === 'pin');
      await hands.pin.press(keysOf(keys));
    },
    readField,
    close,
  };
});

receiptPrinterContract('XFS4IoT', async () => {
  const { devices, close } = await open('checkout');
  return { printer: devices.receiptPrinter!, close };
});

barcodeScannerContract('XFS4IoT', async () => {
  const { devices, hands, close } = await open('checkout');
  let shown = 0;
  return {
    scanner: devices.barcodeScanner!,
    show: async (text) => {
      if (shown++ === 0) await until(() => hands.barcode.reading());
      else await until(() => !hands.barcode.reading());
      hands.barcode.scan('ean13', Buffer.from(text));
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    close,
  };
});

lightsContract('XFS4IoT', async () => {
  const { devices, close } = await open('gate');
  return { lights: devices.lights!, close };
});

describe('peripherals over XFS4IoT', () => {
  it('a PIN pad without its key is out of service, and says which key', async () => {
    const { devices, hands, close } = await open('checkout', []);
    expect(devices.pinPad!.health()).toMatchObject({ state: 'hardwareError' });
    hands.pin.loadKeys([PIN_KEY]);
    await until(() => devices.pinPad!.health().state === 'online');
    await close();
  });

  it('gives no digit to the terminal, in no message', async () => {
    const { devices, hands, close } = await open('checkout');
    const { request } = await pinBank();
    const counts: number[] = [];
    const entry = devices.pinPad!.enterPin(request, (count) => counts.push(count), patient);
    await until(() => hands.pin.state().entering === 'pin');
    await hands.pin.press(keysOf('5738E'));
    const completion = await entry;
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(JSON.stringify(completion)).not.toContain('5738');
    await close();
  });

  it('hands out a receipt as S18 has it: printed, cut once, brought to the slot', async () => {
    const { devices, hands, close } = await open('checkout');
    const bytes = new TextEncoder().encode('\x1b@Kaopass\n\x1dV\x01');
    expect(await devices.receiptPrinter!.print(bytes, patient)).toEqual({ outcome: 'printed' });
    expect(hands.printer.service.device()).toBe('online');
    await close();
  });

  it('takes a surveillance picture where there is a camera, and none where there is none', async () => {
    const { surveillance, close } = await open('gate');
    expect((await surveillance.picture('person', patient))?.length).toBeGreaterThan(100);
    expect(await surveillance.picture('room', patient)).toBeNull();
    await close();
  });

  it('says that a device went away and that it came back', async () => {
    const { atm, devices, close } = await open('gate');
    const heard: string[] = [];
    devices.lights!.onHealth(({ state }) => heard.push(state));
    const lights = atm.services.find(({ name }) => name === 'Lights1')!;
    lights.setDevice('offline');
    await until(() => heard.includes('offline'));
    lights.setDevice('online');
    await until(() => heard.at(-1) === 'online');
    await close();
  });
});
