/** A clock that stands still until it is told to move: for tests, and for running a machine by hand. */
import type { Clock } from './clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Turns of the event loop that are waited for work that a timer or a socket started. */
const TURNS = 5;

export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #ms = 0;

  now(): number {
    return 1_795_334_400_000 + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const abort = () => {
        callOff();
        reject(signal.reason);
      };
      const callOff = this.after(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#ms + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on by ms; timers due in between are called in order, each with the time it was due and a while to work. */
  async advance(ms: number): Promise<void> {
    const until = this.#ms + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#ms = Math.max(this.#ms, due.atMs);
      due.callback();
      await settle();
    }
    this.#ms = until;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
