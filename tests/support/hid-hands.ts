/** Devices on the scripted HID bus, and what they send: built from the specifications, for the tests that need no recording. */
import type { HidInfo } from '../../src-main/devices/hid/bus.ts';
import type { PluggedAs } from './hid-bus.ts';

/** USB HID 1.11, appendix B.1: modifiers, a reserved byte, six key codes. */
export function bootReport(...usages: number[]): number[] {
  return [0, 0, ...Array.from({ length: 6 }, (_, index) => usages[index] ?? 0)];
}

const USAGE_OF: Readonly<Record<string, number>> = { E: 0x58, C: 0x29, '<': 0x2a, '0': 0x62 };

/** Keypad usages of keys as the contract writes them: 0–9, E enter, C cancel, < correct. */
export function usagesOf(keys: string): number[] {
  return [...keys].map((key) => USAGE_OF[key] ?? 0x58 + Number(key));
}

export const POS_SCANNER: HidInfo = {
  path: '/dev/hidraw4',
  vendorId: 0x0c2e,
  productId: 0x0b6a,
  serialNumber: '15232B1F0C',
  manufacturer: 'Honeywell',
  product: 'Voyager 1602g',
  interfaceNumber: 1,
  usages: [{ page: 0x8c, usage: 0x02 }],
  port: 'usb-0000:00:14.0-3/input1',
};

/** One report of a scanner with the common layout. The text must fit into its 56 bytes. */
export function posReport(aim: string, text: string | Uint8Array, continued = false): Uint8Array {
  const data = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const report = new Uint8Array(64);
  report.set([2, data.length, ...new TextEncoder().encode(aim)]);
  report.set(data, 5);
  report[63] = continued ? 1 : 0;
  return report;
}

/** A USBRelay board with its relays: bits of those that are closed. */
export function relayBoard(channels: number) {
  const board = { closed: 0, stuck: 0 };
  const info: HidInfo = {
    path: '/dev/hidraw7',
    vendorId: 0x16c0,
    productId: 0x05df,
    serialNumber: null,
    manufacturer: 'www.dcttech.com',
    product: `USBRelay${channels}`,
    interfaceNumber: 0,
    usages: [{ page: 0xff00, usage: 0x01 }],
    port: 'usb-0000:00:14.0-4/input0',
  };
  const as: PluggedAs = {
    answer: (kind, report) => {
      if (kind !== 'feature' || report.length !== 9 || report[0] !== 0) throw new Error('Broken pipe');
      const bit = 1 << (report[2]! - 1);
      if (report[1] === 0xff) board.closed |= bit & ~board.stuck;
      else if (report[1] === 0xfd) board.closed &= ~bit;
    },
    feature: (_id, length) => {
      const report = new Uint8Array(length);
      report.set(new TextEncoder().encode('BITFT'), 1);
      report[8] = board.closed;
      return report;
    },
  };
  return { board, info, as };
}
