import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GRYPHON_DESCRIPTOR } from '../../../tests/support/hid-recordings.ts';
import type { HidListener } from './bus.ts';
import { type NodeHid, nodeHidBus } from './node-hid-bus.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-hid-'));
afterAll(() => rmSync(dir, { recursive: true }));
const deaf: HidListener = { onReport: () => undefined, onGone: () => undefined };

/** node-hid with some devices, and with the hand that makes them send. */
function fakeNodeHid(devices: unknown[], refusal: string | null = null) {
  const events = new Map<string, (value: unknown) => void>();
  const calls: unknown[][] = [];
  const hid: NodeHid = {
    devicesAsync: async () => devices,
    HIDAsync: {
      open: async (...args) => {
        calls.push(['open', ...args]);
        if (refusal !== null) throw new Error(refusal);
        return {
          on: (event: string, listener: (value: never) => void) =>
            events.set(event, listener as (value: unknown) => void),
          write: async (report) => calls.push(['write', ...report]),
          sendFeatureReport: async (report) => calls.push(['feature', ...report]),
          getFeatureReport: async (id, length) => Buffer.alloc(length, id),
          close: async () => void calls.push(['close']),
        };
      },
    },
  };
  return { hid, calls, emit: (event: 'data' | 'error', value: unknown) => events.get(event)?.(value) };
}

/** /sys/class/hidraw with one device: its uevent, its descriptor, its input devices and whether they are inhibited. */
function fakeSysfs(name: string, inputs: Record<string, string | null>) {
  const sysfs = join(dir, name);
  const device = join(sysfs, 'hidraw3', 'device');
  mkdirSync(device, { recursive: true });
  writeFileSync(
    join(device, 'uevent'),
    'DRIVER=hid-generic\nHID_ID=0003:000004D9:0000A070\nHID_PHYS=usb-0000:00:14.0-2/input0\n',
  );
  writeFileSync(join(device, 'report_descriptor'), GRYPHON_DESCRIPTOR);
  for (const [input, inhibited] of Object.entries(inputs)) {
    mkdirSync(join(device, 'input', input), { recursive: true });
    if (inhibited !== null) writeFileSync(join(device, 'input', input, 'inhibited'), inhibited);
  }
  return sysfs;
}

const KEYPAD = { vendorId: 0x04d9, productId: 0xa070, path: '/dev/hidraw3', release: 272, interface: 0 };

/** What keeps node-hid from being loaded here; null where it can be. It wants libusb, which not every machine has. */
const missing = await nodeHidBus()
  .list()
  .then(
    () => null,
    (error: unknown) => error,
  );

describe.runIf(missing !== null)('node-hid, on this machine that lacks what it needs', () => {
  it('names the library, and how to get it', async () => {
    const sentence = expect.stringMatching(
      /^USB HID needs the library libusb-1\.0\.so\.0, which this machine does not have \(on Debian: apt-get install libusb-1\.0-0\)$/,
    );
    expect(missing).toMatchObject({ code: 'DEVICE_UNAVAILABLE', message: sentence });
    expect(await nodeHidBus().open(join(dir, 'hidraw9'), deaf)).toMatchObject({ outcome: 'absent', reason: sentence });
  });
});

describe.runIf(missing === null)('node-hid itself, on this machine', () => {
  it('loads and lists what is plugged in, if anything', async () => {
    for (const info of await nodeHidBus().list()) {
      expect(info).toMatchObject({ path: expect.any(String), vendorId: expect.any(Number), usages: expect.any(Array) });
    }
  });

  it('says that a device is gone, and that a file is none', async () => {
    expect(await nodeHidBus().open(join(dir, 'hidraw9'), deaf)).toMatchObject({ outcome: 'absent' });
    const file = join(dir, 'no-device');
    writeFileSync(file, '');
    expect(await nodeHidBus().open(file, deaf)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('cannot open device with path'),
    });
  });

  it.runIf(process.platform === 'linux')('says that this user may not open a device', async () => {
    const file = join(dir, 'somebody-else');
    writeFileSync(file, '');
    chmodSync(file, 0);
    if (process.getuid?.() !== 0) {
      expect(await nodeHidBus().open(file, deaf)).toMatchObject({ outcome: 'denied' });
      return;
    }
    // Nothing is denied to root, so somebody else asks.
    chmodSync(dir, 0o755);
    const script = `
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const opening = await nodeHidBus().open(${JSON.stringify(file)}, { onReport() {}, onGone() {} });
      console.log(JSON.stringify(opening));`;
    const bus = JSON.stringify(new URL('./node-hid-bus.ts', import.meta.url).href);
    const load = `const { nodeHidBus } = await import(${bus}); await nodeHidBus().list();`;
    const answer = execFileSync(process.execPath, ['--input-type=module', '-e', load + script], { encoding: 'utf8' });
    expect(JSON.parse(answer)).toMatchObject({
      outcome: 'denied',
      reason: expect.stringContaining('Permission denied'),
    });
  });
});

describe('the bus through node-hid', () => {
  it('is one device for each path, with all of its collections and its socket', async () => {
    const sysfs = fakeSysfs('list', {});
    const { hid } = fakeNodeHid([
      { ...KEYPAD, serialNumber: '', product: ' USB Keypad ', usagePage: 1, usage: 6 },
      { ...KEYPAD, serialNumber: '', product: ' USB Keypad ', usagePage: 12, usage: 1 },
      {
        vendorId: 0x16c0,
        productId: 0x05df,
        path: '/dev/hidraw4',
        interface: -1,
        manufacturer: 'www.dcttech.com',
        release: 1,
      },
    ]);
    expect(await nodeHidBus({ nodeHid: hid, platform: 'linux', sysfs }).list()).toEqual([
      {
        path: '/dev/hidraw3',
        vendorId: 0x04d9,
        productId: 0xa070,
        serialNumber: null,
        manufacturer: null,
        product: 'USB Keypad',
        interfaceNumber: 0,
        usages: [
          { page: 1, usage: 6 },
          { page: 12, usage: 1 },
        ],
        port: 'usb-0000:00:14.0-2/input0',
      },
      {
        path: '/dev/hidraw4',
        vendorId: 0x16c0,
        productId: 0x05df,
        serialNumber: null,
        manufacturer: 'www.dcttech.com',
        product: null,
        interfaceNumber: null,
        usages: [],
        port: null,
      },
    ]);
  });

  it('leaves out what is no device that can be opened', async () => {
    const { hid } = fakeNodeHid([
      { vendorId: 1, productId: 2 },
      null,
      'x',
      { ...KEYPAD, vendorId: -1 },
      { ...KEYPAD, path: '' },
    ]);
    expect(await nodeHidBus({ nodeHid: hid }).list()).toEqual([]);
  });

  it.each([
    ['yes', 'no input device', {}],
    ['yes', 'all of them inhibited', { input17: '1\n', input18: '1\n' }],
    ['no', 'one of them not', { input17: '1\n', input18: '0\n' }],
    ['no', 'a kernel before 5.11', { input17: null }],
  ])('has its keys for itself: %s, with %s', async (exclusive, name, inputs) => {
    const sysfs = fakeSysfs(`inhibited ${name}`, inputs);
    const bus = nodeHidBus({ nodeHid: fakeNodeHid([]).hid, platform: 'linux', sysfs });
    const inspection = await bus.inspect('/dev/hidraw3');
    expect(inspection.exclusive).toBe(exclusive);
    expect(inspection.descriptor && Uint8Array.from(inspection.descriptor)).toEqual(GRYPHON_DESCRIPTOR);
  });

  it('knows nothing where the system shows nothing', async () => {
    const bus = nodeHidBus({ nodeHid: fakeNodeHid([]).hid, platform: 'linux', sysfs: join(dir, 'nowhere') });
    expect(await bus.inspect(join(dir, 'hidraw8'))).toEqual({
      access: 'absent',
      exclusive: 'unknown',
      descriptor: null,
    });
    const windows = nodeHidBus({ nodeHid: fakeNodeHid([]).hid, platform: 'win32' });
    expect(await windows.inspect('x')).toEqual({ access: 'unknown', exclusive: 'unknown', descriptor: null });
  });

  it.each([
    ['linux', undefined],
    ['win32', undefined],
    ['darwin', { nonExclusive: false }],
  ] as const)('opens for itself alone as %s can', async (platform, options) => {
    const { hid, calls } = fakeNodeHid([]);
    await nodeHidBus({ nodeHid: hid, platform }).open('/dev/hidraw3', deaf);
    expect(calls).toEqual([options ? ['open', '/dev/hidraw3', options] : ['open', '/dev/hidraw3']]);
  });

  it.each([
    ['denied', 'cannot open device with path X: Failed to open a device with path X: Permission denied'],
    ['denied', 'hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002E2) (iokit/common) not permitted'],
    [
      'busy',
      'hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002C5) exclusive access and device already open',
    ],
    ['denied', 'open_device: (0x00000005) Access is denied.'],
    ['absent', 'Failed to open a device with path X: No such device'],
    ['failed', 'cannot open device with path X'],
  ])('says why not: %s, of "%s"', async (outcome, words) => {
    const { hid } = fakeNodeHid([], words);
    expect(await nodeHidBus({ nodeHid: hid, platform: 'darwin' }).open('x', deaf)).toEqual({ outcome, reason: words });
  });

  it('hands over reports as they come, and tells once that the device is gone', async () => {
    const { hid, emit, calls } = fakeNodeHid([]);
    const reports: number[][] = [];
    const gone: string[] = [];
    const opening = await nodeHidBus({ nodeHid: hid, platform: 'linux' }).open('x', {
      onReport: (report) => reports.push([...report]),
      onGone: (reason) => gone.push(reason),
    });
    emit('data', Buffer.from([0, 0, 30]));
    // node-hid gives a string to its error event, not an Error.
    emit('error', 'could not read from HID device: unexpected poll error (device disconnected)');
    emit('error', new Error('again'));
    emit('data', Buffer.from([1]));
    expect(reports).toEqual([[0, 0, 30]]);
    expect(gone).toEqual(['could not read from HID device: unexpected poll error (device disconnected)']);
    if (opening.outcome !== 'opened') throw new Error(opening.reason);
    await opening.device.write(Uint8Array.of(0, 1));
    await opening.device.sendFeature(Uint8Array.of(0, 0xff, 1));
    expect([...(await opening.device.getFeature(7, 2))]).toEqual([7, 7]);
    await opening.device.close();
    expect(calls).toEqual([['open', 'x'], ['write', 0, 1], ['feature', 0, 0xff, 1], ['close']]);
  });

  it('tells nothing any more after it was closed', async () => {
    const { hid, emit } = fakeNodeHid([]);
    const told: unknown[] = [];
    const opening = await nodeHidBus({ nodeHid: hid }).open('x', {
      onReport: (report) => told.push(report),
      onGone: (reason) => told.push(reason),
    });
    if (opening.outcome === 'opened') await opening.device.close();
    emit('data', Buffer.of(1));
    emit('error', 'closed');
    expect(told).toEqual([]);
  });
});
