/**
 * One connection to one service: commands out; acknowledges, events and completions in (XFS4IoT 2024-3, command life cycle).
 * Every command resolves exactly once. What the service says after a command was given up is told as late; what fits nothing
 * is a dead letter.
 */
import { Bounded } from './bounded.ts';
import type { ClientClock } from './clock.ts';
import { type Completion, completionCode, unanswered } from './completion.ts';
import { type DeadLetterReason, redacted } from './dead-letter.ts';
import { type Incoming, readEnvelope, writeCommand } from './envelope.ts';
import { type KeepAlive, keepAlive } from './keep-alive.ts';
import type { JsonObject } from './messages/lenient.ts';
import {
  type CommandName,
  type CommandPayload,
  type EventName,
  type EventPayload,
  eventNamed,
  eventSpec,
} from './messages/table.ts';
import { readCompletion, readEvent, writePayload } from './read-message.ts';
import type { Socket, SocketFactory, TlsOptions } from './socket.ts';
import type { CommandEvent, CommandOptions, Limits, LogEntry } from './surface.ts';
import { parsed, Unfit } from './unfit.ts';

/** Request ids remembered after their command ended, so that what still comes for them can be told apart. */
const REMEMBERED_MAX = 1_024;
/** For a Common.Cancel itself, ms. */
const CANCEL_ANSWER_MS = 5_000;
/** Longest time-out a timer can keep, ms (24.8 days). */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export interface ConnectionOptions {
  readonly uri: string;
  readonly clock: ClientClock;
  readonly limits: Limits;
  readonly openSocket: SocketFactory;
  readonly tls: TlsOptions;
  onEvent<E extends EventName>(name: E, payload: EventPayload<E>): void;
  onLate(name: CommandName, requestId: number, completion: Completion<CommandName>): void;
  onDeadLetter(reason: DeadLetterReason, detail: string, bytes: number | null, message: string | null): void;
  log(entry: Omit<LogEntry, 'uri'>): void;
}

/** How long a command is waited for beyond its time-out, and then for its completion after it was cancelled, ms. */
export interface Patience {
  readonly answerMarginMs: number;
  readonly cancelMs: number;
}

interface Pending {
  readonly name: CommandName;
  readonly requestId: number;
  readonly sentMs: number;
  readonly settle: (completion: Completion<CommandName>) => void;
  readonly onEvent: ((event: CommandEvent) => void) | undefined;
  readonly version: string;
  readonly cancelMs: number;
  acknowledged: boolean;
  givingUp: boolean;
  callOff: () => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #givenUp = new Bounded<number, CommandName>(REMEMBERED_MAX);
  readonly #finished = new Bounded<number, CommandName>(REMEMBERED_MAX);
  readonly #closed = Promise.withResolvers<string>();
  #socket: Socket | null = null;
  #open = true;
  #keepAlive: KeepAlive | null = null;
  #requestId = 0;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Rejects when the service cannot be reached within the limit, or with the signal's reason. */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(options);
    await connection.#connect(signal);
    return connection;
  }

  /** Resolves, with why, when the connection has ended. */
  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { uri, clock, limits, openSocket, tls } = this.#options;
    const slow = new AbortController();
    const callOff = clock.after(limits.connectMs, () =>
      slow.abort(new Error(`${uri} did not answer within ${limits.connectMs} ms`)),
    );
    try {
      this.#socket = await openSocket(
        uri,
        {
          text: (message) => this.#receive(message),
          refused: (reason, detail) => this.#options.onDeadLetter(reason, detail, null, null),
          closed: (detail) => this.#end(detail),
          pong: () => this.#keepAlive?.heard(),
        },
        { messageBytesMax: limits.messageBytesMax, tls, signal: AbortSignal.any([signal, slow.signal]) },
      );
    } finally {
      callOff();
    }
    if (!this.#open) throw new Error(`${uri} closed at once`);
    const socket = this.#socket;
    if (!socket.ping || limits.keepAliveMs <= 0) return;
    this.#keepAlive = keepAlive(
      clock,
      limits.keepAliveMs,
      () => socket.ping?.(),
      () => {
        socket.close();
        this.#end(`silent for ${limits.keepAliveMs} ms`);
      },
    );
  }

  /** Ends the connection; every outstanding command resolves as `connectionLost`. */
  close(): void {
    this.#socket?.close();
    this.#end('closed by the client');
  }

  /** Sends a command in the given version. Never rejects. */
  request<N extends CommandName>(
    name: N,
    payload: CommandPayload<N> | null,
    version: string,
    { timeoutMs, signal, onEvent }: CommandOptions,
    { answerMarginMs, cancelMs }: Patience = this.#options.limits,
  ): Promise<Completion<N>> {
    const { clock, limits } = this.#options;
    const notSent = (why: string) => Promise.resolve(unanswered('notSent', `${name}: ${why}`) as Completion<N>);
    if (!this.#open || !this.#socket) return notSent('no connection');
    if (signal.aborted) return notSent('called off before it was sent');
    const timeout = Math.ceil(timeoutMs);
    if (!(timeout >= 1 && timeout <= TIMEOUT_MS_MAX - answerMarginMs)) return notSent(`timeoutMs is ${timeoutMs}`);
    const body = writePayload(name, payload, version);
    if (!body.value) return notSent(body.unfit ?? 'payload');
    this.#requestId += 1;
    const requestId = this.#requestId;
    const message = writeCommand({ name, version, requestId, timeoutMs: timeout }, body.value);
    const bytes = Buffer.byteLength(message);
    if (bytes > limits.messageBytesMax) return notSent(`${bytes} bytes are above ${limits.messageBytesMax}`);

    return new Promise((resolve) => {
      const abort = () => this.#giveUp(pending, 'called off');
      const pending: Pending = {
        name,
        requestId,
        version,
        cancelMs,
        sentMs: clock.monotonicMs(),
        onEvent,
        acknowledged: false,
        givingUp: false,
        callOff: clock.after(timeout + answerMarginMs, () => this.#giveUp(pending, 'no answer in time')),
        settle: (completion) => {
          signal.removeEventListener('abort', abort);
          resolve(completion as Completion<N>);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#pending.set(requestId, pending);
      this.#options.log({ level: 'debug', message: 'command', command: name, requestId });
      this.#send(message);
    });
  }

  #send(message: string): void {
    try {
      this.#socket?.send(message);
    } catch (error) {
      // Whether anything left the machine is unknown: the commands end as connectionLost, not as notSent.
      this.#socket?.close();
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  /** Cancels at the service and waits, bounded, for the command's own completion. */
  #giveUp(pending: Pending, why: string): void {
    if (pending.givingUp || this.#pending.get(pending.requestId) !== pending) return;
    pending.givingUp = true;
    pending.callOff();
    const { clock, log } = this.#options;
    log({ level: 'info', message: why, command: pending.name, requestId: pending.requestId });
    const isCancel = pending.name === 'Common.Cancel';
    pending.callOff = clock.after(isCancel ? 0 : pending.cancelMs, () => {
      this.#givenUp.set(pending.requestId, pending.name);
      this.#settle(pending, unanswered('noAnswer', `${pending.name}: ${why}, and no completion after Common.Cancel`));
    });
    if (isCancel) return;
    void this.request('Common.Cancel', { requestIds: [pending.requestId] }, this.#cancelVersion(pending), {
      timeoutMs: CANCEL_ANSWER_MS,
      signal: new AbortController().signal,
    });
  }

  #cancelVersion: (pending: Pending) => string = ({ version }) => (version.startsWith('1.') ? '1.0' : '2.0');

  /** Tells with which version Common.Cancel is to be sent, once the service has listed it. */
  cancelWith(version: string): void {
    this.#cancelVersion = () => version;
  }

  #settle(pending: Pending, completion: Completion<CommandName>): void {
    pending.callOff();
    this.#pending.delete(pending.requestId);
    const { log, clock } = this.#options;
    log({
      level: completion.code === 'success' ? 'debug' : 'info',
      message: 'completion',
      command: pending.name,
      requestId: pending.requestId,
      code: completion.code,
      ms: Math.round(clock.monotonicMs() - pending.sentMs),
    });
    pending.settle(completion);
  }

  #end(detail: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#keepAlive?.stop();
    this.#closed.resolve(detail);
    for (const pending of [...this.#pending.values()]) {
      this.#settle(pending, unanswered('connectionLost', `${pending.name}: ${detail}`));
    }
  }

  #receive(text: string): void {
    if (!this.#open) return;
    this.#keepAlive?.heard();
    const bytes = Buffer.byteLength(text);
    let message: JsonObject | null = null;
    try {
      if (bytes > this.#options.limits.messageBytesMax) throw new Unfit('tooLarge', `${bytes} bytes`);
      message = parsed(text);
      this.#dispatch(message, (unfit) => this.#dead(unfit, bytes, message));
    } catch (error) {
      // Anything else: nested too deeply, or a defect of this package. The message is lost, the client is not.
      const unfit = error instanceof Unfit ? error : new Unfit('invalidPayload', `${error}`);
      this.#dead(unfit, bytes, error instanceof Unfit ? message : null);
    }
  }

  #dead({ reason, message: detail }: Unfit, bytes: number, message: JsonObject | null): void {
    this.#options.onDeadLetter(reason, detail, bytes, message && redacted(message));
  }

  #dispatch(message: JsonObject, dead: (unfit: Unfit) => void): void {
    const incoming = readEnvelope(message);
    if (incoming.kind === 'unreadable') throw new Unfit('invalidEnvelope', incoming.detail);
    if (incoming.kind === 'event') this.#event(incoming);
    else if (incoming.kind === 'acknowledge') this.#acknowledge(incoming);
    else this.#completion(incoming, dead);
  }

  /** The command of a request id, as long as it is remembered. A number under another name is nobody's answer. */
  #commandOf({ kind, requestId, name }: Extract<Incoming, { kind: 'acknowledge' | 'completion' }>): CommandName {
    const sent = this.#pending.get(requestId)?.name ?? this.#givenUp.get(requestId) ?? this.#finished.get(requestId);
    if (!sent) throw new Unfit('unknownRequest', `${kind} ${requestId} of ${name}`);
    if (sent.toLowerCase() === name.toLowerCase()) return sent;
    throw new Unfit('nameMismatch', `${kind} ${requestId} of ${name}, which was ${sent}`);
  }

  #completion(incoming: Extract<Incoming, { kind: 'completion' }>, dead: (unfit: Unfit) => void): void {
    const name = this.#commandOf(incoming);
    const { requestId } = incoming;
    const pending = this.#pending.get(requestId);
    if (!pending && !this.#givenUp.has(requestId)) throw new Unfit('duplicate', `completion ${requestId} of ${name}`);
    const { value, unfit } = readCompletion(name, incoming);
    if (unfit) dead(new Unfit('invalidPayload', `completion of ${name}: ${unfit}`));
    this.#givenUp.delete(requestId);
    this.#finished.set(requestId, name);
    if (pending) this.#settle(pending, value);
    else this.#options.onLate(name, requestId, value);
  }

  #acknowledge(incoming: Extract<Incoming, { kind: 'acknowledge' }>): void {
    const name = this.#commandOf(incoming);
    const { requestId, refused } = incoming;
    const pending = this.#pending.get(requestId);
    if (!pending || pending.acknowledged) {
      // An accepting acknowledge of a command that was given up says nothing new.
      if (refused === null && this.#givenUp.has(requestId)) return;
      throw new Unfit('duplicate', `acknowledge ${requestId} of ${name}`);
    }
    if (refused === null) {
      pending.acknowledged = true;
      return;
    }
    const code = refused === 'tooManyRequests' ? refused : completionCode(refused);
    if (code !== 'tooManyRequests' && code !== 'invalidMessage' && code !== 'invalidRequestID') {
      throw new Unfit('invalidEnvelope', `header.status: unknown in acknowledge ${requestId} of ${name}`);
    }
    this.#givenUp.set(requestId, name);
    const description = `${name}: refused by the service (${code})`;
    const answer = { errorCode: null, description, payload: {} };
    this.#settle(pending, code === 'tooManyRequests' ? unanswered(code, description) : { code, ...answer });
  }

  #event({ name, requestId, payload }: Extract<Incoming, { kind: 'event' }>): void {
    const known = eventNamed(name);
    const { log, onEvent } = this.#options;
    if (!known) {
      log({ level: 'debug', message: 'unknown event', detail: name });
      return;
    }
    const pending = requestId === null ? undefined : this.#pending.get(requestId);
    // What a command that was given up still tells may say where notes are.
    const ours = requestId === null || pending !== undefined || this.#givenUp.has(requestId);
    if (!ours && !eventSpec(known).unsolicited) {
      throw new Unfit('unknownRequest', `event ${name} of request ${requestId}`);
    }
    const { value, unfit } = readEvent(known, payload);
    if (unfit) throw new Unfit('invalidPayload', `event ${name}: ${unfit}`);
    onEvent(known, value as EventPayload<typeof known>);
    if (!pending?.onEvent) return;
    try {
      pending.onEvent({ name: known, payload: value } as CommandEvent);
    } catch (error) {
      const detail = error instanceof Error ? error.name : typeof error;
      log({ level: 'error', message: 'a listener failed', command: pending.name, detail });
    }
  }
}
