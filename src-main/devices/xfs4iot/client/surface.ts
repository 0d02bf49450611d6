/**
 * What this package offers: a client of the XFS4IoT services of one machine. The standard: CEN workshop agreement XFS4IoT,
 * edition 2024-3; editions 2021-1 and 2023-2 are understood.
 */
import type { z } from 'zod';
import type { ClientClock } from './clock.ts';
import type { Completion } from './completion.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { CapabilitiesPayload } from './messages/capabilities.ts';
import type { StatusPayload } from './messages/status.ts';
import type { StorageUnit } from './messages/storage.ts';
import type { CommandName, CommandPayload, EventName, EventPayload, InterfaceName } from './messages/table.ts';
import type { SocketFactory, TlsOptions } from './socket.ts';

export interface PublisherPort {
  readonly port: number;
  /** wss instead of ws. */
  readonly secure: boolean;
}

export interface ClientOptions {
  /** Name or address of the machine whose publishers are asked. */
  readonly host: string;
  /** Default: 80 (ws), 443 (wss), 5846 to 5856 (both). */
  readonly ports?: readonly PublisherPort[];
  readonly clock: ClientClock;
  /** Default: `ws`. */
  readonly openSocket?: SocketFactory;
  readonly tls?: TlsOptions;
  /** A message that did not fit; raise an alarm. Holds no token, PIN block, customer data or picture. */
  onDeadLetter(letter: DeadLetter): void;
  /** A completion that came after its command was given up: it may say that money moved. */
  onLateCompletion?(late: LateCompletion): void;
  log?(entry: LogEntry): void;
  /** Spreads reconnects, in [0, 1). Default: none. */
  jitter?(): number;
  readonly limits?: Partial<Limits>;
  /** Gives up the first discovery. */
  readonly signal?: AbortSignal;
}

/** Every wait, queue and retry has a bound. */
export interface Limits {
  /** For a connection to open, ms. */
  readonly connectMs: number;
  /** For Capabilities, Status, GetStorage, GetServices, ms. */
  readonly queryMs: number;
  /** What a command of the caller may take beyond its own time-out before it is cancelled, ms: the worst mechanical time. */
  readonly answerMarginMs: number;
  /** For the completion of a command that was cancelled, ms. */
  readonly cancelMs: number;
  /** First and longest wait between two attempts to connect, ms; it doubles in between. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** Attempts at one address before the machine is searched again. */
  readonly retriesBeforeDiscovery: number;
  /** Between two pings of a connection, ms; a silence twice as long ends it. 0: none. */
  readonly keepAliveMs: number;
  /** Commands without a completion, per service. */
  readonly outstandingMax: number;
  /** In either direction, bytes. */
  readonly messageBytesMax: number;
  readonly servicesMax: number;
}

export interface Xfs4IotClient {
  services(): readonly Xfs4IotService[];
  /** The first service that reports all these interfaces; null when there is none. */
  find(...interfaces: InterfaceName[]): Xfs4IotService | null;
  /** Searches all ports again: new services are connected, lost ones are tried at their new address at once. */
  rediscover(signal: AbortSignal): Promise<void>;
  /** A service was found, or a service's interfaces changed. Returns how to unsubscribe. */
  onChange(listener: () => void): () => void;
  /** The last dead letters, oldest first, bounded. */
  deadLetters(): readonly DeadLetter[];
  close(): Promise<void>;
}

export type ServiceState = 'connecting' | 'connected' | 'disconnected' | 'closed';

export type Capabilities = z.output<typeof CapabilitiesPayload>;

/** The mirror of Common.Status. `fresh` is false from a disconnect until it has been read again. */
export type Status = z.output<typeof StatusPayload> & { readonly fresh: boolean };

/** The mirror of Storage.GetStorage; empty for a service without storage. */
export interface Storage {
  readonly units: Readonly<Record<string, StorageUnit>>;
  readonly fresh: boolean;
}

export type CommandEvent = { [E in EventName]: { readonly name: E; readonly payload: EventPayload<E> } }[EventName];

export interface CommandOptions {
  /** Put into the header: how long the service may take, from when it receives the command. At least 1 ms. */
  readonly timeoutMs: number;
  /** Sends Common.Cancel; the command still resolves with its own completion. */
  readonly signal: AbortSignal;
  /** Events of this command, in order. */
  readonly onEvent?: (event: CommandEvent) => void;
}

export interface Xfs4IotService {
  readonly uri: string;
  /** Empty until the service was connected for the first time. */
  readonly capabilities: Capabilities;
  readonly interfaces: ReadonlySet<InterfaceName>;
  /** Whether the service lists the command, in a version this client knows. */
  supports(command: CommandName): boolean;
  state(): ServiceState;
  status(): Status;
  storage(): Storage;
  /** State, status or storage changed. Returns how to unsubscribe. */
  onChange(listener: () => void): () => void;
  /** By name, whether it was sent to everybody or with a request. Returns how to unsubscribe. */
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void): () => void;
  /** Never rejects: whatever happens is a completion. */
  command<N extends CommandName>(
    name: N,
    payload: CommandPayload<N> | null,
    options: CommandOptions,
  ): Promise<Completion<N>>;
  /** Reads status and storage again. Rejects with the signal's reason, or when the service does not answer. */
  refresh(signal: AbortSignal): Promise<void>;
}

/** What was said of a command that had been given up; read like any other completion. */
export type LateCompletion = {
  [N in CommandName]: {
    readonly uri: string;
    readonly name: N;
    readonly requestId: number;
    readonly completion: Completion<N>;
  };
}[CommandName];

/** Carries names, numbers and codes, never a payload. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly uri: string;
  readonly command?: string;
  readonly requestId?: number;
  readonly code?: string;
  readonly ms?: number;
  readonly detail?: string;
}
