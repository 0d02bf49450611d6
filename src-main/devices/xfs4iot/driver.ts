/**
 * What every driver over XFS4IoT has in it: the service it speaks to (which may come, go and come back), one command at a
 * time in order of arrival, and health.
 *
 * Aborting ends the wait of whoever asked. A command that was sent is cancelled at the device (Common.Cancel) and its completion
 * still waited for, inside the queue: the next command begins only when it is known how this one ended, or that nobody knows.
 */
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { Device, DeviceHealth } from '../device.ts';
import type { CommandName, CommandPayload, Completion, CompletionPayload, Xfs4IotService } from './client/index.ts';
import type { ServiceLink } from './service-link.ts';

/** Commands that may wait for their turn; a terminal that sends more has lost track of its devices. */
const QUEUE_LENGTH_MAX = 8;
/** A question needs no motor; but it may stand behind a command in the device's queue. */
export const QUERY_MS_MAX = 5_000;
/** The slowest mechanics of a cash device: a full stacker, a full escrow. */
export const MECHANICS_MS_MAX = 60_000;

/** How long what follows a broken connection waits for the next one, ms: below the session's patience for a question. */
const BACK_MS_MAX = 4_000;

const HEALTHY: DeviceHealth = { state: 'online', problem: null };

/** Anything but success, in the order of what is known about it. */
export type Failure = Exclude<Completion<CommandName>, { code: 'success' }>;

export abstract class XfsDriver implements Device {
  readonly name: string;
  protected readonly clock: Clock;
  protected readonly link: ServiceLink;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(health: DeviceHealth) => void>();
  readonly #stopWatching: () => void;
  #lastHealth: DeviceHealth = HEALTHY;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(name: string, link: ServiceLink, clock: Clock) {
    this.name = name;
    this.link = link;
    this.clock = clock;
    this.#stopWatching = link.onChange(() => this.healthMayHaveChanged());
    // The first health is what it is, not a change; subclasses have no fields yet, so their problems are told later.
    this.#lastHealth = this.#connection() ?? HEALTHY;
  }

  health(): DeviceHealth {
    return this.#connection() ?? this.problem() ?? HEALTHY;
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#stopWatching();
    this.#listeners.clear();
    this.#closed.abort(new TerminalError('DEVICE_UNAVAILABLE', `${this.name} is closed`));
    await this.#queue;
  }

  /** What keeps the device from its work, beyond not being there; null when nothing does. */
  protected problem(): DeviceHealth | null {
    return null;
  }

  protected healthMayHaveChanged(): void {
    const health = this.health();
    if (health.state === this.#lastHealth.state && health.problem === this.#lastHealth.problem) return;
    this.#lastHealth = health;
    for (const listener of [...this.#listeners]) listener(health);
  }

  /** Aborts when the driver is closed. */
  protected get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** The service when it is connected; null while it is not. */
  protected connected(): Xfs4IotService | null {
    const service = this.link.service();
    return service?.state() === 'connected' ? service : null;
  }

  /** The service, for a question. Rejects with DEVICE_UNAVAILABLE while it is not there. */
  protected needConnected(): Xfs4IotService {
    const service = this.connected();
    if (!service) throw this.unavailable();
    return service;
  }

  /** Waits for a device that just went away, as one does after a broken connection; not for one that is long gone. Returns
   *  whether it is there. */
  protected async back(signal: AbortSignal): Promise<boolean> {
    const there = () => this.connected()?.status().fresh === true;
    if (there()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const stop = this.link.onChange(() => there() && resolve(true));
    const callOff = this.clock.after(BACK_MS_MAX, () => resolve(false));
    try {
      return await orAbort(promise, signal);
    } finally {
      stop();
      callOff();
    }
  }

  protected unavailable(why = 'does not answer'): TerminalError {
    return new TerminalError('DEVICE_UNAVAILABLE', `${this.name} ${why}`);
  }

  /** Carries out one command in its turn; the caller's wait ends when the signal aborts, the command does not. */
  protected async inTurn<Result>(
    signal: AbortSignal,
    action: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    if (this.#waiting >= QUEUE_LENGTH_MAX) {
      throw new TerminalError('DEVICE_FAILED', `${this.name}: more than ${QUEUE_LENGTH_MAX} commands wait`);
    }
    const either = AbortSignal.any([signal, this.#closed.signal]);
    this.#waiting += 1;
    const turn = this.#queue.then(async () => {
      this.#waiting -= 1;
      either.throwIfAborted();
      return await action(either);
    });
    // The queue goes on whatever became of this command; the caller hears of it through `turn`.
    this.#queue = turn.catch(() => undefined);
    return await orAbort(turn, either);
  }

  /** Success payload of a question. Rejects with DEVICE_UNAVAILABLE or DEVICE_FAILED, naming the command and its code. */
  protected async ask<N extends CommandName>(
    name: N,
    payload: CommandPayload<N> | null,
    signal: AbortSignal,
    timeoutMs = QUERY_MS_MAX,
  ): Promise<CompletionPayload<N>> {
    const answer = await this.needConnected().command(name, payload, { timeoutMs, signal });
    if (answer.code === 'success') return answer.payload as CompletionPayload<N>;
    signal.throwIfAborted();
    const failure = answer as Failure;
    if (neverArrived(failure) || failure.code === 'connectionLost' || failure.code === 'noAnswer') {
      throw this.unavailable(`did not answer ${name}: ${failure.code}`);
    }
    throw new TerminalError('DEVICE_FAILED', `${this.name}: ${name} was answered ${sentenceOf(failure)}`);
  }

  #connection(): DeviceHealth | null {
    const service = this.link.service();
    if (!service) return { state: 'offline', problem: `no XFS4IoT service offers the ${this.name}` };
    const state = service.state();
    if (state !== 'connected') return { state: 'offline', problem: `${this.name} is not connected (${service.uri})` };
    const { common, fresh } = service.status();
    if (!fresh) return { state: 'offline', problem: `${this.name} is being read again` };
    const device = common?.device ?? 'unknown';
    const say = (health: DeviceHealth['state'], problem: string): DeviceHealth => ({ state: health, problem });
    switch (device) {
      case 'online':
      case 'deviceBusy':
        return null;
      case 'fraudAttempt':
      case 'potentialFraud':
        return say('fraudAttempt', `${this.name} reports ${device}: somebody must look at the machine`);
      case 'userError':
        return say('userError', `${this.name} is hindered by somebody: clear its shutter and slots`);
      case 'noDevice':
        return say('noDevice', `no ${this.name} is fitted`);
      case 'offline':
      case 'powerOff':
      case 'starting':
        return say('offline', `${this.name} reports ${device}`);
      default:
        return say('hardwareError', `${this.name} reports ${device}`);
    }
  }
}

/** Codes of a command that certainly never reached the device. */
export function neverArrived(failure: Failure): boolean {
  return failure.code === 'notSent' || failure.code === 'tooManyRequests';
}

/** For the technician: "commandErrorCode cashUnitError: pick failure in unit3". */
export function sentenceOf(failure: Failure): string {
  const { code, errorCode, description } = failure as {
    readonly code: string;
    readonly errorCode?: string | null;
    readonly description?: string | null;
  };
  return [[code, errorCode].filter(Boolean).join(' '), description].filter(Boolean).join(': ');
}

/** errorCode of a command, or the general code when it has none. */
export function reasonOf(failure: Failure): string {
  const { code, errorCode } = failure as { readonly code: string; readonly errorCode?: string | null };
  return code === 'commandErrorCode' && errorCode ? errorCode : code;
}

/** Settles as the promise does, or rejects with the signal's reason, whichever is first. */
export function orAbort<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
