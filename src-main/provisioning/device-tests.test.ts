import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../tests/contract/devices/virtual-clock.ts';
import { systemChance, systemClock } from '../clock.ts';
import { openSimulatedDevices, type SimulatedDevices } from '../devices/simulated/open.ts';
import { manualClock } from '../host/manual-clock.fixture.ts';
import type { Observation } from '../vision/observation.ts';
import type { DeviceKey } from './device-health.ts';
import { identifyDevice, type TestTools, testDevice } from './device-tests.ts';

const signal = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), 'kaopass-device-tests-'));
afterAll(() => rmSync(root, { recursive: true }));

let runs = 0;
let atm: SimulatedDevices;
let shop: SimulatedDevices;
let clock: VirtualClock;
let tools: TestTools;
beforeEach(async () => {
  clock = new VirtualClock();
  const open = (profile: 'atm' | 'checkout') =>
    openSimulatedDevices({ dir: join(root, `${profile}-${++runs}`), clock, chance: systemChance, profile });
  atm = await open('atm');
  shop = await open('checkout');
  tools = { devices: atm.devices, clock, chance: systemChance, terminalName: 'ATM 1', watch: null };
});
afterEach(async () => {
  await atm.close();
  await shop.close();
});

const test = (key: DeviceKey, more: Partial<TestTools> = {}) => testDevice(key, { ...tools, ...more }, signal);
/** Keys and slips are made in real time, in which the virtual one would run away. */
const still = manualClock();
const cash = () => atm.control.state().cash!;

describe('a test of', () => {
  it.each(['cashDispenser', 'cashAcceptor'] as const)('the %s asks for its state and moves no note', async (key) => {
    const before = JSON.stringify(cash());
    expect(await test(key)).toMatchObject({
      passed: true,
      // Nothing of the other language in either.
      said: { en: expect.stringMatching(/^All well: [\x20-\x7e]+$/), ja: expect.stringMatching(/^正常：[^A-Za-z]+$/) },
    });
    expect(JSON.stringify(cash())).toBe(before);
  });

  it('a jammed dispenser says what to look at, and moves no note either', async () => {
    atm.control.armFault({ device: 'cash-dispenser', fault: 'gone', mode: 'untilCleared' });
    expect(await test('cashDispenser')).toMatchObject({
      passed: false,
      said: { en: 'It does not answer: cash-dispenser does not answer' },
    });
  });

  it('a device that answers and must not be used did not pass', async () => {
    const health = () => ({ state: 'hardwareError', problem: 'load its keys' }) as const;
    const cashDispenser = new Proxy(atm.devices.cashDispenser!, {
      get: (device, name) => (name === 'health' ? health : Reflect.get(device, name).bind(device)),
    });
    expect(await test('cashDispenser', { devices: { ...atm.devices, cashDispenser } })).toMatchObject({
      passed: false,
      said: { en: expect.stringMatching(/^load its keys\. Apart from that: All well: /) },
    });
  });

  it('the PIN pad counts keys and keeps none', async () => {
    await atm.close();
    const brisk = { profile: 'atm', clock: systemClock, chance: systemChance, speed: 100 } as const;
    atm = await openSimulatedDevices({ ...brisk, dir: join(root, 'brisk') });
    const testing = test('pinPad', { devices: atm.devices, clock: systemClock });
    await atm.control.pressKeys('1593E', { waitMs: 5_000 });
    const result = await testing;
    expect(result).toEqual({
      passed: true,
      said: { ja: '数字4個と確認キーが届きました。', en: '4 digits and Enter arrived.' },
    });
    expect(JSON.stringify(result)).not.toMatch(/1593/);
  });

  it('the PIN pad that nobody touches ends by itself', async () => {
    expect(await test('pinPad', { clock: still })).toMatchObject({
      passed: false,
      said: { en: expect.stringContaining('0 digits') },
    });
    expect(clock.monotonicMs()).toBeLessThanOrEqual(20_100);
  });

  it('the printer prints one slip that is no receipt', async () => {
    expect(await test('receiptPrinter', { clock: still })).toMatchObject({ passed: true });
    expect(await atm.control.receipts()).toHaveLength(1);
    atm.control.setPaper(0);
    expect(await test('receiptPrinter', { clock: still })).toMatchObject({
      passed: false,
      said: { en: 'It did not print: out of paper' },
    });
  });

  it('the lights flashes each and leaves all dark', async () => {
    expect(await test('lights')).toMatchObject({ passed: true });
    expect(Object.values(atm.control.state().lights)).toEqual(Array(6).fill('off'));
  });

  it('the scanner shows what it read, and not more than fits a label', async () => {
    const testing = test('barcodeScanner', { devices: shop.devices });
    await shop.control.scan('4901234567894');
    expect((await testing).said.en).toBe('Read: ean13, 13 characters (4901234567894)');
    const again = test('barcodeScanner', { devices: shop.devices });
    await shop.control.scan('x'.repeat(90));
    expect((await again).said.en).toBe(`Read: qr, 90 characters (${'x'.repeat(20)}…)`);
  });

  it('the camera counts frames, and stops watching', async () => {
    let watchers = 0;
    const watch: TestTools['watch'] = (listener) => {
      watchers += 1;
      for (let i = 0; i < 7; i++) listener({ width: 640, height: 480 } as Observation);
      return () => {
        watchers -= 1;
      };
    };
    expect((await test('camera', { watch })).said.en).toBe('7 frames of 640×480 in 3 seconds.');
    expect(watchers).toBe(0);
    expect(await test('camera', { watch: () => () => {} })).toMatchObject({ passed: false });
  });

  it('what the terminal does not have says so', async () => {
    expect(await test('barcodeScanner')).toMatchObject({ passed: false, said: { en: 'This terminal has none.' } });
  });

  it('anything ends when it is called off', async () => {
    const called = new AbortController();
    const testing = testDevice('pinPad', tools, called.signal);
    called.abort(new Error('the technician left'));
    await expect(testing).rejects.toThrow('the technician left');
  });
});

it('a device is identified by the light beside it, where there is one', async () => {
  expect(await identifyDevice('receiptPrinter', tools, signal)).toMatchObject({ passed: true });
  expect(await identifyDevice('barcodeScanner', { ...tools, devices: shop.devices }, signal)).toMatchObject({
    passed: false,
    said: { en: 'No guide light stands beside this device.' },
  });
});
