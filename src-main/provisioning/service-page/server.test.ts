import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemChance, systemClock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { PageServer } from '../../local-page/server.ts';
import type { SuspectDesk } from '../../session/suspects.ts';
import type { DeviceKey } from '../device-health.ts';
import type { TestResult } from '../device-tests.ts';
import { startServicePage } from './server.ts';

const TOKEN = 'a-token-for-this-test';
const PASSED: TestResult = { passed: true, said: { ja: '合格', en: 'fine' } };

let server: PageServer;
let busy: boolean;
let held: string[];
let pin: () => string;
let count: SuspectDesk['count'];
let test: (key: DeviceKey, signal: AbortSignal) => Promise<TestResult>;
beforeEach(async () => {
  busy = false;
  held = [];
  pin = () => '"Cam"';
  count = async () => ({ outcome: 'settled', bank: 'told' });
  test = async () => PASSED;
  server = await startServicePage({
    terminalName: 'ATM 1',
    profile: 'atm',
    port: 0,
    token: TOKEN,
    clock: systemClock,
    chance: systemChance,
    keys: ['lights', 'pinPad'],
    health: { report: async () => [], history: () => [], stop: () => {} },
    services: () => [],
    notices: () => [],
    dayCloser: { closeNow: async () => Promise.reject(new Error('not asked')), last: () => null },
    busy: () => busy,
    camera: {
      pinned: () => null,
      pin: () => pin(),
    },
    suspects: {
      list: () => [],
      clear: async () => ({ outcome: 'cleared', intoBinsMinor: 20_000 }),
      count: (order, signal) => count(order, signal),
    },
    hold: (key) => {
      held.push(key);
      return () => {
        held.splice(held.indexOf(key), 1);
      };
    },
    test: (key, signal) => test(key, signal),
    identify: async () => PASSED,
  });
});
afterEach(() => server.close());

async function post(path: string, body: object): Promise<{ status: number; answer: unknown }> {
  const answer = await fetch(`${server.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, answer: await answer.json() };
}

describe('a test of a device', () => {
  it('takes it from the customers, and gives it back whatever comes of it', async () => {
    test = async () => {
      expect(held).toEqual(['lights']);
      return PASSED;
    };
    expect(await post('/test', { device: 'lights' })).toEqual({ status: 200, answer: { ok: true, ...PASSED } });
    expect(held).toEqual([]);
    test = async () => {
      throw new Error('it burned');
    };
    expect(await post('/test', { device: 'lights' })).toMatchObject({ status: 500 });
    expect(held).toEqual([]);
    expect(await post('/identify', { device: 'pinPad' })).toMatchObject({ status: 200 });
  });

  it('waits for nobody: not while a customer is served, and not while another runs', async () => {
    busy = true;
    expect(await post('/test', { device: 'lights' })).toEqual({
      status: 409,
      answer: { ok: false, message: 'a customer is being served' },
    });
    busy = false;
    const { promise, resolve } = Promise.withResolvers<TestResult>();
    const begun = Promise.withResolvers<void>();
    test = () => {
      begun.resolve();
      return promise;
    };
    const first = post('/test', { device: 'pinPad' });
    await begun.promise;
    expect(await post('/test', { device: 'lights' })).toMatchObject({
      status: 409,
      answer: { message: 'a test of pinPad is running' },
    });
    expect(held).toEqual(['pinPad']);
    resolve(PASSED);
    expect(await first).toMatchObject({ status: 200 });
  });

  it.each([[{ device: 'cashDispenser' }], [{ device: 'coffee' }], [{}], [{ device: 'lights', amountMinor: 1 }]])(
    'that names %j is refused',
    async (body) => {
      expect(await post('/test', body)).toMatchObject({ status: 400 });
      expect(held).toEqual([]);
    },
  );

  it('ends with the terminal', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    test = (_, signal) =>
      new Promise((_resolve, reject) => {
        begun.resolve(signal);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const testing = post('/test', { device: 'lights' }).catch(() => 'the connection ended');
    const signal = await begun.promise;
    await server.close();
    expect(signal.aborted).toBe(true);
    await testing;
    expect(held).toEqual([]);
  });
});

describe('a count', () => {
  const transactionId = '0193f0a0-0000-7000-8000-000000000001';
  const ORDER = {
    transactionId,
    currency: 'JPY',
    notes: [{ denominationMinor: 10_000, count: 2 }],
    staffId: 'tanaka.k',
    note: '',
    technicianCode: 'ABCD-EFGH-2345',
  };

  it('is handed on as it was entered, after the device was cleared', async () => {
    const seen: unknown[] = [];
    count = async (order) => {
      seen.push(order);
      return { outcome: 'settled', bank: 'later' };
    };
    expect(await post('/clear', { transactionId })).toEqual({
      status: 200,
      answer: { ok: true, outcome: 'cleared', intoBinsMinor: 20_000 },
    });
    expect(await post('/count', ORDER)).toEqual({
      status: 200,
      answer: { ok: true, outcome: 'settled', bank: 'later' },
    });
    expect(seen).toEqual([ORDER]);
  });

  it.each<[string, object, string]>([
    ['below nothing', { notes: [{ denominationMinor: 10_000, count: -1 }] }, 'notes.0.count'],
    ['in another currency', { currency: 'EUR' }, 'currency'],
    ['of notes that there are not', { notes: [{ denominationMinor: 3_000, count: 1 }] }, 'notes.0.denominationMinor'],
    ['by nobody', { staffId: '' }, 'staffId'],
    ['with a code that is none', { technicianCode: 'please' }, 'technicianCode'],
    ['without notes', { notes: undefined }, 'notes'],
    ['with something beside', { amountMinor: 1 }, '(body)'],
  ])('%s is refused with the field named', async (_, change, field) => {
    count = () => Promise.reject(new Error('this was not to be asked'));
    expect(await post('/count', { ...ORDER, ...change })).toMatchObject({
      status: 400,
      answer: { ok: false, fields: [{ field }] },
    });
  });

  it('that cannot be true is refused with the field named', async () => {
    count = async () => ({ outcome: 'refused', field: 'notes', message: 'are worth too much' });
    expect(await post('/count', ORDER)).toEqual({
      status: 400,
      answer: {
        ok: false,
        message: 'notes: are worth too much',
        fields: [{ field: 'notes', message: 'are worth too much' }],
      },
    });
  });

  it('waits for no customer and no test, and no test for it', async () => {
    busy = true;
    expect(await post('/count', ORDER)).toMatchObject({ status: 409 });
    expect(await post('/clear', { transactionId })).toMatchObject({ status: 409 });
    busy = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    count = async () => {
      begun.resolve();
      await promise;
      return { outcome: 'settled', bank: 'told' };
    };
    const first = post('/count', ORDER);
    await begun.promise;
    expect(await post('/count', ORDER)).toMatchObject({ status: 409 });
    expect(await post('/clear', { transactionId })).toMatchObject({ status: 409 });
    expect(await post('/test', { device: 'lights' })).toMatchObject({ status: 409 });
    resolve();
    expect(await first).toMatchObject({ status: 200 });
  });
});

it('has nothing else to do', async () => {
  for (const path of ['/dispense', '/state', '/']) expect(await post(path, {})).toMatchObject({ status: 404 });
});

it('pins the camera for a technician, and says why not', async () => {
  expect(await post('/camera-pin', {})).toEqual({ status: 200, answer: { ok: true, pinned: '"Cam"' } });
  pin = () => {
    throw new TerminalError('DEVICE_UNAVAILABLE', 'no camera was opened since the start');
  };
  expect(await post('/camera-pin', {})).toMatchObject({
    status: 409,
    answer: { message: 'no camera was opened since the start' },
  });
  busy = true;
  expect(await post('/camera-pin', {})).toMatchObject({
    status: 409,
    answer: { message: 'a customer is being served' },
  });
});
