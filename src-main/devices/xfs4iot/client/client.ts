/** The services of one machine: found on all its ports, each connected and kept connected. */
import type { ConnectionOptions } from './connection.ts';
import type { DeadLetter } from './dead-letter.ts';
import { DeadLetterBox } from './dead-letter-box.ts';
import { type DiscoveryOptions, discover, PUBLISHER_PORTS, sameService, serviceName } from './discovery.ts';
import { listeners } from './listeners.ts';
import type { InterfaceName } from './messages/table.ts';
import { orAborted } from './or-aborted.ts';
import { Service, type ServiceOptions } from './service.ts';
import { openWebSocket } from './socket.ts';
import type { ClientOptions, Limits, LogEntry, Xfs4IotClient, Xfs4IotService } from './surface.ts';

const LIMITS: Limits = {
  connectMs: 2_000,
  queryMs: 5_000,
  // Worst mechanical time beyond the header's time-out: a bundle on its way back is finished first.
  answerMarginMs: 30_000,
  cancelMs: 15_000,
  retryMs: 500,
  retryMsMax: 30_000,
  retriesBeforeDiscovery: 5,
  keepAliveMs: 10_000,
  outstandingMax: 16,
  // What the reference framework takes.
  messageBytesMax: 2 * 1024 * 1024,
  servicesMax: 64,
};

/**
 * Finds the services of a machine and connects each. Resolves once every service found has been tried; with none, and while one
 * is not connected, the search goes on in the background. Rejects only with the reason of `options.signal`.
 */
export async function connect(options: ClientOptions): Promise<Xfs4IotClient> {
  const client = new Client(options);
  try {
    await client.start(options.signal ?? new AbortController().signal);
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

class Client implements Xfs4IotClient {
  readonly #options: ClientOptions;
  readonly #limits: Limits;
  readonly #services: Service[] = [];
  readonly #letters: DeadLetterBox;
  readonly #ended = new AbortController();
  readonly #changes;
  #search: Promise<readonly string[]> | null = null;
  #searching: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#letters = new DeadLetterBox(options.clock, (letter) =>
      this.#guard(letter.uri, () => options.onDeadLetter(letter)),
    );
    this.#changes = listeners<'change', void>((error) => this.#listenerFailed('', error));
  }

  services(): readonly Xfs4IotService[] {
    return [...this.#services];
  }

  find(...interfaces: InterfaceName[]): Xfs4IotService | null {
    return this.#services.find((service) => interfaces.every((name) => service.interfaces.has(name))) ?? null;
  }

  onChange(listener: () => void): () => void {
    return this.#changes.add('change', listener);
  }

  deadLetters(): readonly DeadLetter[] {
    return this.#letters.letters();
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.rediscover(signal);
    this.#searching = this.#keepSearching();
  }

  async rediscover(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#ended.signal]);
    const uris = await orAborted(this.#discover(), stop);
    for (const service of this.#services) {
      if (service.state() === 'disconnected') service.hurry(this.#address(service, uris) ?? service.uri);
    }
    const known = new Set(this.#services.map(({ uri }) => sameService(uri)));
    const found = uris.filter((uri) => !known.has(sameService(uri)));
    const room = Math.max(0, this.#limits.servicesMax - this.#services.length);
    if (found.length > room) this.#log({ level: 'error', message: 'too many services', uri: this.#options.host });
    const added = found.slice(0, room).map((uri) => new Service(uri, this.#serviceOptions()));
    this.#services.push(...added);
    for (const service of added) this.#watch(service);
    if (added.length > 0) this.#changes.tell('change', undefined);
    await orAborted(Promise.all(added.map((service) => service.start())), stop);
  }

  async close(): Promise<void> {
    const closing = this.#services.map((service) => service.close());
    this.#ended.abort(new Error('closed by the client'));
    await Promise.all(closing);
    await this.#searching;
  }

  /** A publisher may start after the terminal: while there is no service at all, nothing else would look again. */
  async #keepSearching(): Promise<void> {
    const { signal } = this.#ended;
    while (this.#services.length === 0 && !signal.aborted) {
      try {
        await this.#options.clock.sleep(this.#limits.retryMsMax, signal);
        await this.rediscover(signal);
      } catch (error) {
        if (!signal.aborted) this.#log({ level: 'warn', message: 'not searched', uri: '', detail: String(error) });
      }
    }
  }

  /** One search at a time, shared by all who want one. */
  #discover(): Promise<readonly string[]> {
    const { host, ports = PUBLISHER_PORTS, clock } = this.#options;
    const wiring: DiscoveryOptions = {
      host,
      ports,
      clock,
      connection: (uri) => this.#connection(uri, { onEvent: () => {}, onLate: () => {} }),
    };
    this.#search ??= discover(wiring, this.#ended.signal).finally(() => {
      this.#search = null;
    });
    return this.#search;
  }

  /** Where a service is now: its own address, or that of a service of its name that nobody has. */
  #address(service: Service, uris: readonly string[]): string | null {
    const same = uris.find((uri) => sameService(uri) === sameService(service.uri));
    if (same) return same;
    const taken = new Set(this.#services.map(({ uri }) => sameService(uri)));
    const free = uris.filter((uri) => !taken.has(sameService(uri)));
    return free.find((uri) => serviceName(uri) === serviceName(service.uri)) ?? null;
  }

  /** A change of what a service offers is a change of the client. */
  #watch(service: Service): void {
    let seen = '';
    service.onChange(() => {
      const now = [...service.interfaces].join();
      if (now === seen) return;
      seen = now;
      this.#changes.tell('change', undefined);
    });
  }

  #serviceOptions(): ServiceOptions {
    return {
      connection: (uri, handlers) => this.#connection(uri, handlers),
      locate: async (service, signal) => this.#address(service, await orAborted(this.#discover(), signal)),
      onLateCompletion: (late) => {
        this.#log({
          level: 'warn',
          message: 'late completion',
          uri: late.uri,
          command: late.name,
          requestId: late.requestId,
          code: late.completion.code,
        });
        this.#guard(late.uri, () => this.#options.onLateCompletion?.(late));
      },
      onListenerFailed: (error) => this.#listenerFailed('', error),
      jitter: () => this.#options.jitter?.() ?? 0,
    };
  }

  #connection(uri: string, handlers: Pick<ConnectionOptions, 'onEvent' | 'onLate'>): ConnectionOptions {
    const { clock, openSocket = openWebSocket, tls = {} } = this.#options;
    return {
      uri,
      clock,
      openSocket,
      tls,
      limits: this.#limits,
      ...handlers,
      log: (entry) => this.#log({ ...entry, uri }),
      onDeadLetter: (reason, detail, bytes, message) => this.#letters.put({ uri, reason, detail, bytes, message }),
    };
  }

  #guard(uri: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#listenerFailed(uri, error);
    }
  }

  #listenerFailed(uri: string, error: unknown): void {
    this.#log({
      level: 'error',
      message: 'a listener failed',
      uri,
      detail: error instanceof Error ? error.name : typeof error,
    });
  }

  #log(entry: LogEntry): void {
    try {
      this.#options.log?.(entry);
    } catch {
      // Nobody is left to tell.
    }
  }
}
