/**
 * Time for tests of devices: it stands still while anything runs and jumps to the next timer when nothing does, so a test of
 * minutes takes milliseconds and always the same ones. `stopAtSleep` cuts the power: that sleep and all after it never end.
 */
import type { WallTimeMs } from '../../../src-contract/primitives.ts';
import type { Clock } from '../../../src-main/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  readonly #timers: Timer[] = [];
  readonly #stopAtSleep: number;
  readonly #stopped = Promise.withResolvers<void>();
  #ms = 0;
  #pumping = false;
  #sleeps = 0;

  constructor(stopAtSleep = Number.POSITIVE_INFINITY) {
    this.#stopAtSleep = stopAtSleep;
  }

  /** Resolves when the power is cut. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  now(): WallTimeMs {
    return (1_795_372_985_000 + this.#ms) as WallTimeMs;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.#sleeps += 1;
    if (this.#sleeps >= this.#stopAtSleep) {
      this.#stopped.resolve();
      return new Promise(() => {});
    }
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
    const timer = { at: this.#ms + Math.max(ms, 0), callback };
    this.#timers.push(timer);
    this.#pump();
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (!next) return;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#ms = Math.max(this.#ms, next.at);
      next.callback();
      if (this.#timers.length > 0) this.#pump();
    });
  }
}
