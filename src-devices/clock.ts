/**
 * Time and chance of the simulated hardware, as parameters: tests run it on a clock of their own. The only file here that
 * touches Date, timers or the random number generator; lint fences them everywhere else.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** UTC, ms since 1970. May jump. */
  now(): number;
  /** Ms since an arbitrary start. Never goes back; the only one to measure with. */
  monotonicMs(): number;
  /** Resolves after ms, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls once after ms; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

export interface Chance {
  bytes(length: number): Uint8Array;
}

/** Longest wait Node's timers know, ms (2^31 - 1); a longer one would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(Math.min(ms, TIMER_MS_MAX), undefined, { signal });
    } catch {
      throw signal.reason;
    }
  },
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
};

export const systemChance: Chance = { bytes: (length) => new Uint8Array(randomBytes(length)) };
