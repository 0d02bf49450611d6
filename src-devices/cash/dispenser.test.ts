import { afterEach, describe, expect, test } from 'vitest';
import { type CashBench, type CashBenchOptions, expectSound, openCashBench, unit, yen } from './cash-bench.ts';

let bench: CashBench;
const open = async (options: CashBenchOptions = {}) => {
  bench = await openCashBench(options);
  return bench;
};
afterEach(async () => {
  expectSound(bench);
  await bench.close();
});

describe('a payout (S2)', () => {
  test('goes from the units to the stacker, into reach, and is gone', async () => {
    const { client, hands } = await open();
    const dispensed = await client.command('CashDispenser.Dispense', yen(36_000));
    expect(dispensed.payload).toMatchObject({
      denomination: { currencies: { JPY: 36_000 }, values: { unit1: 1, unit2: 1, unit3: 3 } },
      bunches: '1',
    });
    expect((await client.command('Common.Status')).payload.cashDispenser.intermediateStacker).toBe('notEmpty');
    expect((await client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('notPresented');

    const presented = await client.command('CashDispenser.Present');
    expect(presented.payload).toEqual({ position: { position: 'outCenter', additionalBunches: '0' } });
    expect((await client.command('Common.Status')).payload.cashDispenser.positions[0]).toMatchObject({
      shutter: 'open',
      positionStatus: 'notEmpty',
    });
    expect(client.events()).not.toContain('CashManagement.ItemsTakenEvent');

    await hands.takeNotes();
    expect((await client.event('CashManagement.ItemsTakenEvent')).payload.position).toBe('outCenter');
    expect((await client.command('Common.Status')).payload.cashDispenser.positions[0]).toMatchObject({
      shutter: 'closed',
      positionStatus: 'empty',
    });
    expect((await client.command('CashDispenser.GetPresentStatus')).payload).toMatchObject({
      presentState: 'presented',
      denomination: { currencies: { JPY: 36_000 } },
    });
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.cash.status.out).toMatchObject({
      presented: { type10000JPY1: { fit: 3 } },
      stacked: { type10000JPY1: { fit: 0 } },
    });
    expect(unit(bench, 'unit3')).toEqual({ counted: 197, held: 197 });
    expect(hands.where().worth.withCustomers).toBe(36_000);
  });

  test('tells every change of status and counts as it happens', async () => {
    const { client, connect } = await open();
    const other = await connect();
    await client.command('CashDispenser.Dispense', yen(10_000));
    await client.command('CashDispenser.Present');
    await other.command('Common.Status');
    const counts = other.heard.filter(({ header }) => header.name === 'Storage.CountsChangedEvent');
    expect(counts[0]?.payload).toEqual({
      unit3: { cash: { status: { out: { stacked: { type10000JPY1: { fit: 1 } } } } } },
    });
    expect(counts[1]?.payload).toEqual({
      unit3: {
        cash: { status: { out: { presented: { type10000JPY1: { fit: 1 } }, stacked: { type10000JPY1: { fit: 0 } } } } },
      },
    });
    const status = other.heard.filter(({ header }) => header.name === 'Common.StatusChangedEvent');
    expect(status.map(({ payload }) => payload)).toEqual([
      { cashDispenser: { intermediateStacker: 'notEmpty' } },
      { cashDispenser: { positions: [{ position: 'outCenter', shutter: 'open' }] } },
      {
        cashDispenser: {
          intermediateStacker: 'empty',
          positions: [{ position: 'outCenter', positionStatus: 'notEmpty' }],
        },
      },
    ]);
  });
});
