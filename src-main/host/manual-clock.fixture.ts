import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Clock } from '../clock.ts';

/** A clock that stands until it is told to go on. */
export interface ManualClock extends Clock {
  /** Goes on by ms, calling what falls due on the way, and lets what that started run. */
  advance(ms: number): Promise<void>;
  readonly waiting: number;
}

export function manualClock(): ManualClock {
  let nowMs = 0;
  const due = new Set<{ atMs: number; callback: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const clock: ManualClock = {
    now: () => nowMs as WallTimeMs,
    monotonicMs: () => nowMs,
    after(ms, callback) {
      const entry = { atMs: nowMs + ms, callback };
      due.add(entry);
      return () => due.delete(entry);
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const callOff = clock.after(ms, () => resolve());
        signal.addEventListener('abort', () => {
          callOff();
          reject(signal.reason);
        });
      }),
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        const [next] = [...due].filter((entry) => entry.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
        if (!next) break;
        due.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
        await settle();
      }
      nowMs = untilMs;
      await settle();
    },
    get waiting() {
      return due.size;
    },
  };
  return clock;
}
