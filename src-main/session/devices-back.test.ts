import { beforeEach, expect, it } from 'vitest';
import type { DeviceHealth, DeviceState } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';
import { type ManualClock, manualClock } from '../host/manual-clock.fixture.ts';
import { devicesBack } from './devices-back.ts';

const TIMEOUT_MS = 45_000;
const WITHDRAWAL = { service: 'withdraw', state: 'presenting' } as const;

let clock: ManualClock;
let dispenser: ReturnType<typeof device>;
beforeEach(() => {
  clock = manualClock();
  dispenser = device('cash-dispenser', 'offline');
});

function device(name: string, state: DeviceState) {
  const listeners = new Set<(health: DeviceHealth) => void>();
  let health: DeviceHealth = { state, problem: null };
  return {
    name,
    health: () => health,
    onHealth(listener: (health: DeviceHealth) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    becomes(next: DeviceState) {
      health = { state: next, problem: null };
      for (const listener of [...listeners]) listener(health);
    },
    listeners,
  };
}

/** What it answered, or "waiting". */
function wait(open: Parameters<typeof devicesBack>[0], others: object = {}) {
  const devices = { cashDispenser: dispenser, cashAcceptor: null, ...others } as unknown as Devices;
  const seen: { answer: readonly string[] | 'waiting' } = { answer: 'waiting' };
  void devicesBack(open, devices, clock, TIMEOUT_MS).then((answer) => {
    seen.answer = answer;
  });
  return seen;
}

it('a dispenser that has to say what became of a withdrawal is waited for', async () => {
  const seen = wait([WITHDRAWAL]);
  await clock.advance(20_000);
  expect(seen.answer).toBe('waiting');
  dispenser.becomes('online');
  await clock.advance(0);
  expect(seen.answer).toEqual([]);
  expect([dispenser.listeners.size, clock.waiting]).toEqual([0, 0]);
});

it('one that stays away is named when the time is over', async () => {
  const seen = wait([WITHDRAWAL]);
  await clock.advance(TIMEOUT_MS - 1);
  expect(seen.answer).toBe('waiting');
  await clock.advance(1);
  expect(seen.answer).toEqual(['cash-dispenser']);
});

it('every one of several is waited for', async () => {
  const cashAcceptor = device('cash-acceptor', 'noDevice');
  const seen = wait([WITHDRAWAL, { service: 'deposit', state: 'accepting' }], { cashAcceptor });
  dispenser.becomes('online');
  await clock.advance(0);
  expect(seen.answer).toBe('waiting');
  cashAcceptor.becomes('hardwareError'); // It answers, whatever it says.
  await clock.advance(0);
  expect(seen.answer).toEqual([]);
});

it.each([
  ['nothing was left open', []],
  ['what was left open is suspect and stays it', [{ service: 'withdraw', state: 'suspect' }]],
  ['what was left open needs no cash device', [{ service: 'purchase', state: 'authorising' }]],
  ['the device that would be asked was never there', [{ service: 'deposit', state: 'accepting' }]],
] as const)('nothing is waited for when %s', async (_, open) => {
  const seen = wait(open);
  await clock.advance(0);
  expect(seen.answer).toEqual([]);
});
