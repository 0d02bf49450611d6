import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeStateDir } from '../test-bench.ts';
import { type CashBench, type CashBenchOptions, codeOf, expectSound, openCashBench, unit, yen } from './cash-bench.ts';

let bench: CashBench;
const open = async (options: CashBenchOptions = {}) => {
  bench = await openCashBench(options);
  return bench;
};
const run = async (name: string, payload?: unknown) => codeOf(await bench.client.command(name, payload));
const set = (id: string, cash: object) => run('Storage.SetStorage', { storage: { [id]: { cash } } });

describe('units and exchange (9)', () => {
  afterEach(async () => {
    expectSound(bench);
    await bench.close();
  });

  test('a unit says what it is, what it may hold and what it counts', async () => {
    const { client } = await open();
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(Object.keys(storage)).toEqual(['unit1', 'unit2', 'unit3', 'unit4', 'unit5', 'unit6']);
    expect(storage.unit3).toMatchObject({
      id: 'CST3',
      capacity: 2_000,
      status: 'ok',
      cash: {
        configuration: { currency: 'JPY', value: 10_000, cashItems: ['type10000JPY1'], appLockOut: false },
        status: { initial: { type10000JPY1: { fit: 200 } }, accuracy: 'accurate', replenishmentStatus: 'ok' },
      },
    });
    expect(storage.unit4.cash.configuration).toMatchObject({ value: 0 });
    expect(storage.unit6.cash.capabilities).toMatchObject({ retractAreas: 1 });
  });

  test('S19: everything stands still during an exchange, and counts change in it only', async () => {
    const { client } = await open();
    const initial = { status: { initial: { type10000JPY1: { fit: 77 } } } };
    expect(await set('unit3', initial)).toBe('noExchangeActive');
    expect(await run('Storage.StartExchange')).toBe('success');
    expect((await client.command('Common.Status')).payload.common.exchange).toBe('active');
    for (const name of ['Dispense', 'Present', 'Reject', 'Denominate']) {
      const payload = name === 'Dispense' ? yen(1_000) : { request: yen(1_000).denomination };
      expect(await run(`CashDispenser.${name}`, payload)).toBe('exchangeActive');
    }
    for (const name of ['CashAcceptor.CashInStart', 'CashManagement.Retract', 'CashManagement.Reset']) {
      expect(await run(name, {})).toBe('exchangeActive');
    }
    expect(await set('unit3', initial)).toBe('success');
    expect((await client.event('Storage.StorageChangedEvent')).payload.unit3.cash.status).toMatchObject({
      initial: { type10000JPY1: { fit: 77 } },
      accuracy: 'accurateSet',
    });
    expect(await run('Storage.EndExchange')).toBe('success');
    expect(unit(bench, 'unit3')).toEqual({ counted: 77, held: 200 });
  });

  test('a unit pulled out is missing, and manipulated when it comes back outside an exchange', async () => {
    const { client, hands } = await open();
    hands.removeUnit('unit3');
    expect((await client.event('Storage.StorageChangedEvent')).payload).toEqual({ unit3: { status: 'missing' } });
    hands.insertUnit('unit3');
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.status).toBe('manipulated');
    expect(
      await run('CashDispenser.Dispense', { denomination: { denomination: { app: { counts: { unit3: 1 } } } } }),
    ).toBe('notDispensable');
    await run('Storage.StartExchange');
    await run('Storage.EndExchange');
    expect(
      await run('CashDispenser.Dispense', { denomination: { denomination: { app: { counts: { unit3: 1 } } } } }),
    ).toBe('success');
  });

  test('thresholds are told when they are crossed', async () => {
    const { client } = await open();
    expect(await set('unit3', { configuration: { lowThreshold: 199 } })).toBe('success');
    await run('CashDispenser.Dispense', yen(20_000));
    expect((await client.event('Storage.StorageThresholdEvent')).payload).toEqual({
      unit3: { cash: { status: { replenishmentStatus: 'low' } } },
    });
    expect((await client.command('Common.Status')).payload.cashManagement.dispenser).toBe('attention');
  });

  test.each<[why: string, id: string, cash: object, code: string]>([
    ['a unit there is not', 'unit9', {}, 'invalidUnit'],
    ['a threshold that is not below the capacity', 'unit3', { configuration: { highThreshold: 2_000 } }, 'invalidData'],
    ['counts of what is no note', 'unit3', { status: { initial: { type7JPY1: { fit: 1 } } } }, 'invalidData'],
    ['another value than the hardware has', 'unit3', { configuration: { value: 2_000 } }, 'unsupportedData'],
    ['another currency', 'unit3', { configuration: { currency: 'EUR' } }, 'unsupportedData'],
    ['a negative count', 'unit3', { status: { initial: { type10000JPY1: { fit: -1 } } } }, 'invalidData'],
  ])('%s is refused, and changes nothing', async (_why, id, cash, code) => {
    const { client } = await open();
    await run('Storage.StartExchange');
    const before = (await client.command('Storage.GetStorage')).payload;
    const other = { unit1: { cash: { configuration: { lowThreshold: 3 } } } };
    expect(await run('Storage.SetStorage', { storage: { ...other, [id]: { cash } } })).toBe(code);
    expect((await client.command('Storage.GetStorage')).payload).toEqual(before);
  });

  test('a full deposit unit stops its half', async () => {
    const { client } = await open({
      load: [
        { id: 'unit1', name: 'CIN', kind: 'cashIn', value: null, count: 0, capacity: 1 },
        { id: 'unit2', name: 'RET', kind: 'retract', value: null, count: 0, capacity: 5 },
      ],
    });
    expect((await client.command('Common.Status')).payload.cashManagement).toEqual({
      dispenser: 'stop',
      acceptor: 'ok',
    });
    await run('CashAcceptor.CashInStart', { useRecycleUnits: true });
    const id = client.send('CashAcceptor.CashIn');
    await bench.hands.insertWhenOpen([{ value: 1_000, count: 2 }]);
    await client.completion(id);
    expect((await client.event('CashAcceptor.InputRefuseEvent')).payload.reason).toBe('cashInUnitFull');
    await bench.hands.takeReturned();
    await run('CashAcceptor.CashInEnd');
    expect((await client.command('Common.Status')).payload.cashManagement.acceptor).toBe('stop');
  });
});

describe('a damaged state', () => {
  const damage = async (text: (good: string) => string) => {
    const folder = makeStateDir();
    try {
      const first = await openCashBench({ stateDir: folder.path });
      const good = JSON.stringify(first.atm.cash!.machine.state);
      await first.atm.close();
      writeFileSync(join(folder.path, 'cash.json'), text(good));
      await openCashBench({ stateDir: folder.path });
      return 'opened';
    } catch (error) {
      return (error as Error).message;
    } finally {
      folder.remove();
    }
  };

  test.each<[how: string, text: (good: string) => string, says: RegExp]>([
    ['cut off', (good) => good.slice(0, 100), /cash\.json is damaged/],
    ['with a field of another kind', (good) => good.replace('"exchange":false', '"exchange":7'), /exchange/],
    [
      'with a note too many',
      (good) => good.replace('"notes":{"type1000JPY1/fit":200}', '"notes":{"type1000JPY1/fit":201}'),
      /not conserved/,
    ],
    [
      'with counts that do not add up',
      (good) => good.replace('"deposited":{}', '"deposited":{"type1000JPY1/fit":1}'),
      /unit1 counts/,
    ],
  ])('%s refuses to start and names the file', async (_how, text, says) => {
    expect(await damage(text)).toMatch(says);
  });

  test('is not confused with one that is whole', async () => {
    expect(await damage((good) => good)).toBe('opened');
  });
});
