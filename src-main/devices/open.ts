/**
 * From the configuration's devices to open ports: which driver each device gets. Only this file, find.ts and terminal.ts name
 * concrete drivers. A device that is not there keeps nothing from opening: its health says so, and its driver takes it up when
 * it appears.
 */
import type { Logger } from 'pino';
import type { Profile } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { DevicesConfig, EscPosPrinterConfig } from '../config/devices.ts';
import type { Devices } from './devices.ts';
import type { HidConfig, HidSelector } from './hid/config.ts';
import type { SimulatedControl } from './simulated/control.ts';
import { openSimulatedDevices } from './simulated/open.ts';
import { openXfs4IotDevices } from './xfs4iot/open.ts';
import { xfs4IotAddress } from './xfs4iot-address.ts';

export interface OpenDevicesOptions {
  readonly config: DevicesConfig;
  readonly profile: Profile;
  /** What the configuration's paths are relative to. */
  readonly dataDir: string;
  /** Where drivers keep what must survive a restart. */
  readonly dir: string;
  /** Where simulated printers keep what they printed. */
  readonly receiptsDir: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Logger;
  /** A message of a device that did not fit. */
  readonly onAlarm: (alarm: { readonly kind: string; readonly message: string }) => void;
}

/** Which driver a device has, and how it is reached. */
export interface DeviceOrigin {
  /** e.g. "simulated", "xfs4iot", "hid". */
  readonly driver: string;
  /** In the technician's words, e.g. "wss://10.0.0.5", "/dev/usb/lp0"; never a secret. */
  readonly connection: string;
}

export type DeviceOrigins = { readonly [Key in keyof Devices]: DeviceOrigin | null };

export interface OpenedDevices {
  readonly devices: Devices;
  readonly origins: DeviceOrigins;
  /** Hands of simulated devices; null where the devices are others. */
  readonly control: SimulatedControl | null;
  close(): Promise<void>;
}

/** One driver family's part. A device it does not have is absent or null. */
interface Part {
  readonly devices: Partial<Devices>;
  readonly origins: Partial<DeviceOrigins>;
  close(): Promise<void>;
}

const NONE: { readonly [Key in keyof Devices]: null } = {
  cashDispenser: null,
  cashAcceptor: null,
  pinPad: null,
  receiptPrinter: null,
  barcodeScanner: null,
  lights: null,
};

/** Throws CONFIG_INVALID for a file that the configuration names and that cannot be read, DEVICE_FAILED naming a state file that is
 *  damaged; then nothing is left open. */
export async function openDevices(options: OpenDevicesOptions): Promise<OpenedDevices> {
  const { config } = options;
  if (config.kind === 'simulated') {
    const { devices, control, close } = await openSimulatedDevices({ ...options, speed: config.speed });
    const origin = { driver: 'simulated', connection: 'this program' };
    return { devices, origins: { ...NONE, ...originsOf(devices, origin) }, control, close };
  }
  const parts: Part[] = [];
  const close = async () => {
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    // Later parts take the place of earlier ones: what hangs on this terminal is nearer than what its machine has.
    if (config.kind === 'xfs4iot') parts.push(await openMachine(config, options));
    parts.push(await openHid(config.hid, options));
    const { receiptPrinter } = config.escpos;
    if (receiptPrinter) parts.push(await openPrinter(receiptPrinter, options));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    devices: merged<Devices>(NONE, ...parts.map(({ devices }) => devices)),
    origins: merged<DeviceOrigins>(NONE, ...parts.map(({ origins }) => origins)),
    control: null,
    close,
  };
}

async function openMachine(
  config: Extract<DevicesConfig, { kind: 'xfs4iot' }>,
  { profile, dataDir, dir, clock, chance, log, onAlarm }: OpenDevicesOptions,
): Promise<Part> {
  const { host, tokens, pinKey } = config;
  const { devices, close } = await openXfs4IotDevices({
    ...xfs4IotAddress(config, dataDir),
    clock,
    chance,
    profile,
    stateDir: dir,
    tokens,
    pinKeyName: pinKey,
    log: ({ level, message, ...more }) => log[level]({ xfs4iot: more }, message),
    onDeadLetter: ({ uri, reason }) =>
      onAlarm({ kind: 'device-message', message: `${uri}: a message did not fit (${reason})` }),
  });
  return { devices, origins: originsOf(devices, { driver: 'xfs4iot', connection: host }), close };
}

async function openHid(config: HidConfig, { clock, chance, log }: OpenDevicesOptions): Promise<Part> {
  const { pinPad, barcodeScanners, lights } = config;
  if (!pinPad && !lights && barcodeScanners.length === 0) return { devices: {}, origins: {}, close: async () => {} };
  // Loaded where it is used: a terminal without HID devices starts on a machine whose USB library does not.
  const [{ openHidDevices }, { nodeHidBus }] = await Promise.all([
    import('./hid/open.ts'),
    import('./hid/node-hid-bus.ts'),
  ]);
  const { close, ...devices } = await openHidDevices({ bus: nodeHidBus(), clock, chance, log, config });
  const origin = (which: HidSelector | null | undefined): DeviceOrigin | null =>
    which ? { driver: 'hid', connection: usbWords(which) } : null;
  const scanners = barcodeScanners.map(usbWords).join(', ');
  return {
    devices,
    origins: {
      pinPad: origin(pinPad),
      lights: origin(lights),
      barcodeScanner: scanners ? { driver: 'hid', connection: scanners } : null,
    },
    close,
  };
}

function usbWords({ vendorId, productId, serialNumber, port }: HidSelector): string {
  const id = (value: number) => value.toString(16).padStart(4, '0');
  const which = [
    vendorId !== undefined && `vendor ${id(vendorId)}`,
    productId !== undefined && `product ${id(productId)}`,
    serialNumber && `serial ${serialNumber}`,
    port && `socket ${port}`,
  ].filter(Boolean);
  return which.length > 0 ? `USB ${which.join(', ')}` : 'USB, the first of its kind';
}

async function openPrinter(config: EscPosPrinterConfig, { clock, log }: OpenDevicesOptions): Promise<Part> {
  const { openEscPosPrinter } = await import('./escpos/open.ts');
  const printer = await openEscPosPrinter({
    ...config,
    clock,
    log: (message, details) => log.info({ printer: details }, message),
  });
  const { line } = config;
  const connection = line.kind === 'tcp' ? `TCP ${line.host}:${line.port}` : line.path;
  return {
    devices: { receiptPrinter: printer },
    origins: { receiptPrinter: { driver: 'escpos', connection } },
    close: () => printer.close(),
  };
}

function originsOf(devices: Devices, origin: DeviceOrigin): Partial<DeviceOrigins> {
  const there = (Object.keys(devices) as (keyof Devices)[]).filter((key) => devices[key]);
  return Object.fromEntries(there.map((key) => [key, origin]));
}

function merged<Whole extends object>(first: Whole, ...rest: readonly Partial<Whole>[]): Whole {
  const given = rest.map((part) => Object.fromEntries(Object.entries(part).filter(([, value]) => value)));
  return Object.assign({}, first, ...given);
}
