import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, type PluggedAs, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { bootReport } from '../../../tests/support/hid-hands.ts';
import type { HidInfo } from './bus.ts';
import { HidConfig } from './config.ts';
import { HidConnection } from './connection.ts';
import { isKeyboard } from './kinds.ts';

const IDS = { vendorId: 0x04d9, productId: 0xa070 };
const open: HidConnection[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

async function rig(
  plugged: readonly (readonly [HidInfo, PluggedAs?])[],
  selector: object = IDS,
  bus = new ScriptedHidBus(),
) {
  for (const [info, as] of plugged) bus.plug(info, as);
  const made = unstarted(bus, selector);
  open.push(made.connection);
  await made.connection.start();
  return { bus, ...made };
}

function unstarted(bus: ScriptedHidBus, selector: object = IDS) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const attached = { fails: null as Error | null };
  const connection = new HidConnection(
    { bus, clock, log: pino({ level: 'silent' }), name: 'pad', selector, fits: isKeyboard, typesKeys: true },
    {
      attached: async (_device, info) => {
        told.push(`attached ${info.path}`);
        if (attached.fails) throw attached.fails;
      },
      examine: (_info, { exclusive }) => (exclusive === 'yes' ? null : { state: 'userError', problem: 'shared' }),
      report: (bytes) => told.push(`report ${bytes[2]}`),
      detached: () => told.push('detached'),
    },
  );
  return { clock, connection, told, attached };
}

const TWIN: HidInfo = { ...KEYPAD, path: '/dev/hidraw1', port: 'usb-0000:00:14.0-2/input0' };

describe('a HID device of the terminal', () => {
  it('is found at once when it is there, and not listed again while it stays', async () => {
    const { bus, connection, clock, told } = await rig([[KEYPAD]]);
    bus.report(KEYPAD.path, bootReport(0x1e));
    await clock.sleep(60_000, patient);
    expect(connection.health()).toEqual({ state: 'online', problem: null });
    expect(told).toEqual(['attached /dev/hidraw0', 'report 30']);
    expect(bus.listings).toBe(1);
  });

  it('is found when it is plugged in later, within some seconds, and looked for at that pace only', async () => {
    const { bus, connection, clock } = await rig([]);
    expect(connection.health()).toEqual({
      state: 'offline',
      problem: 'pad: no USB HID device 04d9:a070 is plugged in',
    });
    expect(() => connection.need()).toThrow('no USB HID device 04d9:a070');
    await clock.sleep(21_000, patient);
    expect(bus.listings).toBe(11);
    bus.plug(KEYPAD);
    await clock.sleep(2_000, patient);
    expect(connection.health().state).toBe('online');
  });

  it('comes and goes any number of times, under other paths', async () => {
    const { bus, clock, told } = await rig([[KEYPAD]]);
    bus.unplug(KEYPAD.path);
    for (const path of ['/dev/hidraw5', '/dev/hidraw6']) {
      bus.plug({ ...KEYPAD, path });
      await clock.sleep(2_100, patient);
      bus.unplug(path);
    }
    expect(told).toEqual([
      'attached /dev/hidraw0',
      'detached',
      'attached /dev/hidraw5',
      'detached',
      'attached /dev/hidraw6',
      'detached',
    ]);
  });

  it('is not mixed up with its own interface for volume keys', async () => {
    const volume = { ...KEYPAD, path: '/dev/hidraw1', interfaceNumber: 1, usages: [{ page: 0x0c, usage: 1 }] };
    const { told } = await rig([[volume], [KEYPAD]]);
    expect(told).toEqual(['attached /dev/hidraw0']);
  });

  it('of a kind of which there are two is chosen by serial number or by socket', async () => {
    const serial = { ...TWIN, serialNumber: 'A1' };
    expect((await rig([[KEYPAD], [serial]], { ...IDS, serialNumber: 'A1' })).told).toEqual(['attached /dev/hidraw1']);
    expect((await rig([[KEYPAD], [TWIN]], { ...IDS, port: KEYPAD.port })).told).toEqual(['attached /dev/hidraw0']);
    const { connection, told, bus, clock } = await rig([[KEYPAD], [TWIN]]);
    expect(connection.health()).toMatchObject({
      state: 'userError',
      problem: expect.stringContaining(`at ${TWIN.port}`),
    });
    bus.unplug(KEYPAD.path);
    await clock.sleep(2_100, patient);
    expect(told).toEqual(['attached /dev/hidraw1']);
  });

  it('is told from its twin in the same terminal: each of two pads gets its own keys', async () => {
    const bus = new ScriptedHidBus();
    const first = await rig([[KEYPAD], [TWIN]], { ...IDS, port: KEYPAD.port }, bus);
    const second = await rig([], { ...IDS, port: TWIN.port }, bus);
    bus.report(KEYPAD.path, bootReport(0x1e));
    bus.report(TWIN.path, bootReport(0x1f));
    expect(first.told).toEqual(['attached /dev/hidraw0', 'report 30']);
    expect(second.told).toEqual(['attached /dev/hidraw1', 'report 31']);
  });

  it('that may not be opened says so, with the rule for it, and is opened when it may', async () => {
    const refusal = { outcome: 'denied', reason: 'Permission denied' } as const;
    const { connection, bus, clock } = await rig([[KEYPAD, { refusal }]]);
    const { state, problem } = connection.health();
    expect(state).toBe('userError');
    expect(problem).toContain('04d9:a070 USB Keypad, /dev/hidraw0');
    expect(problem).toContain('/etc/udev/rules.d/70-kaopass-hid.rules');
    expect(problem).toContain('ATTRS{idVendor}=="04d9", ATTRS{idProduct}=="a070", MODE="0660"');
    bus.plug(KEYPAD);
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
  });

  it.each([
    ['busy', 'userError', 'in use by another program'],
    ['failed', 'hardwareError', 'cannot be opened: boom'],
    ['absent', 'offline', 'cannot be opened: boom'],
  ] as const)('that is %s when it is opened is %s', async (outcome, state, sentence) => {
    const { connection } = await rig([[KEYPAD, { refusal: { outcome, reason: 'boom' } }]]);
    expect(connection.health()).toMatchObject({ state, problem: expect.stringContaining(sentence) });
  });

  it('survives a bus that cannot be read', async () => {
    const bus = new ScriptedHidBus();
    bus.broken = new Error('libudev says no');
    const { connection, clock } = await rig([[KEYPAD]], IDS, bus);
    expect(connection.health()).toMatchObject({
      state: 'hardwareError',
      problem: expect.stringContaining('libudev says no'),
    });
    bus.broken = null;
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
  });

  it('that never answers when it is listed, opened or written to is given up, each within seconds', async () => {
    const bus = new ScriptedHidBus();
    const never = new Promise<never>(() => {});
    const { list } = bus;
    bus.list = () => never;
    const { connection, clock } = await rig([[KEYPAD]], IDS, bus);
    expect(connection.health()).toMatchObject({ state: 'hardwareError', problem: expect.stringContaining('6000 ms') });
    bus.list = list;
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
    await expect(connection.transfer(() => never)).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    expect(connection.health().state).toBe('offline');
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
  });

  it('that opens too late is closed again, and does not stay open beside the next', async () => {
    const bus = new ScriptedHidBus();
    const openNow = bus.open.bind(bus);
    let late: () => void = () => {};
    bus.open = async (path, listener) => {
      bus.open = openNow;
      await new Promise<void>((resolve) => {
        late = resolve;
      });
      return await openNow(path, listener);
    };
    const { connection, told, clock } = await rig([[KEYPAD]], IDS, bus);
    expect(connection.health().state).toBe('hardwareError');
    late();
    await clock.sleep(100, patient);
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
    expect(told).toEqual(['attached /dev/hidraw0']);
  });

  it('that its driver does not want is closed again and tried anew', async () => {
    const { connection, attached, bus, clock, told } = await rig([]);
    attached.fails = new Error('it is no keypad');
    bus.plug(KEYPAD);
    await clock.sleep(2_100, patient);
    expect(connection.health()).toMatchObject({
      state: 'hardwareError',
      problem: expect.stringContaining('it is no keypad'),
    });
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
    attached.fails = null;
    await clock.sleep(2_100, patient);
    expect(connection.health().state).toBe('online');
    expect(told).toEqual(['attached /dev/hidraw0', 'detached', 'attached /dev/hidraw0']);
  });

  it('whose exclusive hold comes a moment later is asked again by itself', async () => {
    const { connection, bus, clock } = await rig([[KEYPAD, { inspection: { exclusive: 'no' } }]]);
    expect(connection.health().state).toBe('userError');
    bus.change(KEYPAD.path, { exclusive: 'yes' });
    await clock.sleep(2_100, patient);
    expect(connection.health()).toEqual({ state: 'online', problem: null });
    expect(bus.listings).toBe(1);
  });

  it('is not opened any more when it was closed while it was looked for or opened', async () => {
    for (const step of ['list', 'open'] as const) {
      const bus = new ScriptedHidBus();
      const gate = Promise.withResolvers<void>();
      const { list, open: openNow } = { list: bus.list.bind(bus), open: bus.open.bind(bus) };
      if (step === 'list') bus.list = () => gate.promise.then(list);
      else bus.open = (path, listener) => gate.promise.then(() => openNow(path, listener));
      bus.plug(KEYPAD);
      const { connection, told } = unstarted(bus);
      const starting = connection.start();
      await connection.close();
      await starting;
      gate.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      expect(bus.isOpen(KEYPAD.path)).toBe(false);
      expect(told).toEqual([]);
    }
  });

  it('is let go when it is closed, whether it is there or looked for', async () => {
    const there = await rig([[KEYPAD]]);
    await there.connection.close();
    await there.connection.close();
    expect(there.bus.isOpen(KEYPAD.path)).toBe(false);
    expect(there.told).toEqual(['attached /dev/hidraw0', 'detached']);
    expect(() => there.connection.need()).toThrow('pad is closed');
    const missing = await rig([]);
    await missing.connection.close();
    missing.bus.plug(KEYPAD);
    await missing.clock.sleep(10_000, patient);
    expect(missing.told).toEqual([]);
  });
});

describe('the configuration of HID devices', () => {
  it('is written with ids as lsusb prints them', () => {
    const parsed = HidConfig.parse({ pinPad: { vendorId: '04D9', productId: 'a070' } });
    expect(parsed).toEqual({
      pinPad: { vendorId: 0x04d9, productId: 0xa070, keys: {}, exclusive: 'required' },
      barcodeScanners: [],
      lights: null,
    });
  });

  it.each([
    [{ pinPad: {} }, 'pinPad.vendorId'],
    [{ pinPad: { vendorId: 1241, productId: 'a070' } }, 'pinPad.vendorId'],
    [{ pinPad: { vendorId: '04d9', productId: 'a070', keys: { '56': 'cancel' } } }, 'pinPad.keys.56'],
    [{ lights: { channels: { camera: 9 } } }, 'lights.channels.camera'],
    [{ lights: { channels: {}, board: 'USBRelay4' } }, 'lights'],
    [{ barcodeScanners: [{ mode: 'serial' }] }, 'barcodeScanners.0.mode'],
    [{ printer: {} }, ''],
  ])('%j is refused at %s', (config, key) => {
    const { error } = HidConfig.safeParse(config);
    expect(error?.issues[0]?.path.join('.')).toBe(key);
  });
});
