import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemChance, systemClock } from '../clock.ts';
import { DevicesConfig } from '../config/devices.ts';
import type { FindPorts } from '../devices/find.ts';
import type { HidBus, HidInfo } from '../devices/hid/bus.ts';
import { type OpenedDevices, openDevices } from '../devices/open.ts';
import { dataPlaces } from '../places.ts';
import { lockData } from '../running-lock.ts';
import { CameraHealth } from './camera-health.ts';
import { runCli } from './cli.ts';
import { openServicePage, type ServicePage } from './service-page/open.ts';

const unasked = () => Promise.reject(new Error('nobody asked for this'));

const root = mkdtempSync(join(tmpdir(), 'kaopass-devices-command-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const quiet = pino({ level: 'silent' });

const PAD: HidInfo = {
  path: '/dev/hidraw0',
  vendorId: 0x04d9,
  productId: 0xa02a,
  serialNumber: null,
  manufacturer: 'Maker',
  product: 'Keypad',
  interfaceNumber: 0,
  usages: [{ page: 1, usage: 6 }],
  port: 'usb-0000:00:14.0-2/input0',
};
const bus: HidBus = {
  list: async () => [PAD],
  inspect: async () => ({ access: 'denied', exclusive: 'no', descriptor: null }),
  open: async () => ({ outcome: 'absent', reason: 'it is gone' }),
};
const find: FindPorts = {
  hidBus: async () => bus,
  listPrinters: async () => ['/dev/usb/lp0'],
  listSerialPorts: async () => [{ path: '/dev/ttyUSB0', manufacturer: 'FTDI' }],
  mayUse: async (path) => path !== '/dev/usb/lp0',
};

let runs = 0;
let dir: string;
let places: ReturnType<typeof dataPlaces>;
beforeEach(() => {
  dir = join(root, `terminal-${++runs}`);
  mkdirSync(dir);
  places = dataPlaces(dir);
  configure({ kind: 'simulated', speed: 50 });
});

function configure(devices: object): void {
  const config = { name: 'ATM 1', profile: 'atm', bankUrl: 'http://127.0.0.1:1', devices };
  writeFileSync(places.config, JSON.stringify(config));
}

async function devices(...args: string[]) {
  const printed = { out: '', err: '' };
  const code = await runCli(['devices', ...args], {
    fetch,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    signal: AbortSignal.timeout(10_000),
    find,
  });
  return { code, ...printed };
}

describe('kaopass devices', () => {
  it('lists what hangs on the machine, who may use it, and what to do about it', async () => {
    const { code, out } = await devices();
    expect(code).toBe(0);
    expect(out).toContain('04d9:a02a  keyboard, Maker Keypad');
    expect(out).toContain('/dev/hidraw0, usages 01:06');
    expect(out).toContain('in the configuration: {"vendorId":"04d9","productId":"a02a"}');
    expect(out).toMatch(/this user may not open it; put into \/etc\/udev\/rules\.d\/.*\n.*ATTRS\{idVendor\}=="04d9"/);
    expect(out).toContain('/dev/usb/lp0: this user may not use it');
    expect(out).toMatch(/\/dev\/ttyUSB0, FTDI$/m);
  });

  it('lists what the terminal has, with state and counts, and leaves nothing locked', async () => {
    const { code, out } = await devices('list', '--data', dir);
    expect(code).toBe(0);
    expect(out).toContain('Configured (simulated)');
    expect(out).toMatch(/cash-dispenser +online +simulated, this program\n +shutter closed\n +CST1/);
    expect(out).toMatch(/receipt-printer +online .*\n +paper full/);
    lockData(places.lock)();
  });

  it('lists a device that is away, and says so', async () => {
    configure({ kind: 'store', escpos: { receiptPrinter: { line: { kind: 'usb', path: join(dir, 'lp9') } } } });
    const { code, out } = await devices('--data', dir);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`receipt-printer +noDevice +escpos, ${join(dir, 'lp9')}\n +\\S`));
  });

  it('says the same as JSON', async () => {
    const { out } = await devices('list', '--data', dir, '--json');
    const answer = JSON.parse(out);
    expect(answer.configured).toMatchObject({ kind: 'simulated', running: false });
    expect(answer.configured.devices).toHaveLength(5);
    expect(answer.found.hid.found[0]).toMatchObject({ kind: 'keyboard', access: 'denied' });
  });

  it('looks on where one kind cannot be looked for', async () => {
    const broken = { ...find, hidBus: () => Promise.reject(new Error('no USB here')) };
    const out: string[] = [];
    const ports = {
      fetch,
      out: (text: string) => out.push(text),
      err: () => {},
      signal: AbortSignal.timeout(5_000),
    };
    expect(await runCli(['devices'], { ...ports, find: broken })).toBe(0);
    expect(out.join('')).toContain('cannot be looked for: no USB here');
    expect(out.join('')).toContain('/dev/ttyUSB0');
  });

  it('says who listens where XFS4IoT should be, and why it cannot be used', async () => {
    const other = createServer((_, response) => response.writeHead(400).end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    configure({ kind: 'xfs4iot', host: '127.0.0.1', ports: [{ port, secure: false }] });
    const { code, out } = await devices('--data', dir);
    other.close();
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`ws://127.0.0.1:${port}/xfs4iot/v1.0  cannot be used: .*400`));
    expect(out).toMatch(/cash-dispenser +offline +xfs4iot, 127.0.0.1/);
  });

  it('tests a device: 0 when it passed, 1 when not', async () => {
    expect(await devices('test', 'cash-dispenser', '--data', dir)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/No note moves\.\npassed: All well: shutter closed/),
    });
    expect(await devices('test', 'barcode-scanner', '--data', dir, '--json')).toMatchObject({
      code: 1,
      out: expect.stringContaining('"passed": false'),
    });
    expect(await devices('identify', 'pin-pad', '--data', dir)).toMatchObject({
      code: 0,
      out: 'done: The guide light "pinPad" beside it flashed.\n',
    });
  });

  it('asks a HID device to show itself before it is configured, and says when it cannot', async () => {
    expect(await devices('identify', PAD.path)).toMatchObject({
      code: 1,
      out: expect.stringContaining('cannot show itself'),
    });
    expect(await devices('identify', '/dev/hidraw7')).toMatchObject({
      code: 1,
      err: 'no USB HID device is at /dev/hidraw7 (DEVICE_UNAVAILABLE)\n',
    });
  });

  it.each([
    [['fly'], 'there is no command "devices fly"'],
    [['test'], 'nothing is no device'],
    [['test', 'coffee-machine', '--data', '.'], 'coffee-machine is no device'],
    [['test', 'lights'], '--data is needed'],
    [['list', '--date', 'x'], "Unknown option '--date'"],
  ])('does not understand %j, says why and changes nothing', async (args, says) => {
    expect(await devices(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(says) });
    expect(readdirSync(dir)).toEqual(['kaopass.json']);
  });

  it('names the directory that is not there, and the key that does not fit', async () => {
    expect(await devices('--data', join(dir, 'nowhere'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('nowhere'),
    });
    configure({ kind: 'xfs4iot', host: 'atm', colour: 'red' });
    expect(await devices('--data', dir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('"colour" at devices'),
    });
  });

  it('explains itself', async () => {
    expect(await devices('--help')).toMatchObject({ code: 0, out: expect.stringContaining('identify DEVICE') });
  });
});

describe('kaopass devices, while a terminal runs there,', () => {
  let unlock: () => void;
  let opened: OpenedDevices;
  let page: ServicePage | null;
  let busy: boolean;
  beforeEach(async () => {
    unlock = lockData(places.lock);
    busy = false;
    page = null;
    const tools = { clock: systemClock, chance: systemChance };
    opened = await openDevices({
      ...tools,
      config: DevicesConfig.parse({ kind: 'simulated', speed: 50 }),
      profile: 'atm',
      dataDir: dir,
      dir: places.devices,
      receiptsDir: places.receipts,
      log: quiet,
      onAlarm: () => {},
    });
  });
  afterEach(async () => {
    await page?.close();
    await opened.close();
    unlock();
  });
  const guard = {
    pinned: null,
    pin: () => {
      throw new Error('no camera is pinned here');
    },
  };
  const serve = async (blocked: string[] = []) => {
    page = await openServicePage({
      terminal: { name: 'ATM 1', profile: 'atm', services: ['withdraw'] },
      ...opened,
      camera: { health: new CameraHealth(), connection: () => 'footage', watch: () => () => {}, guard },
      blocked: new Set(blocked),
      online: () => true,
      notices: () => [],
      dayCloser: { closeNow: () => Promise.reject(new Error('no day is closed here')), last: () => null },
      busy: () => busy,
      suspects: { list: () => [], clear: unasked, count: unasked },
      port: 0,
      addressFile: places.servicePage,
      clock: systemClock,
      chance: systemChance,
      log: quiet,
    });
  };

  it('lists what that terminal says of them', async () => {
    await serve(['cash-dispenser']);
    opened.control?.setPaper(0);
    const { code, out } = await devices('list', '--data', dir);
    expect(code).toBe(0);
    expect(out).toContain('Configured (simulated, held by the running terminal)');
    expect(out).toContain('blocked by an unsettled transaction');
    expect(out).toMatch(/receipt-printer +hardwareError .*\n +out of paper/);
    expect(out).toMatch(/camera +online +screen, footage/);
  });

  it('has it tested by that terminal, and not while a customer is served', async () => {
    await serve();
    expect(await devices('test', 'receipt-printer', '--data', dir)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/The running terminal holds the device and did it\.\npassed: One test slip/),
    });
    expect(await opened.control?.receipts()).toHaveLength(1);
    busy = true;
    expect(await devices('test', 'receipt-printer', '--data', dir)).toMatchObject({
      code: 1,
      err: 'the running terminal says: a customer is being served (DEVICE_UNAVAILABLE)\n',
    });
    expect(await opened.control?.receipts()).toHaveLength(1);
  });

  it('says that another program holds them when it has no page to ask', async () => {
    expect(await devices('test', 'lights', '--data', dir)).toMatchObject({
      code: 1,
      err: expect.stringContaining('is in use and its devices with it'),
    });
  });

  it('status prints an address of the service page that opens it once', async () => {
    await serve();
    const out: string[] = [];
    const print = (text: string) => out.push(text);
    await runCli(['status', '--data', dir], { fetch, out: print, err: print, signal: AbortSignal.timeout(5_000) });
    const url = /service page +(http:\S+\/launch\/\S+) \(opens once\)/.exec(out.join(''))?.[1];
    expect((await fetch(url!, { redirect: 'manual' })).status).toBe(303);
    expect((await fetch(url!, { redirect: 'manual' })).status).toBe(403);
  });
});
