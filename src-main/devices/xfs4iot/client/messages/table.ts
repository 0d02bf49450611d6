/** Every command and event this client knows, by name; the types of the public surface are inferred from here. */
import type { z } from 'zod';
import { barcodeReaderCommands } from './barcode-reader.ts';
import { biometricCommands, biometricEvents } from './biometric.ts';
import { cameraCommands, cameraEvents } from './camera.ts';
import { cashAcceptorCommands, cashAcceptorEvents } from './cash-acceptor.ts';
import { cashDispenserCommands, cashDispenserEvents } from './cash-dispenser.ts';
import { cashManagementCommands, cashManagementEvents } from './cash-management.ts';
import { commonCommands, commonEvents } from './common.ts';
import { keyManagementCommands, keyManagementEvents } from './key-management.ts';
import { keyboardCommands, keyboardEvents } from './keyboard.ts';
import type { CommandSpec, EventSpec } from './lenient.ts';
import { lightsCommands } from './lights.ts';
import { pinPadCommands } from './pin-pad.ts';
import { printerCommands, printerEvents } from './printer.ts';
import { servicePublisherCommands, servicePublisherEvents } from './service-publisher.ts';
import { storageCommands, storageEvents } from './storage.ts';

const COMMANDS = {
  ...servicePublisherCommands,
  ...commonCommands,
  ...storageCommands,
  ...cashManagementCommands,
  ...cashDispenserCommands,
  ...cashAcceptorCommands,
  ...keyboardCommands,
  ...pinPadCommands,
  ...keyManagementCommands,
  ...printerCommands,
  ...barcodeReaderCommands,
  ...lightsCommands,
  ...cameraCommands,
  ...biometricCommands,
} as const satisfies Record<string, CommandSpec>;

const EVENTS = {
  ...servicePublisherEvents,
  ...commonEvents,
  ...storageEvents,
  ...cashManagementEvents,
  ...cashDispenserEvents,
  ...cashAcceptorEvents,
  ...keyboardEvents,
  ...keyManagementEvents,
  ...printerEvents,
  ...cameraEvents,
  ...biometricEvents,
} as const satisfies Record<string, EventSpec>;

export type CommandName = keyof typeof COMMANDS;
export type EventName = keyof typeof EVENTS;
/** What may be sent with a command. */
export type CommandPayload<N extends CommandName> = z.input<(typeof COMMANDS)[N]['payload']>;
/** What a successful command answers; amounts in major units, binary as base64. */
export type CompletionPayload<N extends CommandName> = z.output<(typeof COMMANDS)[N]['completion']>;
export type EventPayload<E extends EventName> = z.output<(typeof EVENTS)[E]['payload']>;

const INTERFACES = [
  'ServicePublisher',
  'Common',
  'Storage',
  'CashManagement',
  'CashDispenser',
  'CashAcceptor',
  'Keyboard',
  'PinPad',
  'Crypto',
  'KeyManagement',
  'Printer',
  'BarcodeReader',
  'Lights',
  'Camera',
  'Biometric',
] as const;
export type InterfaceName = (typeof INTERFACES)[number];

/** Names are compared without regard to case: services spell `CashDispenser` and `cashDispenser`. */
function byLowerCase<N extends string>(names: readonly N[]): ReadonlyMap<string, N> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}
const interfaces = byLowerCase(INTERFACES);
const commands = byLowerCase(Object.keys(COMMANDS) as CommandName[]);
const events = byLowerCase(Object.keys(EVENTS) as EventName[]);

export const interfaceNamed = (name: string): InterfaceName | null => interfaces.get(name.toLowerCase()) ?? null;
export const commandNamed = (name: string): CommandName | null => commands.get(name.toLowerCase()) ?? null;
export const eventNamed = (name: string): EventName | null => events.get(name.toLowerCase()) ?? null;
export const commandSpec = (name: CommandName): CommandSpec => COMMANDS[name];
export const eventSpec = (name: EventName): EventSpec => EVENTS[name];
