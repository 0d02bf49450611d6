/** For tests: a clock whose two hands move apart, and a memory that outlives a run. */
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Clock } from '../clock.ts';
import type { Memory } from '../journal/journal.ts';

export interface TwoHandedClock extends Clock {
  /** Time goes by, for both. */
  pass(ms: number): void;
  /** Somebody turns the machine's clock. */
  step(ms: number): void;
  /** The machine was off: only its clock went on. */
  off(ms: number): void;
}

export function twoHandedClock(startAt: number): TwoHandedClock {
  let wall = startAt;
  let monotonic = 1_000;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => wall as WallTimeMs,
    monotonicMs: () => monotonic,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: (ms, callback) => {
      const timer = { at: monotonic + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass: (ms) => {
      const until = monotonic + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        const to = next?.at ?? until;
        wall += to - monotonic;
        monotonic = to;
        if (!next) return;
        timers.delete(next);
        next.callback();
      }
    },
    step: (ms) => {
      wall += ms;
    },
    off: (ms) => {
      wall += ms;
      monotonic = 0;
      timers.clear();
    },
  };
}

export function memoryOf(kept: { signedPolicy?: string; times?: string } = {}): Memory {
  return {
    get: (key) => kept[key] ?? null,
    put: (key, value) => {
      kept[key] = value;
    },
  };
}
