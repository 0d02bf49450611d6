/**
 * From the configuration's devices to open ports: which driver each device gets. Only this file, find.ts and terminal.ts name
 * concrete drivers.
 */
import type { Profile } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Devices } from './devices.ts';
import type { SimulatedControl } from './simulated/control.ts';
import { openSimulatedDevices } from './simulated/open.ts';

export interface OpenDevicesOptions {
  readonly config: Config['devices'];
  readonly profile: Profile;
  /** Where drivers keep what must survive a restart. */
  readonly dir: string;
  /** Where simulated printers keep what they printed. */
  readonly receiptsDir: string;
  readonly clock: Clock;
  readonly chance: Chance;
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

/** A device that is not there now keeps nothing from opening: its health says so, and its driver takes it up when it comes. */
export async function openDevices(options: OpenDevicesOptions): Promise<OpenedDevices> {
  const { config } = options;
  switch (config.kind) {
    case 'simulated': {
      const { devices, control, close } = await openSimulatedDevices({ ...options, speed: config.speed });
      return {
        devices,
        origins: originsOf(devices, { driver: 'simulated', connection: 'this program' }),
        control,
        close,
      };
    }
  }
}

function originsOf(devices: Devices, origin: DeviceOrigin): DeviceOrigins {
  const of = (key: keyof Devices) => (devices[key] ? origin : null);
  return {
    cashDispenser: of('cashDispenser'),
    cashAcceptor: of('cashAcceptor'),
    pinPad: of('pinPad'),
    receiptPrinter: of('receiptPrinter'),
    barcodeScanner: of('barcodeScanner'),
    lights: of('lights'),
  };
}
