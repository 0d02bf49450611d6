/** One command at a time, in the order of their coming, and a bound on how many wait. */
import { TerminalError } from '../../errors.ts';

const WAITING_MAX = 8;

export class Turns {
  readonly #name: string;
  readonly #power: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #running = false;

  /** @param power aborts when the device is closed: nothing begins after that, and who waits is told its reason. */
  constructor(name: string, power: AbortSignal) {
    this.#name = name;
    this.#power = power;
  }

  get idle(): boolean {
    return !this.#running && this.#waiting === 0;
  }

  /** Aborting ends the caller's wait; a command that has begun runs to its end, one that waits for its turn is not begun. */
  async run<Value>(signal: AbortSignal, action: () => Promise<Value>): Promise<Value> {
    const either = AbortSignal.any([signal, this.#power]);
    either.throwIfAborted();
    if (this.#waiting >= WAITING_MAX) {
      throw new TerminalError('DEVICE_FAILED', `${this.#name}: more than ${WAITING_MAX} commands wait`);
    }
    this.#waiting += 1;
    const turn = this.#last.then(async () => {
      this.#waiting -= 1;
      either.throwIfAborted();
      this.#running = true;
      try {
        return await action();
      } finally {
        this.#running = false;
      }
    });
    // The next turn comes whatever became of this one; the caller hears of it through `turn`.
    this.#last = turn.catch(() => undefined);
    return await new Promise((resolve, reject) => {
      const abort = () => reject(either.reason);
      either.addEventListener('abort', abort, { once: true });
      turn.then(resolve, reject).finally(() => either.removeEventListener('abort', abort));
    });
  }

  /** Resolves when the last command has come to its end. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
