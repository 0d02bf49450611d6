/**
 * Which services can be offered now; if not, what the customer is told and what the technician has to look at. A device works
 * when it is there, says "online", and no suspect transaction or test holds it. Pure.
 */
import type { Service } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import type { Device } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';

/** Devices a service can't do without. */
const NEEDS: Readonly<Record<Service, readonly (keyof Devices)[]>> = {
  enrol: ['pinPad'],
  deposit: ['cashAcceptor'],
  withdraw: ['cashDispenser', 'pinPad'],
  transfer: ['pinPad'],
  balance: ['pinPad'],
  purchase: ['barcodeScanner'],
  'opt-out': [],
};

/** Devices a service goes on without. No receipt is a pity, not a reason: the screen says so before the money moves. */
const LIKES: Readonly<Record<Service, readonly (keyof Devices)[]>> = {
  enrol: ['lights'],
  deposit: ['receiptPrinter', 'lights'],
  withdraw: ['receiptPrinter', 'lights'],
  transfer: ['receiptPrinter', 'lights'],
  balance: ['lights'],
  purchase: ['receiptPrinter', 'lights'],
  'opt-out': ['lights'],
};

/** Services that go on while the bank can't be asked: a purchase within its stand-in limits, and a withdrawal of consent always. */
const STANDS_IN: ReadonlySet<Service> = new Set(['purchase', 'opt-out']);

export interface Surroundings {
  readonly devices: Devices;
  readonly online: boolean;
  /** Names of devices that a suspect transaction or a technician's test holds. */
  readonly blocked: ReadonlySet<string>;
}

/** One thing that keeps a service from being offered, or (as a warning) makes it poorer. */
export interface Hindrance {
  readonly code: SorryCode;
  /** What is the matter: a device, or null for the bank. */
  readonly device: keyof Devices | null;
  readonly cause: 'missing' | 'not-working' | 'blocked' | 'full' | 'bank';
  /** The device's own words for the technician; null where it has none. */
  readonly problem: string | null;
}

/** Everything that keeps the service from being offered: devices first, for the bank's return would not mend them. */
export function hindrances(service: Service, { devices, online, blocked }: Surroundings): readonly Hindrance[] {
  const ofDevices = [...NEEDS[service].flatMap((key) => amiss(key, devices, blocked)), ...full(service, devices)];
  if (online || STANDS_IN.has(service)) return ofDevices;
  return [...ofDevices, { code: 'offline-service', device: null, cause: 'bank', problem: null }];
}

/** What the service has to do without while it is offered. */
export function warnings(service: Service, { devices, blocked }: Surroundings): readonly Hindrance[] {
  return LIKES[service].flatMap((key) => amiss(key, devices, blocked));
}

/** Null when the service can be offered. */
export function unavailable(
  service: Service,
  devices: Devices,
  online: boolean,
  blocked: ReadonlySet<string>,
): SorryCode | null {
  return hindrances(service, { devices, online, blocked })[0]?.code ?? null;
}

/** Whether one device can be asked now. */
export function works(key: keyof Devices, { devices, blocked }: Pick<Surroundings, 'devices' | 'blocked'>): boolean {
  return amiss(key, devices, blocked).length === 0;
}

/** A machine that takes no note of any kind any more. */
function full(service: Service, { cashAcceptor }: Devices): Hindrance[] {
  if (service !== 'deposit' || cashAcceptor?.room()?.notesMax !== 0) return [];
  return [{ code: 'machine-full', device: 'cashAcceptor', cause: 'full', problem: null }];
}

function amiss(key: keyof Devices, devices: Devices, blocked: ReadonlySet<string>): Hindrance[] {
  const device: Device | null = devices[key];
  const hindrance = (cause: Hindrance['cause'], problem: string | null): Hindrance[] => [
    { code: 'device-unavailable', device: key, cause, problem },
  ];
  if (!device) return hindrance('missing', null);
  const { state, problem } = device.health();
  if (state !== 'online') return hindrance('not-working', problem);
  return blocked.has(device.name) ? hindrance('blocked', null) : [];
}
