/**
 * What every simulated device has in it: one command at a time, in order of arrival (XFS4IoT, general part, command
 * queueing); time that steps take; health and who listens to it.
 *
 * Aborting a command ends the wait of whoever asked, not the motor: a command that has begun runs to its end, as it would in
 * hardware, and one that still waits for its turn is not begun. Closing stops in the middle of the step, as a power cut does.
 */
import type { Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { Device, DeviceHealth } from '../device.ts';
import type { FaultDevice, Faults } from './faults.ts';

/** Commands that may wait for their turn; a terminal that sends more has lost track of its devices. */
const QUEUE_LENGTH_MAX = 8;
const SLOW_FACTOR = 10;
const HEALTHY: DeviceHealth = { state: 'online', problem: null };

export interface MechanismOptions {
  readonly clock: Clock;
  readonly faults: Faults;
  /** Divides every duration: 1 is brisk hardware, 0.5 takes twice as long. */
  readonly speed: number;
}

export class Mechanism implements Device {
  readonly name: FaultDevice;
  readonly #options: MechanismOptions;
  readonly #power = new AbortController();
  readonly #listeners = new Set<(health: DeviceHealth) => void>();
  readonly #problem: () => DeviceHealth | null;
  readonly #stopWatching: () => void;
  #lastHealth: DeviceHealth;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #slow = false;

  /** @param problem what keeps the device from working, beyond being gone; null when nothing does. */
  constructor(name: FaultDevice, options: MechanismOptions, problem: () => DeviceHealth | null = () => null) {
    this.name = name;
    this.#options = options;
    this.#problem = problem;
    this.#lastHealth = this.health();
    this.#stopWatching = options.faults.onChange(() => this.healthMayHaveChanged());
  }

  health(): DeviceHealth {
    if (this.isGone()) return { state: 'offline', problem: `${this.name} does not answer` };
    return this.#problem() ?? HEALTHY;
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  healthMayHaveChanged(): void {
    const health = this.health();
    if (health.state === this.#lastHealth.state && health.problem === this.#lastHealth.problem) return;
    this.#lastHealth = health;
    for (const listener of [...this.#listeners]) listener(health);
  }

  isGone(): boolean {
    return this.#options.faults.stands(this.name, 'gone') !== undefined;
  }

  /** Aborts when the device is closed. */
  get power(): AbortSignal {
    return this.#power.signal;
  }

  /** Time one step takes. Ends early only when the device is closed. */
  async step(ms: number): Promise<void> {
    await this.#options.clock.sleep((ms * (this.#slow ? SLOW_FACTOR : 1)) / this.#options.speed, this.#power.signal);
  }

  /** Carries out one command in its turn. */
  command<Completion>(name: string, signal: AbortSignal, action: () => Promise<Completion>): Promise<Completion> {
    const { faults } = this.#options;
    return this.#inTurn(signal, async () => {
      this.#slow = faults.strikes(this.name, 'slow', name);
      const completion = await action();
      if (faults.strikes(this.name, 'answer-lost', name)) await never(this.#power.signal, signal);
      return completion;
    });
  }

  async #inTurn<Completion>(signal: AbortSignal, action: () => Promise<Completion>): Promise<Completion> {
    signal.throwIfAborted();
    this.#power.signal.throwIfAborted();
    if (this.#waiting >= QUEUE_LENGTH_MAX) {
      throw new TerminalError('DEVICE_FAILED', `${this.name}: more than ${QUEUE_LENGTH_MAX} commands wait`);
    }
    this.#waiting += 1;
    const turn = this.#queue.then(async () => {
      this.#waiting -= 1;
      signal.throwIfAborted();
      this.#power.signal.throwIfAborted();
      return await action();
    });
    // The queue goes on whatever became of this command; the caller hears of it through `turn`.
    this.#queue = turn.catch(() => undefined);
    return await orAbort(turn, AbortSignal.any([signal, this.#power.signal]));
  }

  /** An immediate question: no turn to wait for, but the device must be there. */
  async query<Answer>(signal: AbortSignal, answer: () => Answer): Promise<Answer> {
    signal.throwIfAborted();
    await this.#options.clock.sleep(1, AbortSignal.any([signal, this.#power.signal]));
    this.needThere();
    return answer();
  }

  /** A question whose answer counts: asked when every command before it has come to its end. */
  settled<Answer>(signal: AbortSignal, answer: () => Answer): Promise<Answer> {
    return this.#inTurn(signal, () => this.query(signal, answer));
  }

  needThere(): void {
    if (this.isGone()) throw new TerminalError('DEVICE_UNAVAILABLE', `${this.name} does not answer`);
  }

  async close(): Promise<void> {
    this.#stopWatching();
    this.#listeners.clear();
    this.#power.abort(new TerminalError('DEVICE_UNAVAILABLE', `${this.name} is closed`));
    await this.#queue;
  }
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

/** Pends until one of the signals aborts, then resolves. */
function never(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const any = AbortSignal.any([...signals]);
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits until the condition holds, looking again at every change; "timeout" after timeoutMs. */
export async function until(
  condition: () => boolean,
  onChange: (listener: () => void) => () => void,
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<'held' | 'timeout'> {
  signal.throwIfAborted();
  if (condition()) return 'held';
  let end: () => void = () => {};
  try {
    return await orAbort(
      new Promise<'held' | 'timeout'>((resolve) => {
        const stop = onChange(() => condition() && resolve('held'));
        const callOff = clock.after(timeoutMs, () => resolve('timeout'));
        end = () => {
          stop();
          callOff();
        };
      }),
      signal,
    );
  } finally {
    end();
  }
}
