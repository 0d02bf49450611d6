import { describe, expect, it } from 'vitest';
import type { CashRoom } from '../devices/cash-room.ts';
import type { Device, DeviceState } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';
import { hindrances, unavailable, warnings } from './availability.ts';

const NAMES = {
  cashDispenser: 'cash-dispenser',
  cashAcceptor: 'cash-acceptor',
  pinPad: 'pin-pad',
  receiptPrinter: 'receipt-printer',
  barcodeScanner: 'barcode-scanner',
  lights: 'lights',
} as const;

function devices(
  change: Partial<Record<keyof Devices, DeviceState | null>> = {},
  room: CashRoom | null = null,
): Devices {
  const all = Object.entries(NAMES).map(([key, name]) => {
    const state = change[key as keyof Devices] === undefined ? 'online' : change[key as keyof Devices];
    const device: Partial<Device> = {
      name,
      health: () => ({ state: state ?? 'noDevice', problem: state === 'online' ? null : 'a problem' }),
    };
    return [key, state === null ? null : { ...device, room: () => room }];
  });
  return Object.fromEntries(all) as Devices;
}
const none = new Set<string>();

describe('a service', () => {
  it.each(['enrol', 'deposit', 'withdraw', 'balance', 'purchase', 'opt-out'] as const)(
    '"%s" is offered when all is well',
    (service) => {
      expect(unavailable(service, devices(), true, none)).toBeNull();
    },
  );

  it.each([
    ['withdraw', 'cashDispenser'],
    ['withdraw', 'pinPad'],
    ['deposit', 'cashAcceptor'],
    ['balance', 'pinPad'],
    ['enrol', 'pinPad'],
    ['purchase', 'barcodeScanner'],
  ] as const)('"%s" is not offered without its %s, whether missing, gone, broken or blocked', (service, device) => {
    for (const state of [null, 'offline', 'hardwareError', 'noDevice', 'userError', 'fraudAttempt'] as const) {
      expect(unavailable(service, devices({ [device]: state }), true, none)).toBe('device-unavailable');
    }
    expect(unavailable(service, devices(), true, new Set([NAMES[device]]))).toBe('device-unavailable');
  });

  it.each(['enrol', 'deposit', 'withdraw', 'balance', 'purchase'] as const)(
    '"%s" does not need printer or lights',
    (service) => {
      expect(unavailable(service, devices({ receiptPrinter: null, lights: 'offline' }), true, none)).toBeNull();
    },
  );

  it('"deposit" is not offered while no unit has room for any note, and no other service minds', () => {
    const full = devices({}, { notesMax: 0, scarce: true, full: [] });
    expect(unavailable('deposit', full, true, none)).toBe('machine-full');
    expect(unavailable('withdraw', full, true, none)).toBeNull();
    expect(unavailable('deposit', devices({}, { notesMax: 1, scarce: true, full: [] }), true, none)).toBeNull();
  });

  it('needs the bank, unless the terminal may stand in for it', () => {
    for (const service of ['enrol', 'deposit', 'withdraw', 'balance'] as const) {
      expect(unavailable(service, devices(), false, none)).toBe('offline-service');
    }
    expect(unavailable('purchase', devices(), false, none)).toBeNull();
  });

  it('to withdraw consent needs nothing but the camera: no device, and no bank', () => {
    const broken = Object.fromEntries(Object.keys(NAMES).map((key) => [key, null])) as never;
    expect(unavailable('opt-out', devices(broken), false, new Set(Object.values(NAMES)))).toBeNull();
  });

  it('that lacks device and bank says the device, which the bank’s return would not mend', () => {
    expect(unavailable('withdraw', devices({ cashDispenser: 'offline' }), false, none)).toBe('device-unavailable');
  });
});

describe('the technician reads', () => {
  it('everything that keeps a service away, device by device, and the bank last', () => {
    const broken = devices({ cashDispenser: 'hardwareError', pinPad: null });
    expect(hindrances('withdraw', { devices: broken, online: false, blocked: none })).toEqual([
      { code: 'device-unavailable', device: 'cashDispenser', cause: 'not-working', problem: 'a problem' },
      { code: 'device-unavailable', device: 'pinPad', cause: 'missing', problem: null },
      { code: 'offline-service', device: null, cause: 'bank', problem: null },
    ]);
  });

  it('that a suspect transaction holds a device that works', () => {
    const blocked = new Set(['cash-dispenser']);
    expect(hindrances('withdraw', { devices: devices(), online: true, blocked })).toMatchObject([
      { device: 'cashDispenser', cause: 'blocked' },
    ]);
    expect(hindrances('deposit', { devices: devices(), online: true, blocked })).toEqual([]);
  });

  it.each(['deposit', 'withdraw', 'purchase'] as const)('that "%s" goes without a receipt, as a warning', (service) => {
    const surroundings = { devices: devices({ receiptPrinter: 'hardwareError' }), online: true, blocked: none };
    expect(hindrances(service, surroundings)).toEqual([]);
    expect(warnings(service, surroundings)).toMatchObject([{ device: 'receiptPrinter', cause: 'not-working' }]);
  });

  it('no warning while all is well', () => {
    expect(warnings('withdraw', { devices: devices(), online: true, blocked: none })).toEqual([]);
  });
});
