/** XFS4IoT client: the public surface. */
export { connect } from './client.ts';
export type { ClientClock } from './clock.ts';
export type { Completion, FailureCode, UnansweredCode } from './completion.ts';
export type { DeadLetter, DeadLetterReason } from './dead-letter.ts';
export type { Counts } from './messages/cash-counts.ts';
export { OUTPUT_POSITIONS } from './messages/positions.ts';
export type { StorageUnit } from './messages/storage.ts';
export type {
  CommandName,
  CommandPayload,
  CompletionPayload,
  EventName,
  EventPayload,
  InterfaceName,
} from './messages/table.ts';
export {
  openWebSocket,
  type Socket,
  type SocketEvents,
  type SocketFactory,
  type SocketOptions,
  type TlsOptions,
} from './socket.ts';
export type {
  Capabilities,
  ClientOptions,
  CommandEvent,
  CommandOptions,
  LateCompletion,
  Limits,
  LogEntry,
  PublisherPort,
  ServiceState,
  Status,
  Storage,
  Xfs4IotClient,
  Xfs4IotService,
} from './surface.ts';
