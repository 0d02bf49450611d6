/**
 * Time that stands still while a request is at the bank (`during`) and until everything that was set going has come to a rest, and then
 * jumps to the next timer. Timers of the same moment go in order of asking. Where no work is done in other threads (the simulation:
 * on-the-spot.ts), one turn of the event loop ends whatever was set going, and nothing depends on the machine; world-clock.ts knows of work
 * elsewhere.
 */
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Clock } from '../../src-main/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** 2026-11-22T08:00:00Z, after the default policy was issued. */
export const START_MS = 1_795_334_400_000;

export class VirtualTime implements Clock {
  /** Latest first, and of one moment the last asked for first: the next one is at the end. */
  readonly #timers: Timer[] = [];
  #ms = 0;
  #busy = 0;
  #pumping = false;
  #closed = false;

  now(): WallTimeMs {
    return (START_MS + Math.round(this.#ms)) as WallTimeMs;
  }

  monotonicMs(): number {
    return this.#ms;
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#ms + Math.max(ms, 0), callback };
    let place = this.#timers.length;
    while (place > 0 && this.#timers[place - 1]!.at <= timer.at) place -= 1;
    this.#timers.splice(place, 0, timer);
    this.stir();
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at !== -1) this.#timers.splice(at, 1);
    };
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

  /** Waits until this moment, ms since the start. */
  until(atMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(atMs - this.#ms, resolve));
  }

  /** Time stands still until this is settled. */
  async during<Value>(work: Promise<Value>): Promise<Value> {
    this.#busy += 1;
    try {
      return await work;
    } finally {
      this.#busy -= 1;
      this.stir();
    }
  }

  close(): void {
    this.#closed = true;
    this.#timers.length = 0;
  }

  /** Whether everything has come to a rest: "not yet" is asked again in the next turn, "no" when something stirs. */
  protected rest(): 'yes' | 'not yet' | 'no' {
    return 'yes';
  }

  /** Something was set going, or ended. */
  protected stir(): void {
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#pumping = false;
    if (this.#closed || this.#busy > 0 || this.#timers.length === 0) return;
    const rest = this.rest();
    if (rest === 'no') return;
    if (rest === 'yes') {
      const next = this.#timers.pop()!;
      this.#ms = Math.max(this.#ms, next.at);
      next.callback();
    }
    this.#pump();
  }
}
