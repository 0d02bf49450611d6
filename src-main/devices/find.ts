/**
 * What hangs on this machine and answers in its network, configured or not, without opening or moving anything: XFS4IoT services,
 * HID devices, printers, serial ports. Each part that cannot be looked at says why and hides no other.
 */
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, deadline } from '../clock.ts';
import type { DevicesConfig } from '../config/devices.ts';
import type { HidBus } from './hid/bus.ts';
import { describeHidDevices, type HidDescription } from './hid/describe.ts';
import { type Identification, identify } from './hid/identify.ts';
import { UDEV_RULE_FILE } from './hid/udev.ts';
import { connect } from './xfs4iot/client/index.ts';
import { xfs4IotAddress } from './xfs4iot-address.ts';

/** What was found of one kind; or why it could not be looked for. */
export interface Found<One> {
  readonly found: readonly One[];
  readonly problem: string | null;
}

export interface FoundService {
  readonly uri: string;
  /** As the service reports them; empty when it does not answer. */
  readonly interfaces: readonly string[];
  /** XFS4IoT Common.Status, device; or that it does not answer. */
  readonly state: string;
  /** Model and serial number, as far as the service tells. */
  readonly model: string | null;
}

export interface FoundLine {
  readonly path: string;
  /** Whether this user may use it. */
  readonly allowed: boolean;
  /** What the system knows of it; null when nothing. */
  readonly maker: string | null;
}

export interface FoundDevices {
  readonly xfs4iot: Found<FoundService> & {
    readonly host: string;
    /** Somebody listens there and is no publisher this terminal can use: a certificate nobody vouches for, another protocol. */
    readonly unusable: readonly { readonly uri: string; readonly why: string }[];
  };
  readonly hid: Found<HidDescription> & { readonly ruleFile: string };
  /** USB printers of the printer class. */
  readonly printers: Found<FoundLine>;
  readonly serialPorts: Found<FoundLine>;
}

/** What is looked through; the system's own when not given. */
export interface FindPorts {
  readonly hidBus?: () => Promise<HidBus>;
  readonly listPrinters?: () => Promise<readonly string[]>;
  readonly listSerialPorts?: () => Promise<
    readonly { readonly path: string; readonly manufacturer?: string | undefined }[]
  >;
  readonly mayUse?: (path: string) => Promise<boolean>;
}

/** For all ports of one machine, ms; a firewall that swallows connections must not hold up a technician. */
const SEARCH_MS_MAX = 15_000;

export async function findDevices(options: {
  /** Null: no terminal is configured; this machine's XFS4IoT services are looked for. */
  readonly config: DevicesConfig | null;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly ports?: FindPorts;
}): Promise<FoundDevices> {
  const {
    hidBus = systemHidBus,
    listPrinters = usbPrinters,
    listSerialPorts = serialPorts,
    mayUse = mayWrite,
  } = options.ports ?? {};
  const lines = (list: () => Promise<readonly { path: string; manufacturer?: string | undefined }[]>) =>
    part(async () =>
      Promise.all(
        (await list()).map(async ({ path, manufacturer }) => ({
          path,
          allowed: await mayUse(path),
          maker: manufacturer ?? null,
        })),
      ),
    );
  const host = options.config?.kind === 'xfs4iot' ? options.config.host : '127.0.0.1';
  const unusable: { uri: string; why: string }[] = [];
  const [xfs4iot, hid, printers, serial] = await Promise.all([
    part(() => findServices(options, (uri, why) => unusable.push({ uri, why }))),
    part(async () => describeHidDevices(await hidBus())),
    lines(async () => (await listPrinters()).map((path) => ({ path }))),
    lines(listSerialPorts),
  ]);
  return {
    // The standard's ports are tried with TLS and without: what answered the one way is not said to fail the other.
    xfs4iot: { ...xfs4iot, host, unusable: unusable.filter(({ uri }) => !answers(uri, xfs4iot.found)) },
    hid: { ...hid, ruleFile: UDEV_RULE_FILE },
    printers,
    serialPorts: serial,
  };
}

/** Makes the HID device at this path show itself, configured or not. Null when none is there. */
export async function identifyFound(
  path: string,
  clock: Clock,
  signal: AbortSignal,
  { hidBus = systemHidBus }: FindPorts = {},
): Promise<Identification | null> {
  const bus = await hidBus();
  const info = (await bus.list()).find((one) => one.path === path);
  return info ? await identify(bus, clock, info, signal) : null;
}

async function part<One>(look: () => Promise<readonly One[]>): Promise<Found<One>> {
  try {
    return { found: await look(), problem: null };
  } catch (error) {
    return { found: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

const answers = (uri: string, services: readonly FoundService[]) =>
  services.some((service) => new URL(service.uri).host === new URL(uri).host);

/** On every machine most of the ports are closed, or swallowed by a firewall: that is no news. */
const CLOSED = /ECONNREFUSED|did not answer within/;

async function findServices(
  {
    config,
    dataDir,
    clock,
    signal,
  }: {
    readonly config: DevicesConfig | null;
    readonly dataDir: string;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
  onUnusable: (uri: string, why: string) => void,
): Promise<readonly FoundService[]> {
  const machine = config?.kind === 'xfs4iot' ? config : { host: '127.0.0.1', ports: null, ca: null };
  using limit = deadline(clock, SEARCH_MS_MAX, signal);
  const client = await connect({
    ...xfs4IotAddress(machine, dataDir),
    clock,
    onDeadLetter: () => {},
    log: ({ message, uri, detail, code }) => {
      const why = detail ?? code ?? message;
      if (/publisher/.test(message) && !CLOSED.test(why)) onUnusable(uri, why);
    },
    signal: limit.signal,
  });
  try {
    return client.services().map((service) => ({
      uri: service.uri,
      interfaces: [...service.interfaces].sort(),
      state: service.state() === 'connected' ? (service.status().common?.device ?? 'unknown') : 'does not answer',
      model: modelOf(service.capabilities.common?.deviceInformation?.[0]),
    }));
  } finally {
    await client.close();
  }
}

function modelOf(device: { modelName?: unknown; serialNumber?: unknown } | null | undefined): string | null {
  const words = [device?.modelName, device?.serialNumber].filter((word) => typeof word === 'string' && word !== '');
  return words.length > 0 ? words.join(', ') : null;
}

async function systemHidBus(): Promise<HidBus> {
  return (await import('./hid/node-hid-bus.ts')).nodeHidBus();
}

/** Linux usblp; elsewhere there are no such files, and no such folder. */
async function usbPrinters(): Promise<readonly string[]> {
  const names = await readdir('/dev/usb').catch(() => []);
  return names.filter((name) => /^lp\d+$/.test(name)).map((name) => join('/dev/usb', name));
}

/** On Linux the library asks udev's own program. */
async function serialPorts() {
  const { SerialPort } = await import('serialport');
  return await SerialPort.list().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || error.path !== 'udevadm') throw error;
    throw new Error(
      'serial ports need the program udevadm, which this machine does not have (on Debian: apt-get install udev)',
    );
  });
}

async function mayWrite(path: string): Promise<boolean> {
  return await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}
