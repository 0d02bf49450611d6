/**
 * `kaopass devices`: what a terminal has, what hangs on the machine, and whether it works. Without a running terminal the devices
 * are opened for as long as the command takes; with one they are its own, and it is asked.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { pino } from 'pino';
import type { Chance, Clock } from '../clock.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { type FindPorts, type FoundDevices, findDevices, identifyFound } from '../devices/find.ts';
import { type OpenedDevices, openDevices } from '../devices/open.ts';
import { TerminalError } from '../errors.ts';
import { dataPlaces } from '../places.ts';
import { lockData } from '../running-lock.ts';
import type { FetchPort } from '../sync/bank-client.ts';
import { type DeviceKey, patientsOf, watchHealth } from './device-health.ts';
import { identifyDevice, TEST_HINTS, type TestResult, testDevice } from './device-tests.ts';
import { devicesInWords } from './devices-words.ts';
import { flagsOf, needed, takeSwitch, UsageError } from './flags.ts';
import { type PrintedReport, runningTerminal } from './running-terminal.ts';

const DEVICE_NAMES: Readonly<Record<string, DeviceKey>> = {
  'cash-dispenser': 'cashDispenser',
  'cash-acceptor': 'cashAcceptor',
  'pin-pad': 'pinPad',
  'receipt-printer': 'receiptPrinter',
  'barcode-scanner': 'barcodeScanner',
  lights: 'lights',
  camera: 'camera',
};
const NAMES = Object.keys(DEVICE_NAMES).join(', ');

const DEVICES_USAGE = `kaopass devices: what a terminal has, what hangs on this machine, and whether it works.

  kaopass devices [list] [--data DIR] [--json]
      Lists the devices that DIR/kaopass.json names, with their state and counts, and everything that
      is found: XFS4IoT services with their interfaces, USB HID devices, printers, serial ports. Says
      what a user may not open, and the udev rule that lets them. Without DIR only what is found.

  kaopass devices identify DEVICE --data DIR [--json]
      Flashes the guide light beside the device.

  kaopass devices identify PATH [--json]
      Makes the USB HID device at PATH (like /dev/hidraw0, as listed) blink or beep, configured or not.

  kaopass devices test DEVICE --data DIR [--json]
      Tries the device: keys, a code, a test slip, lights, or its own account of its state. No test
      moves a note, keeps a picture or learns a digit.

DEVICE is one of ${NAMES}.
While a terminal runs on DIR it holds the devices: it is asked, and tests nothing while a customer is served.
Ends with 0 when done or passed, 1 when it could not be done or did not pass, 2 when the command was not understood.
`;

export interface DevicesPorts {
  readonly fetch: FetchPort;
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly chance: Chance;
  /** What is looked through; the system's own when not given. */
  readonly find?: FindPorts;
}

/** Resolves with the exit code. Throws UsageError or TerminalError. */
export async function runDevices(args: readonly string[], ports: DevicesPorts): Promise<0 | 1> {
  if (args.includes('--help') || args.includes('-h')) {
    ports.out(DEVICES_USAGE);
    return 0;
  }
  const [asJson, rest] = takeSwitch(args, '--json');
  const [what = 'list', ...more] = rest[0]?.startsWith('--') ? ['list', ...rest] : rest;
  if (what === 'list') return await list(more, asJson, ports);
  if (what !== 'identify' && what !== 'test') throw new UsageError(`there is no command "devices ${what}"`);
  const [name, ...flags] = more;
  if (what === 'identify' && name?.startsWith('/')) return await identifyPath(name, flags, asJson, ports);
  const key = name === undefined ? undefined : DEVICE_NAMES[name];
  if (!key) throw new UsageError(`${name ?? 'nothing'} is no device: it is one of ${NAMES}`);
  return await carryOut(what, key, { dataDir: needed(flagsOf(flags, ['data']), 'data'), asJson }, ports);
}

async function list(args: readonly string[], asJson: boolean, ports: DevicesPorts): Promise<0> {
  const { data } = flagsOf(args, ['data']);
  const config = data === undefined ? null : configIn(data);
  const [own, found] = [
    data !== undefined && config ? await reports(data, config, ports) : null,
    await findDevices({
      config: config?.devices ?? null,
      dataDir: data ?? '.',
      clock: ports.clock,
      signal: ports.signal,
      ...(ports.find ? { ports: ports.find } : {}),
    }),
  ];
  const answer: ListAnswer = {
    configured: own && config && { kind: config.devices.kind, running: own.running, devices: own.devices },
    found,
  };
  ports.out(asJson ? `${JSON.stringify(answer, null, 2)}\n` : devicesInWords(answer));
  return 0;
}

export interface ListAnswer {
  /** Null without --data. */
  readonly configured: {
    readonly kind: string;
    /** Whether a running terminal holds the devices. */
    readonly running: boolean;
    readonly devices: readonly PrintedReport[];
  } | null;
  readonly found: FoundDevices;
}

async function reports(dataDir: string, config: Config, ports: DevicesPorts) {
  const held = await withDevices(dataDir, config, ports, async (opened) => {
    const health = watchHealth({
      patients: patientsOf(opened),
      clock: ports.clock,
      held: () => null,
      onChange: () => {},
    });
    try {
      return await health.report(ports.signal);
    } finally {
      health.stop();
    }
  });
  if (held !== RUNNING) return { running: false, devices: held };
  return { running: true, devices: await terminalOn(dataDir, ports).devices(ports.signal) };
}

async function identifyPath(
  path: string,
  flags: readonly string[],
  asJson: boolean,
  { clock, signal, out, find }: DevicesPorts,
): Promise<0 | 1> {
  flagsOf(flags, ['data']);
  const identified = await identifyFound(path, clock, signal, find);
  if (!identified) throw new TerminalError('DEVICE_UNAVAILABLE', `no USB HID device is at ${path}`);
  const { shown, says } = identified;
  out(asJson ? `${JSON.stringify({ path, shown, says }, null, 2)}\n` : `${says}\n`);
  return shown ? 0 : 1;
}

async function carryOut(
  what: 'test' | 'identify',
  key: DeviceKey,
  { dataDir, asJson }: { readonly dataDir: string; readonly asJson: boolean },
  ports: DevicesPorts,
): Promise<0 | 1> {
  const config = configIn(dataDir);
  if (what === 'test' && !asJson) ports.out(`${TEST_HINTS[key].en}\n`);
  const own = await withDevices(dataDir, config, ports, ({ devices }) => {
    const tools = { devices, clock: ports.clock, chance: ports.chance, terminalName: config.name, watch: null };
    return (what === 'test' ? testDevice : identifyDevice)(key, tools, ports.signal);
  });
  const running = own === RUNNING;
  const result: TestResult = running ? await terminalOn(dataDir, ports).carryOut(what, key, ports.signal) : own;
  if (asJson) ports.out(`${JSON.stringify({ device: key, ...result, running }, null, 2)}\n`);
  else {
    if (running) ports.out('The running terminal holds the device and did it.\n');
    ports.out(`${result.passed ? (what === 'test' ? 'passed' : 'done') : 'failed'}: ${result.said.en}\n`);
  }
  return result.passed ? 0 : 1;
}

const RUNNING = Symbol('a terminal runs here');

/** Opens the configured devices for one piece of work, or says that a running terminal has them. */
async function withDevices<Result>(
  dataDir: string,
  config: Config,
  { clock, chance }: DevicesPorts,
  work: (opened: OpenedDevices) => Promise<Result>,
): Promise<Result | typeof RUNNING> {
  const places = dataPlaces(dataDir);
  let unlock: () => void;
  try {
    unlock = lockData(places.lock);
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'ALREADY_RUNNING') return RUNNING;
    throw error;
  }
  try {
    mkdirSync(places.devices, { recursive: true, mode: 0o700 });
    const opened = await openDevices({
      config: config.devices,
      profile: config.profile,
      dataDir,
      dir: places.devices,
      receiptsDir: places.receipts,
      clock,
      chance,
      log: pino({ level: 'silent' }),
      onAlarm: () => {},
    });
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  } finally {
    unlock();
  }
}

function terminalOn(dataDir: string, { fetch }: DevicesPorts) {
  const terminal = runningTerminal(dataPlaces(dataDir).servicePage, fetch);
  if (terminal) return terminal;
  throw new TerminalError(
    'ALREADY_RUNNING',
    `${dataDir} is in use and its devices with it, by a program that has no service page: end it, or wait until it is done`,
  );
}

function configIn(dataDir: string): Config {
  if (!existsSync(dataDir)) throw new TerminalError('CONFIG_INVALID', `--data: there is no directory ${dataDir}`);
  return loadConfig(dataPlaces(dataDir).config);
}
