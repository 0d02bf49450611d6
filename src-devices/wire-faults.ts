/** Faults between service and client: of the connection and of the messages, whatever device is behind them. */
import { z } from 'zod';
import { faultKind } from './faults.ts';

const command = z.string().min(1);
const event = z.string().min(1);

/** The act itself is awaited in both cases: what moved has moved, only nobody is told. */
export const connectionDrop = faultKind(
  'connectionDrop',
  'The connection breaks at a command: before its act begins, or after the act and before the completion.',
  { command, when: z.enum(['beforeAct', 'afterAct']) },
);
export const slowCompletion = faultKind(
  'slowCompletion',
  'The completion of a command comes this much later than its act; a time-out in between changes nothing.',
  { command, delayMs: z.int().min(1) },
);
export const lateResult = faultKind(
  'lateResult',
  'The command no longer hears Cancel and time-out: it goes on and completes with what it did.',
  { command },
);
export const deviceFailure = faultKind('deviceFailure', 'The command fails at once with this completion code.', {
  command,
  code: z.enum(['deviceNotReady', 'hardwareError', 'internalError', 'userError', 'fraudAttempt', 'sequenceError']),
});
export const missingEvent = faultKind('missingEvent', 'This event, due now, is not sent.', { event });
export const duplicateEvent = faultKind('duplicateEvent', 'This event, due now, is sent twice.', { event });
export const missingCompletion = faultKind('missingCompletion', 'The completion of a command is never sent.', {
  command,
});
export const duplicateCompletion = faultKind('duplicateCompletion', 'The completion of a command is sent twice.', {
  command,
});
export const strayCompletion = faultKind(
  'strayCompletion',
  'Before its own completion a command is answered by one for a request nobody made.',
  { command },
);
export const garbage = faultKind('garbage', 'Before the completion of a command comes a text that is no message.', {
  command,
  text: z.string().default('{"header":'),
});
export const unknownFields = faultKind(
  'unknownFields',
  'The messages of a command carry fields that no edition knows.',
  { command },
);

export const WIRE_FAULTS = [
  connectionDrop,
  slowCompletion,
  lateResult,
  deviceFailure,
  missingEvent,
  duplicateEvent,
  missingCompletion,
  duplicateCompletion,
  strayCompletion,
  garbage,
  unknownFields,
];
