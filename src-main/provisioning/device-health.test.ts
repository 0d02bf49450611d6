import { beforeEach, describe, expect, it } from 'vitest';
import type { Device, DeviceHealth } from '../devices/device.ts';
import { type ManualClock, manualClock } from '../host/manual-clock.fixture.ts';
import { type HealthChange, type HealthWatch, type Patient, watchHealth } from './device-health.ts';

const signal = new AbortController().signal;
const WELL: DeviceHealth = { state: 'online', problem: null };
const JAMMED: DeviceHealth = { state: 'hardwareError', problem: 'the shutter is jammed' };

class FakeDevice implements Pick<Device, 'name' | 'health' | 'onHealth'> {
  readonly name = 'cash-dispenser';
  readonly #listeners = new Set<(health: DeviceHealth) => void>();
  #health: DeviceHealth;

  constructor(health = WELL) {
    this.#health = health;
  }
  health = () => this.#health;
  onHealth = (listener: (health: DeviceHealth) => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  becomes(health: DeviceHealth): void {
    this.#health = health;
    for (const listener of this.#listeners) listener(health);
  }
  get listeners() {
    return this.#listeners.size;
  }
}

let clock: ManualClock;
let device: FakeDevice;
let told: HealthChange[];
beforeEach(() => {
  clock = manualClock();
  device = new FakeDevice();
  told = [];
});
const watch = (more: Partial<Patient> = {}, held: 'suspect' | null = null): HealthWatch =>
  watchHealth({
    patients: [{ key: 'cashDispenser', device, driver: 'simulated', connection: 'this program', ...more }],
    clock,
    held: () => held,
    onChange: (change) => told.push(change),
  });

describe('the health of a device', () => {
  it('is as it says; what was wrong is remembered with its time after it is well again', async () => {
    const health = watch();
    await clock.advance(1_000);
    device.becomes(JAMMED);
    await clock.advance(1_000);
    device.becomes(WELL);
    await clock.advance(500);
    expect(await health.report(signal)).toEqual([
      {
        key: 'cashDispenser',
        name: 'cash-dispenser',
        driver: 'simulated',
        connection: 'this program',
        state: 'online',
        problem: null,
        since: 2_000,
        lastProblem: { at: 1_000, state: 'hardwareError', problem: 'the shutter is jammed' },
        held: null,
        figures: {},
        figuresProblem: null,
      },
    ]);
    expect(health.history().map(({ at, state }) => [at, state])).toEqual([
      [2_000, 'online'],
      [1_000, 'hardwareError'],
    ]);
  });

  it('at the start is news only when it is missing', () => {
    watch();
    expect(told).toEqual([]);
    device = new FakeDevice({ state: 'offline', problem: 'nothing answers at 10.0.0.5' });
    watch();
    expect(told).toMatchObject([
      { state: 'offline', problem: 'nothing answers at 10.0.0.5', device: 'cash-dispenser' },
    ]);
  });

  it('told twice the same is one change; a thousand changes are two hundred', () => {
    const health = watch();
    for (let i = 0; i < 500; i++) {
      device.becomes(JAMMED);
      device.becomes(JAMMED);
      device.becomes(WELL);
    }
    expect(told).toHaveLength(1_000);
    expect(health.history()).toHaveLength(200);
  });

  it('carries what it counts; one that does not count in time is shown without', async () => {
    const health = watch({ figures: async () => ({ paper: 'low' }) });
    expect(await health.report(signal)).toMatchObject([{ figures: { paper: 'low' }, figuresProblem: null }]);
    const silent = watch({
      figures: (limit) =>
        new Promise((_, reject) => limit.addEventListener('abort', () => reject(limit.reason), { once: true })),
    });
    const report = silent.report(signal);
    await clock.advance(2_000);
    expect(await report).toMatchObject([{ state: 'online', figures: {}, figuresProblem: 'no answer within 2000 ms' }]);
  });

  it('is asked for once, however many want to know', async () => {
    let asked = 0;
    const health = watch({
      figures: async () => {
        asked += 1;
        return { paper: 'full' };
      },
    });
    const [one, other] = await Promise.all([health.report(signal), health.report(signal)]);
    expect(one).toBe(other);
    expect(asked).toBe(1);
    await health.report(signal);
    expect(asked).toBe(2);
  });

  it('says that a suspect transaction holds it, and is left alone after the end', async () => {
    const health = watch({}, 'suspect');
    expect(await health.report(signal)).toMatchObject([{ state: 'online', held: 'suspect' }]);
    health.stop();
    expect(device.listeners).toBe(0);
  });
});
