import { expect, it } from 'vitest';
import { keepAlive } from './keep-alive.ts';

/** A clock that moves by hand. */
function handClock() {
  let now = 0;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    monotonicMs: () => now,
    sleep: () => Promise.reject(new Error('not used')),
    after(ms: number, callback: () => void) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    pass(ms: number) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { callback } of due) callback();
    },
  };
}

it('ends a connection after an interval without a sign of life, and only then', () => {
  const clock = handClock();
  const told: string[] = [];
  const alive = keepAlive(
    clock,
    10_000,
    () => told.push('ping'),
    () => told.push('silent'),
  );
  clock.pass(10_000);
  alive.heard();
  clock.pass(10_000);
  expect(told).toEqual(['ping', 'ping']);
  clock.pass(9_999);
  expect(told).toEqual(['ping', 'ping']);
  clock.pass(1);
  expect(told).toEqual(['ping', 'ping', 'silent']);
  clock.pass(60_000);
  expect(told).toHaveLength(3);
});

it('stops with the connection', () => {
  const clock = handClock();
  const told: string[] = [];
  const alive = keepAlive(
    clock,
    10_000,
    () => told.push('ping'),
    () => told.push('silent'),
  );
  alive.stop();
  clock.pass(60_000);
  expect(told).toEqual([]);
});
