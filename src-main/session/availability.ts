/** Which services can be offered now, and if not, what the customer is told. Pure. */
import type { Service } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import type { Device } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';

/** Devices a service can't do without. A receipt is not among them: it is offered when the printer works. */
const NEEDS: Readonly<Record<Service, readonly (keyof Devices)[]>> = {
  enrol: ['pinPad'],
  deposit: ['cashAcceptor'],
  withdraw: ['cashDispenser', 'pinPad'],
  balance: ['pinPad'],
  purchase: ['barcodeScanner'],
};

/** Services that may go on while the bank can't be asked, within its stand-in limits. */
const STANDS_IN: ReadonlySet<Service> = new Set(['purchase']);

/** Null when the service can be offered. */
export function unavailable(
  service: Service,
  devices: Devices,
  online: boolean,
  blocked: ReadonlySet<string>,
): SorryCode | null {
  for (const need of NEEDS[service]) {
    const device: Device | null = devices[need];
    if (!device || blocked.has(device.name) || device.health().state !== 'online') return 'device-unavailable';
  }
  return online || STANDS_IN.has(service) ? null : 'offline-service';
}
