import { beforeEach, describe, expect, test } from 'vitest';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Memory } from '../journal/journal.ts';
import { memoryOf, type TwoHandedClock, twoHandedClock } from './clock.fixture.ts';
import { createTrustedTime, EARLIEST_MS, type TrustedTime } from './trusted-time.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = EARLIEST_MS + 10 * DAY;

let clock: TwoHandedClock;
let memory: Memory;
let time: TrustedTime;
beforeEach(() => {
  clock = twoHandedClock(START);
  memory = memoryOf();
  time = createTrustedTime(memory, clock);
});
/** The terminal is off for a while, and its clock then stands where it does. */
const restart = (offMs: number, { save = true } = {}) => {
  if (save) time.save();
  clock.off(offMs);
  time = createTrustedTime(memory, clock);
};
const bankSigned = (at: number) => time.bankSigned(at as WallTimeMs, clock.monotonicMs());
const bankSaid = (at: number) => time.bankSaid(at as WallTimeMs, clock.monotonicMs());

describe('the time', () => {
  test('is the machine’s while nothing speaks against it', () => {
    clock.pass(MINUTE);
    expect(time.now()).toBe(START + MINUTE);
    expect(time.clockError()).toBeNull();
  });

  test('is not turned back during a run, and goes on', () => {
    expect(time.now()).toBe(START);
    clock.step(-DAY);
    clock.pass(MINUTE);
    expect(time.now()).toBe(START + MINUTE);
    expect(time.clockError()).toEqual({ byMs: -DAY, by: 'highest-seen' });
  });

  test('is not turned back while the machine is off', () => {
    clock.pass(MINUTE);
    restart(-3 * DAY);
    expect(time.now()).toBe(START + MINUTE);
    expect(time.clockError()).toMatchObject({ by: 'highest-seen' });
    clock.pass(MINUTE);
    expect(time.now()).toBe(START + 2 * MINUTE);
  });

  test('is never before there was this program: a clock that was never set is said to be so', () => {
    clock = twoHandedClock(0);
    time = createTrustedTime(memoryOf(), clock);
    expect(time.now()).toBe(EARLIEST_MS);
    expect(time.clockError()).toEqual({ byMs: -EARLIEST_MS, by: 'highest-seen' });
  });

  test('is never before the bank signed the policy that was taken', () => {
    time.notBefore((START + DAY) as WallTimeMs);
    expect(time.now()).toBe(START + DAY);
    time.notBefore((START - DAY) as WallTimeMs);
    expect(time.now()).toBe(START + DAY);
  });

  test('is the bank’s once the bank has signed it, whichever way the machine’s clock is then turned', () => {
    bankSigned(START + 5_000);
    for (const step of [2 * DAY, -9 * DAY]) {
      clock.step(step);
      clock.pass(1_000);
    }
    expect(time.now()).toBe(START + 7_000);
    expect(time.clockError()).toMatchObject({ byMs: -7 * DAY - 5_000, by: 'bank' });
  });

  test('that a clock ahead has left behind is taken back by the bank alone', () => {
    clock.step(400 * DAY);
    time.save();
    clock.step(-400 * DAY);
    restart(MINUTE, { save: false });
    expect(time.now()).toBe(START + 400 * DAY);
    bankSaid(clock.now());
    expect(time.now()).toBe(START + 400 * DAY);
    bankSigned(clock.now());
    expect(time.now()).toBe(START + MINUTE);
    expect(time.clockError()).toBeNull();
    restart(MINUTE);
    expect(time.now()).toBe(START + 2 * MINUTE);
  });

  test('as the bank says it unsigned is told to the technician, and moves nothing', () => {
    bankSaid(START + 40_000);
    expect(time.clockError()).toEqual({ byMs: -40_000, by: 'bank-unsigned' });
    expect(time.now()).toBe(START);
    // Set right while the bank is away: seen at once, without asking again.
    clock.step(40_000);
    expect(time.clockError()).toBeNull();
  });

  test('counts a slow answer’s time by its middle', () => {
    const askedMs = clock.monotonicMs();
    clock.pass(8_000);
    time.bankSigned((START + 4_000) as WallTimeMs, askedMs);
    expect(time.now()).toBe(START + 8_000);
  });
});

describe('how long the terminal has been running', () => {
  test('is moved by no clock, and not by the hours it was off', () => {
    clock.pass(MINUTE);
    clock.step(5 * DAY);
    restart(3 * DAY);
    clock.pass(MINUTE);
    expect(time.runMs()).toBe(2 * MINUTE);
  });

  test('goes back with the power by what was not written down, and never forward', () => {
    clock.pass(MINUTE);
    time.save();
    clock.pass(30_000);
    restart(0, { save: false });
    expect(time.runMs()).toBe(MINUTE);
  });
});

describe('how long the bank has not heard', () => {
  test('counts from when it had heard of everything, over restarts', () => {
    time.bankHeardEverything();
    clock.pass(MINUTE);
    restart(2 * MINUTE);
    expect(time.offlineMs()).toBe(3 * MINUTE);
    expect(time.heardAt()).toBe(START);
    time.bankHeardEverything();
    expect(time.offlineMs()).toBe(0);
  });

  test('counts from the policy of a terminal that the bank never heard', () => {
    time.notBefore(START as WallTimeMs);
    clock.pass(MINUTE);
    expect(time.offlineMs()).toBe(MINUTE);
  });

  test('is not shortened by turning the clock back, and not for ever by having turned it forward', () => {
    time.bankHeardEverything();
    clock.pass(10 * MINUTE);
    restart(-DAY);
    clock.pass(10 * MINUTE);
    expect(time.offlineMs()).toBe(20 * MINUTE);
    clock.step(30 * DAY);
    time.bankHeardEverything();
    clock.step(-29 * DAY);
    bankSigned(clock.now());
    clock.pass(MINUTE);
    expect(time.offlineMs()).toBe(MINUTE);
  });
});

test('what was kept and fits no more is refused, not guessed', () => {
  expect(() => createTrustedTime(memoryOf({ times: '{"seenAt":-1}' }), clock)).toThrow();
});
