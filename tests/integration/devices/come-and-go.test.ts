/**
 * A machine that is away when the terminal's devices are opened, comes, goes and comes back: as composed from a configuration,
 * over real sockets, with what the technician and the services hear of it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemChance as machineChance, systemClock as machineClock } from '../../../src-devices/clock.ts';
import { Machine, type MachineOptions } from '../../../src-devices/control/machine.ts';
import { PinKey } from '../../../src-devices/pin/keys.ts';
import { type Clock, systemChance, systemClock } from '../../../src-main/clock.ts';
import { DevicesConfig } from '../../../src-main/config/devices.ts';
import { type OpenedDevices, openDevices } from '../../../src-main/devices/open.ts';
import { type HealthWatch, patientsOf, watchHealth } from '../../../src-main/provisioning/device-health.ts';
import { hindrances, warnings } from '../../../src-main/session/availability.ts';

/** A terminal looks for a machine that is away every half minute; here time runs a hundred times as fast. */
const HASTE = 100;
const hasty: Clock = {
  ...systemClock,
  monotonicMs: () => systemClock.monotonicMs() * HASTE,
  sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal),
  // What may fail to answer gets its time.
  after: (ms, callback) => systemClock.after(ms, callback),
};
const dir = mkdtempSync(join(tmpdir(), 'kaopass-come-and-go-'));
const signal = AbortSignal.timeout(50_000);
const keys: NonNullable<MachineOptions['keys']> = {
  security: { host: '00'.repeat(32), device: '11'.repeat(32) },
  pin: [PinKey.parse({ name: 'PIN working key', algorithm: 'A', value: '22'.repeat(16) })],
};

let port: number;
let opened: OpenedDevices;
let health: HealthWatch;
let machine: Machine | undefined;
const told: string[] = [];

beforeAll(async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
  await new Promise((resolve) => server.close(resolve));
  opened = await openDevices({
    config: DevicesConfig.parse({ kind: 'xfs4iot', host: '127.0.0.1', ports: [{ port, secure: false }] }),
    profile: 'atm',
    dataDir: dir,
    dir: join(dir, 'terminal'),
    receiptsDir: dir,
    clock: hasty,
    chance: systemChance,
    log: pino({ level: 'silent' }),
    onAlarm: ({ message }) => told.push(message),
  });
  health = watchHealth({
    patients: patientsOf(opened),
    clock: systemClock,
    held: () => null,
    onChange: ({ device, state }) => told.push(`${device} ${state}`),
  });
});
afterAll(async () => {
  health?.stop();
  await opened?.close();
  await machine?.close();
  rmSync(dir, { recursive: true, force: true });
});

const around = () => ({ devices: opened.devices, online: true, blocked: new Set<string>() });
const kept = (service: 'withdraw' | 'deposit' | 'balance') => hindrances(service, around()).map(({ device }) => device);

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what} did not happen; heard: ${told.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a machine that is away keeps nothing from starting, and every service that needs it from being offered', async () => {
  expect(kept('withdraw')).toEqual(['cashDispenser', 'pinPad']);
  expect(kept('deposit')).toEqual(['cashAcceptor']);
  for (const { state, problem } of await health.report(signal)) {
    expect(state).not.toBe('online');
    expect(problem).not.toBeNull();
  }
});

test('its devices are taken up when it comes', async () => {
  machine = await Machine.open({
    stateDir: join(dir, 'machine'),
    profile: 'atm',
    clock: machineClock,
    chance: machineChance,
    speed: 100,
    dialect: {},
    ports: [port],
    keys,
  });
  await until('every device was found', () =>
    (['withdraw', 'deposit'] as const).every(
      (service) => kept(service).length + warnings(service, around()).length === 0,
    ),
  );
  const [dispenser] = await health.report(signal);
  expect(dispenser?.figures.units?.length).toBeGreaterThan(3);
  expect(dispenser?.figuresProblem).toBeNull();
});

test('they are away with its power, and back with it', async () => {
  await machine?.powerCut();
  await until('the machine was missed', () => kept('withdraw').length === 2 && kept('deposit').length === 1);
  await machine?.powerOn();
  await until('the machine came back', () => kept('withdraw').length === 0 && kept('deposit').length === 0);
  const heard = told.filter((one) => one.startsWith('cash-acceptor'));
  expect(heard.at(0)).toBe('cash-acceptor offline');
  expect(heard.at(-1)).toBe('cash-acceptor online');
  expect(health.history().length).toBeGreaterThanOrEqual(4);
});
