/**
 * One service: a connection that is made again whenever it is lost, and mirrors of its status and storage. A service is
 * `connected` only once its capabilities, status and storage have been read over the connection of the moment; a command sent
 * at any other time is answered `notSent`.
 */
import { type Completion, unanswered } from './completion.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { latest } from './latest.ts';
import { listeners } from './listeners.ts';
import type { CommandName, CommandPayload, EventName, EventPayload, InterfaceName } from './messages/table.ts';
import { Mirror } from './mirror.ts';
import { NO_OFFER, type Offer, offerOf } from './offer.ts';
import { orAborted } from './or-aborted.ts';
import { ask } from './query.ts';
import type {
  Capabilities,
  CommandOptions,
  LateCompletion,
  ServiceState,
  Status,
  Storage,
  Xfs4IotService,
} from './surface.ts';

export interface ServiceOptions {
  connection(uri: string, handlers: Pick<ConnectionOptions, 'onEvent' | 'onLate'>): ConnectionOptions;
  /** Searches the machine; the address this service has now, or null. */
  locate(service: Service, signal: AbortSignal): Promise<string | null>;
  onLateCompletion(late: LateCompletion): void;
  /** A failure in somebody else's listener. */
  onListenerFailed(error: unknown): void;
  jitter(): number;
}

/** After these the device did nothing new, so the mirrors are still right. */
const NOTHING_HAPPENED = new Set<string>([
  'success',
  'invalidCommand',
  'unsupportedCommand',
  'invalidData',
  'unsupportedData',
  'invalidMessage',
  'tooManyRequests',
  'notSent',
  'connectionLost',
]);
/** Commands that only ask. */
const QUERY = /^Common[.](?!SetTransactionState)|[.]Get/;
/** Commands after which counts may be set anew, which a delta cannot say. */
const RECOUNTS = new Set<CommandName>(['Storage.SetStorage', 'Storage.StartExchange', 'Storage.EndExchange']);

export class Service implements Xfs4IotService {
  readonly #options: ServiceOptions;
  readonly #clock: ConnectionOptions['clock'];
  readonly #limits: ConnectionOptions['limits'];
  readonly #ended = new AbortController();
  readonly #tried = Promise.withResolvers<void>();
  readonly #status = new Mirror<Omit<Status, 'fresh'>>({});
  readonly #storage = new Mirror<{ readonly units: Storage['units'] }>({ units: {} });
  readonly #changes;
  readonly #events;
  #uri: string;
  #state: ServiceState = 'connecting';
  #offer: Offer = NO_OFFER;
  #understood: string | null = null;
  #connection: Connection | null = null;
  #hurry = new AbortController();
  #outstanding = 0;
  /** Both mirrors, for all who ask. */
  readonly #readAgain = latest(() => this.#readNow());
  #ending: Promise<void> | null = null;

  constructor(uri: string, options: ServiceOptions) {
    this.#uri = uri;
    this.#options = options;
    ({ clock: this.#clock, limits: this.#limits } = this.#wiring());
    this.#changes = listeners<'change', void>(options.onListenerFailed);
    this.#events = listeners<EventName, unknown>(options.onListenerFailed);
  }

  get uri(): string {
    return this.#uri;
  }
  get capabilities(): Capabilities {
    return this.#offer.capabilities;
  }
  get interfaces(): ReadonlySet<InterfaceName> {
    return this.#offer.interfaces;
  }
  supports(command: CommandName): boolean {
    return this.#offer.versions.has(command);
  }
  state(): ServiceState {
    return this.#state;
  }
  status(): Status {
    return { ...this.#status.value, fresh: this.#status.fresh };
  }
  storage(): Storage {
    return { units: this.#storage.value.units, fresh: this.#storage.fresh };
  }
  onChange(listener: () => void): () => void {
    return this.#changes.add('change', listener);
  }
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void): () => void {
    return this.#events.add(event, listener as (payload: unknown) => void);
  }

  async command<N extends CommandName>(
    name: N,
    payload: CommandPayload<N> | null,
    options: CommandOptions,
  ): Promise<Completion<N>> {
    const connection = this.#connection;
    const refuse = (code: 'notSent' | 'tooManyRequests', why: string) =>
      unanswered(code, `${name}: ${why}`) as Completion<N>;
    if (this.#state !== 'connected' || !connection) return refuse('notSent', `the service is ${this.#state}`);
    const version = this.#offer.versions.get(name);
    if (!version) return refuse('notSent', 'not offered by the service in a version this client knows');
    const most = Math.min(this.#limits.outstandingMax, this.#offer.requestsMax);
    if (this.#outstanding >= most) return refuse('tooManyRequests', `${most} commands are outstanding`);
    this.#outstanding += 1;
    const completion = await connection.request(name, payload, version, options);
    this.#outstanding -= 1;
    const doubtful = !NOTHING_HAPPENED.has(completion.code) && !QUERY.test(name);
    if (doubtful || (RECOUNTS.has(name) && completion.code === 'success')) this.#refreshSoon();
    return completion;
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await orAborted(this.#readAgain(), signal);
  }

  /** Begins to connect; resolves when the first attempt has come to something. */
  start(): Promise<void> {
    this.#ending ??= this.#keepConnected();
    return this.#tried.promise;
  }

  /** Tries again at once, at another address where one is given. */
  hurry(uri = this.#uri): void {
    if (this.#state === 'connected') return;
    this.#uri = uri;
    this.#hurry.abort();
  }

  async close(): Promise<void> {
    // The connection first: nothing needs to be cancelled on it any more.
    this.#connection?.close();
    this.#ended.abort(new Error('closed by the client'));
    this.#set('closed');
    await this.#ending;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#ended;
    let failures = 0;
    while (!signal.aborted) {
      this.#set('connecting');
      try {
        const connection = await this.#establish(signal);
        const since = this.#clock.monotonicMs();
        this.#tried.resolve();
        const why = await connection.closed;
        // One that is lost at once, again and again, is tried less and less often.
        if (this.#clock.monotonicMs() - since >= this.#limits.retryMsMax) failures = 0;
        if (!signal.aborted) this.#log('warn', 'connection lost', why);
      } catch (error) {
        if (!signal.aborted) this.#log('info', 'not connected', error instanceof Error ? error.message : String(error));
      }
      this.#disconnect();
      this.#tried.resolve();
      if (signal.aborted) break;
      failures += 1;
      await this.#pause(failures, signal);
      if (failures % this.#limits.retriesBeforeDiscovery === 0 && !signal.aborted) {
        this.#uri = (await this.#options.locate(this, signal).catch(() => null)) ?? this.#uri;
      }
    }
    this.#set('closed');
  }

  /** Connects and reads everything; rejects when the service does not answer. */
  async #establish(signal: AbortSignal): Promise<Connection> {
    const connection = await Connection.open(this.#wiring(), signal);
    try {
      const query = { timeoutMs: this.#limits.queryMs, signal };
      const { completion, version } = await ask(connection, 'Common.Capabilities', query, this.#understood);
      if (completion.code !== 'success') throw new Error(`Common.Capabilities: ${completion.code}`);
      this.#understood = version;
      this.#offer = offerOf(completion.payload, version);
      connection.cancelWith(this.#offer.versions.get('Common.Cancel') ?? version);
      await this.#read(connection, signal);
      signal.throwIfAborted();
      const gone = await Promise.race([connection.closed, null]);
      if (gone !== null) throw new Error(gone);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#connection = connection;
    this.#set('connected');
    return connection;
  }

  /** Status and storage anew. An answer that is a failure leaves its mirror not fresh; no answer rejects. */
  async #read(connection: Connection, signal: AbortSignal): Promise<void> {
    const query = { timeoutMs: this.#limits.queryMs, signal };
    const asked = async <N extends 'Common.Status' | 'Storage.GetStorage'>(name: N) => {
      const listed = this.#offer.versions.get(name) ?? this.#understood;
      const { completion } = await ask(connection, name, query, listed);
      if (completion.code === 'success') return completion.payload;
      this.#log('warn', `${name} failed`, completion.code);
      if (completion.code === 'noAnswer' || completion.code === 'connectionLost' || completion.code === 'notSent') {
        throw new Error(`${name}: ${completion.description}`);
      }
      return null;
    };
    try {
      await this.#status.read(() => asked('Common.Status'));
      await this.#storage.read(async () => {
        if (!this.supports('Storage.GetStorage')) return { units: {} };
        const payload = await asked('Storage.GetStorage');
        return payload && { units: payload.storage ?? {} };
      });
    } catch (error) {
      this.#outdate();
      throw error;
    }
  }

  /** Over the connection of the moment; rejects unless both mirrors are fresh afterwards. */
  async #readNow(): Promise<void> {
    if (this.#state !== 'connected' || !this.#connection) throw new Error(`${this.#uri} is ${this.#state}`);
    try {
      await this.#read(this.#connection, this.#ended.signal);
    } finally {
      this.#changed();
    }
    if (!this.#status.fresh) throw new Error(`${this.#uri} does not tell its status`);
    if (!this.#storage.fresh) throw new Error(`${this.#uri} does not tell its storage`);
  }

  /** In the background; a failure leaves the mirrors not fresh, which is how a reader learns of it. */
  #refreshSoon(): void {
    this.#readAgain().catch((error: unknown) => {
      if (!this.#ended.signal.aborted) this.#log('warn', 'not refreshed', error instanceof Error ? error.message : '');
    });
  }

  #wiring(): ConnectionOptions {
    return this.#options.connection(this.#uri, {
      onEvent: (name, payload) => this.#onEvent(name, payload),
      onLate: (name, requestId, completion) => {
        this.#options.onLateCompletion({ uri: this.#uri, name, requestId, completion } as LateCompletion);
        if (!QUERY.test(name)) this.#refreshSoon();
      },
    });
  }

  #onEvent<E extends EventName>(name: E, payload: EventPayload<E>): void {
    if (name === 'Common.StatusChangedEvent') this.#status.apply(payload as object);
    else if (name === 'Storage.StorageErrorEvent') {
      const { unit } = payload as EventPayload<'Storage.StorageErrorEvent'>;
      if (unit) this.#storage.apply({ units: unit });
    } else if (name.startsWith('Storage.')) this.#storage.apply({ units: payload });
    if (name === 'Common.StatusChangedEvent' || name.startsWith('Storage.')) this.#changed();
    this.#events.tell(name, payload);
  }

  #disconnect(): void {
    this.#connection = null;
    this.#outdate();
    if (this.#state !== 'closed') this.#set('disconnected');
  }

  #outdate(): void {
    this.#status.outdate();
    this.#storage.outdate();
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { retryMs, retryMsMax } = this.#limits;
    const longest = Math.min(retryMs * 2 ** Math.min(failures - 1, 30), retryMsMax);
    const ms = longest * (1 - this.#options.jitter() / 2);
    await this.#clock.sleep(ms, AbortSignal.any([signal, this.#hurry.signal])).catch(() => {});
    this.#hurry = new AbortController();
  }

  #set(state: ServiceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed();
  }

  #changed(): void {
    this.#changes.tell('change', undefined);
  }

  #log(level: 'info' | 'warn', message: string, detail: string): void {
    this.#wiring().log({ level, message, detail });
  }
}
