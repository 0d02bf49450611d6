/** Against the simulated hardware, which was written from the standard without this client: a misreading shows here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as hardwareClock, systemChance } from '../../../../src-devices/clock.ts';
import { Machine } from '../../../../src-devices/control/machine.ts';
import { Dialect, type DialectChange, STANDARD_DIALECT } from '../../../../src-devices/dialect.ts';
import { systemClock } from '../../../clock.ts';
import { steady } from './bench.fixture.ts';
import { connect } from './client.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { LateCompletion, Limits, Xfs4IotClient } from './surface.ts';

let machine: Machine;
let stateDir: string;
let client: Xfs4IotClient | null = null;
const letters: DeadLetter[] = [];
const late: LateCompletion[] = [];

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'kaopass-client-'));
  machine = await Machine.open({
    stateDir,
    profile: 'atm',
    clock: hardwareClock,
    chance: systemChance,
    speed: 1_000,
    dialect: {},
    ports: [0],
  });
});
afterEach(async () => {
  await client?.close();
  client = null;
  letters.length = 0;
  late.length = 0;
});
afterAll(async () => {
  await machine.close();
  rmSync(stateDir, { recursive: true });
});

async function connected(dialect: DialectChange = STANDARD_DIALECT, limits: Partial<Limits> = {}) {
  machine.setDialect({ ...STANDARD_DIALECT, ...dialect });
  client = await connect({
    host: '127.0.0.1',
    ports: [{ port: Number(new URL(machine.url).port), secure: false }],
    clock: systemClock,
    limits: { retryMs: 5, ...limits },
    onDeadLetter: (letter) => letters.push(letter),
    onLateCompletion: (completion) => late.push(completion),
  });
  return client;
}

/** Every value a switch has beside the standard one. */
const flips = Object.keys(STANDARD_DIALECT).flatMap((name) => {
  const standard = STANDARD_DIALECT[name as keyof Dialect];
  const { innerType } = Dialect.shape[name as keyof Dialect].def;
  const values: readonly (string | boolean)[] = 'options' in innerType ? innerType.options : [true, false];
  return values.filter((value) => value !== standard).map((value) => ({ [name]: value }) as DialectChange);
});
const all: DialectChange = Object.assign({}, ...flips);

describe('every dialect', () => {
  it.each([STANDARD_DIALECT, ...flips, all].map((dialect) => [label(dialect), dialect] as const))(
    '%s: all services are connected, read, and understood without a dead letter',
    async (_label, dialect) => {
      const { services, find } = await connected(dialect).then((one) => ({
        services: one.services(),
        find: one.find.bind(one),
      }));
      expect(services.map((service) => service.state())).toEqual(services.map(() => 'connected'));
      expect(services.every((service) => service.status().fresh && service.storage().fresh)).toBe(true);
      for (const name of ['Keyboard', 'Printer', 'BarcodeReader', 'Lights', 'Camera', 'Biometric'] as const) {
        expect(find(name)?.status().common?.device, name).toBe('online');
      }
      const cash = find('CashDispenser', 'CashAcceptor', 'CashManagement', 'Storage')!;
      expect(Object.values(cash.storage().units).every(({ status }) => status === 'ok')).toBe(true);
      const options = { timeoutMs: 2_000, signal: steady() };
      const present = await cash.command('CashDispenser.GetPresentStatus', null, options);
      expect(present).toMatchObject({ code: 'success', payload: { presentState: 'notPresented' } });
      const nonce = await cash.command('Common.GetCommandNonce', null, options);
      expect(nonce).toMatchObject({
        code: 'success',
        payload: { commandNonce: expect.stringMatching(/^[0-9A-F]{32}$/) },
      });
      await cash.command('Common.ClearCommandNonce', null, options);
      expect(letters).toEqual([]);
    },
  );
});

function label(dialect: DialectChange): string {
  if (dialect === STANDARD_DIALECT) return 'the standard';
  return dialect === all ? 'all switches flipped' : JSON.stringify(dialect);
}

const KEYS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'clear',
  'enter',
  'cancel',
];
const PIN_ENTRY = {
  minLen: 4,
  maxLen: 4,
  autoEnd: true,
  activeKeys: Object.fromEntries(KEYS.map((key) => [key, { terminate: key === 'enter' || key === 'cancel' }])),
};

describe('S17 cancel', () => {
  it('ends a PIN entry that waits for a customer', async () => {
    const pad = (await connected()).find('Keyboard')!;
    const abort = new AbortController();
    const entry = await pad.command('Keyboard.PinEntry', PIN_ENTRY, {
      timeoutMs: 10_000,
      signal: abort.signal,
      onEvent: ({ name }) => name === 'Keyboard.EnterDataEvent' && abort.abort(),
    });
    expect(entry.code).toBe('canceled');
    const nobody = await pad.command('Common.Cancel', { requestIds: [999] }, { timeoutMs: 2_000, signal: steady() });
    expect(nobody).toMatchObject({ code: 'commandErrorCode', errorCode: 'noMatchingRequestIDs' });
  });
});

describe('faults of the wire', () => {
  const command = 'CashDispenser.GetMixTypes';
  const ask = async (timeoutMs = 5_000, limits: Partial<Limits> = {}) => {
    const cash = (await connected({}, limits)).find('CashDispenser')!;
    return { cash, completion: await cash.command(command, null, { timeoutMs, signal: steady() }) };
  };
  const arm = (order: { readonly fault: string } & Record<string, unknown>) =>
    machine.atm()!.faults.arm({ command, ...order });
  const reasons = () => letters.map(({ reason }) => reason);

  it.each(['beforeAct', 'afterAct'])(
    'S20 connection lost %s: the outcome is unknown, then all is read again',
    async (when) => {
      arm({ fault: 'connectionDrop', when });
      const { cash, completion } = await ask();
      expect(completion.code).toBe('connectionLost');
      await new Promise<void>((resolve) => {
        if (cash.state() === 'connected') resolve();
        cash.onChange(() => cash.state() === 'connected' && resolve());
      });
      expect([cash.status().fresh, cash.storage().fresh]).toEqual([true, true]);
      expect(await cash.command(command, null, { timeoutMs: 1_000, signal: steady() })).toMatchObject({
        code: 'success',
      });
    },
  );

  it.each([
    ['strayCompletion', {}, ['unknownRequest']],
    ['garbage', {}, ['malformed']],
    ['unknownFields', {}, []],
    ['duplicateCompletion', {}, ['duplicate']],
  ])('%s: the answer is the answer all the same', async (fault, parameters, expected) => {
    arm({ fault, ...parameters });
    const { cash, completion } = await ask();
    expect(completion).toMatchObject({ code: 'success', payload: { mixes: expect.anything() } });
    await cash.refresh(steady());
    expect(reasons()).toEqual(expected);
  });

  it('a completion that never comes is no answer, after Common.Cancel and a bounded wait', async () => {
    arm({ fault: 'missingCompletion' });
    const { completion } = await ask(50, { answerMarginMs: 50, cancelMs: 50 });
    expect(completion.code).toBe('noAnswer');
  });

  it('a completion that comes too late is told as late', async () => {
    arm({ fault: 'slowCompletion', delayMs: 600 });
    const { cash, completion } = await ask(50, { answerMarginMs: 50, cancelMs: 50 });
    expect(completion.code).toBe('noAnswer');
    await expect.poll(() => late.length, { timeout: 5_000 }).toBe(1);
    expect(late).toMatchObject([{ uri: cash.uri, name: command, completion: { code: 'success' } }]);
  });
});
