import { beforeEach, describe, expect, test } from 'vitest';
import type { Policy } from '../../src-contract/policy.ts';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import { examplePolicy } from '../identity/activation.fixture.ts';
import { memoryOf, type TwoHandedClock, twoHandedClock } from './clock.fixture.ts';
import { type PolicyStanding, watchStanding } from './standing.ts';
import { createTrustedTime, EARLIEST_MS, type TrustedTime } from './trusted-time.ts';

const START = EARLIEST_MS + 86_400_000;
const HOUR = 3_600_000;
const policyUntil = (ms: number): Policy => ({ ...examplePolicy('v1'), expiresAt: ms as WallTimeMs });

let clock: TwoHandedClock;
let time: TrustedTime;
let policy: Policy | null;
let taken: () => void;
let standing: PolicyStanding;
let kept: { times?: string };
let log: string[];
let changes: number;
beforeEach(() => {
  clock = twoHandedClock(START);
  kept = {};
  time = createTrustedTime(memoryOf(kept), clock);
  policy = policyUntil(START + HOUR);
  taken = () => {};
  log = [];
  const say = (fields: object | string, words?: string) => void log.push(words ?? String(fields));
  standing = watchStanding({
    policies: {
      current: () => policy,
      onTaken: (listener) => {
        taken = listener;
        return () => {};
      },
    },
    time,
    clock,
    log: { info: say, warn: say, error: say },
  });
  changes = 0;
  standing.onChange(() => changes++);
});

describe('a terminal', () => {
  test('serves while its policy is good, and says nothing', () => {
    clock.pass(HOUR - 1);
    expect(standing.reason()).toBeNull();
    expect([standing.words(), log]).toEqual([[], []]);
  });

  test('goes out of service in the moment its policy expires, and comes back by itself with a fresh one', () => {
    clock.pass(HOUR - 1);
    changes = 0;
    clock.pass(1);
    expect(changes).toBe(1);
    expect(standing.reason()).toBe('policy-expired');
    expect(standing.words()[0]?.en).toMatch(/policy v1 expired at 2026-11-23 01:00:00 UTC/);
    policy = policyUntil(START + 9 * HOUR);
    taken();
    expect(standing.reason()).toBeNull();
    expect(log).toEqual([expect.stringContaining('out of service. The bank'), 'clock and policy are well again']);
  });

  test('does not tell anybody who knows already', () => {
    standing.reason();
    clock.pass(HOUR - 1);
    expect(changes).toBe(0);
    clock.pass(HOUR);
    expect(changes).toBe(1);
  });

  test('tells of what it answered between two looks and what is over at the next', () => {
    clock.step(-HOUR);
    expect(standing.reason()).toBe('clock-wrong');
    clock.step(HOUR);
    clock.pass(30_000);
    expect(changes).toBe(1);
    expect(standing.reason()).toBeNull();
  });

  test('without any policy serves nobody', () => {
    policy = null;
    expect(standing.reason()).toBe('policy-expired');
    expect(standing.words()[0]?.en).toContain('no policy of the bank that verifies');
  });

  test('is not brought back by turning the clock back', () => {
    clock.pass(HOUR + 1_000);
    clock.step(-100_000);
    expect(standing.reason()).toBe('policy-expired');
    clock.step(-HOUR);
    expect(standing.reason()).toBe('clock-wrong');
  });

  test.each([
    [30_000, 'the technician is told'],
    [109_999, 'the technician is told'],
    [110_000, 'nobody is served'],
    [400_000_000, 'nobody is served'],
  ])('whose clock is %d ms off the bank’s: %s', (byMs, what) => {
    for (const sign of [1, -1]) {
      time.bankSaid((clock.now() - sign * byMs) as WallTimeMs, clock.monotonicMs());
      expect(standing.reason()).toBe(what === 'nobody is served' ? 'clock-wrong' : null);
      expect(standing.words()[0]?.en).toContain(
        `${Math.round(byMs / 1000)} s ${sign > 0 ? 'ahead of' : 'behind'} the bank's`,
      );
    }
  });

  test('with a clock a little off is well', () => {
    time.bankSaid((clock.now() + 29_000) as WallTimeMs, clock.monotonicMs());
    expect(standing.words()).toEqual([]);
  });

  test('serves again as soon as its clock is set right', () => {
    time.bankSigned(START as WallTimeMs, clock.monotonicMs());
    clock.step(HOUR / 2);
    clock.pass(30_000);
    expect(standing.reason()).toBe('clock-wrong');
    clock.step(-HOUR / 2);
    clock.pass(30_000);
    expect(standing.reason()).toBeNull();
    expect(log).toEqual([expect.stringContaining('1800 s ahead'), 'clock and policy are well again']);
  });

  test('whose disk takes nothing down closes all the same, and says so', () => {
    const said: string[] = [];
    const say = (_: object | string, words?: string) => void said.push(words ?? '');
    const here = watchStanding({
      policies: { current: () => policy, onTaken: () => () => {} },
      time: {
        ...time,
        save: () => {
          throw new TerminalError('DISK_FULL', 'no space');
        },
      },
      clock,
      log: { info: say, warn: say, error: say },
    });
    here.saveTime();
    clock.pass(300_000);
    here.close();
    expect(said).toEqual(['the time could not be written down', 'the time could not be written down']);
  });

  test('writes the time down every five minutes', () => {
    clock.pass(299_000);
    expect(kept.times).toBeUndefined();
    clock.pass(11_000);
    expect(JSON.parse(kept.times!)).toMatchObject({ seenAt: START + 300_000, runMs: 300_000 });
    standing.close();
    clock.pass(HOUR);
    expect(JSON.parse(kept.times!)).toMatchObject({ runMs: 300_000 });
  });
});
