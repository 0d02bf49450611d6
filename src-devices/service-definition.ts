/** What a service is made of: what it shares with the other devices of its machine, and what it says of itself. */
import type { Clock } from './clock.ts';
import type { CommandHandler, Interface, Outcome } from './command.ts';
import type { Dialect } from './dialect.ts';
import type { Payload } from './envelope.ts';
import type { Faults } from './faults.ts';

/** What all devices of one machine share. */
export interface Runtime {
  readonly clock: Clock;
  readonly faults: Faults;
  /** Aborted when the power goes: nothing happens after that. */
  readonly power: AbortSignal;
  dialect(): Dialect;
  log(entry: LogEntry): void;
  /** Lets a mechanism work for so long; the machine's speed divides the time. Rejects only when the power goes, unless the act
   *  can still be called off: then with the signal's reason too. */
  act(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface LogEntry {
  readonly service: string;
  readonly message: string;
  readonly command?: string;
  readonly requestId?: number;
}

/** XFS4IoT, Common.Status, `common.device`. */
export type DeviceState =
  | 'online'
  | 'offline'
  | 'powerOff'
  | 'noDevice'
  | 'hardwareError'
  | 'userError'
  | 'deviceBusy'
  | 'fraudAttempt'
  | 'potentialFraud'
  | 'starting';

export interface ServiceDefinition {
  /** Last part of the service's path, e.g. `CashDispenser1`. */
  readonly name: string;
  readonly model: { readonly modelName: string; readonly serialNumber: string; readonly modelDescription: string };
  /** Besides Common, which every service has. */
  readonly interfaces: readonly Interface[];
  /** The status objects of its interfaces, by their key in Common.Status, e.g. `{ printer: { … } }`. */
  status(): Payload;
  /** Unit id → unit, as Storage.GetStorage shows it; absent: this device has no storage. */
  storage?(): Payload;
  /** What this device adds to Common: handlers (nonces), fields of `capabilities.common`, fields of `status.common`. */
  readonly common?: {
    readonly commands?: Readonly<Record<string, CommandHandler>>;
    readonly events?: readonly string[];
    capabilities?(): Payload;
    status?(): Payload;
  };
}

/** What the makers of a device's handlers get to speak with. */
export interface Outlet {
  /** An event to all connections of the service. */
  unsolicited(name: string, payload?: Payload): void;
  /** To be called after anything that shows in status or storage changed: sends what is different now. */
  changed(): void;
}

/** How a command ends at a device that is so. */
export const FAILURE_OF_STATE: Partial<Record<DeviceState, Outcome['code']>> = {
  offline: 'deviceNotReady',
  powerOff: 'deviceNotReady',
  noDevice: 'deviceNotReady',
  starting: 'deviceNotReady',
  hardwareError: 'hardwareError',
  userError: 'userError',
  fraudAttempt: 'fraudAttempt',
};

/** What Common.ErrorEvent says when a device gets so (XFS4IoT, 7.3). */
export const ERROR_EVENT_OF_STATE: Partial<Record<DeviceState, Payload>> = {
  hardwareError: { eventId: 'hardware', action: 'reset' },
  userError: { eventId: 'user', action: 'clear' },
  fraudAttempt: { eventId: 'fraudAttempt', action: 'maintenance' },
};
