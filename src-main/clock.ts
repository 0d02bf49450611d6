/**
 * Time and chance, as parameters. Everything in src-main takes these instead of reaching for Date, timers or randomness,
 * so that a simulation can run a whole terminal from one seed. The system's own are at the end; lint fences the globals
 * everywhere else.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Uuid, WallTimeMs } from '../src-contract/primitives.ts';

export interface Clock {
  /** UTC, ms since 1970. May jump. */
  now(): WallTimeMs;
  /** Ms since an arbitrary start. Never goes back; the only one to measure with. */
  monotonicMs(): number;
  /** Resolves after ms, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls once after ms; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

export interface Chance {
  /** UUIDv7 (RFC 9562, 5.7). */
  id(): Uuid;
  bytes(length: number): Uint8Array;
  /** Uniform in [0, 1). */
  fraction(): number;
}

export const systemClock: Clock = {
  now: () => Date.now() as WallTimeMs,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export const systemChance: Chance = {
  id: () => uuidv7() as Uuid,
  bytes: (length) => new Uint8Array(randomBytes(length)),
  fraction: () => randomBytes(4).readUInt32LE(0) / 2 ** 32,
};

/** The clock's time-out as a signal, joined with another: aborts with a TimeoutError after ms. Dispose to free the timer. */
export function deadline(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
): { signal: AbortSignal; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const callOff = clock.after(ms, () =>
    controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
  );
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    [Symbol.dispose]: callOff,
  };
}

/** ISO 8601 in UTC, to the millisecond; of a clock that was never set, too. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** UTC ms of a day (2026-11-28, its beginning in UTC) or of a moment with its offset (2026-11-28T09:00:00+09:00); null when it is
 *  neither. */
export function timeFrom(text: string): number | null {
  const whole = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const ms = whole ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
