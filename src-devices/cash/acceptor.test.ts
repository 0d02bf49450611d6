import { afterEach, describe, expect, test } from 'vitest';
import {
  type CashBench,
  type CashBenchOptions,
  cashIn,
  codeOf,
  expectSound,
  openCashBench,
  unit,
} from './cash-bench.ts';

let bench: CashBench;
const open = async (options: CashBenchOptions = {}) => {
  bench = await openCashBench(options);
  return bench;
};
afterEach(async () => {
  expectSound(bench);
  await bench.close();
});

describe('a deposit (S10)', () => {
  test('is counted into the escrow and stored', async () => {
    const { client } = await open();
    expect(codeOf(await client.command('CashAcceptor.CashInStart', { useRecycleUnits: true }))).toBe('success');
    const first = await cashIn(bench, [
      { value: 10_000, count: 2 },
      { value: 1_000, count: 4 },
      { value: 1_000, count: 1, level: 'unfit' },
    ]);
    expect(first.payload.items).toEqual({
      unrecognized: 0,
      type10000JPY1: { fit: 2 },
      type1000JPY1: { fit: 4, unfit: 1 },
    });
    expect(client.events()).toContain('CashAcceptor.InsertItemsEvent');
    expect((await client.event('CashManagement.ItemsInsertedEvent')).payload).toEqual({ position: 'inCenter' });
    await cashIn(bench, [{ value: 5_000, count: 1 }]);
    const status = await client.command('CashAcceptor.GetCashInStatus');
    expect(status.payload).toEqual({
      status: 'active',
      numOfRefused: 0,
      noteNumberList: {
        unrecognized: 0,
        type10000JPY1: { fit: 2 },
        type1000JPY1: { fit: 4, unfit: 1 },
        type5000JPY1: { fit: 1 },
      },
    });
    const stored = await client.command('CashAcceptor.CashInEnd');
    expect(stored.payload.storage).toEqual({
      unit1: { deposited: { type1000JPY1: { fit: 4 } } },
      unit2: { deposited: { type5000JPY1: { fit: 1 } } },
      unit3: { deposited: { type10000JPY1: { fit: 2 } } },
      unit4: { deposited: { type1000JPY1: { unfit: 1 } } },
    });
    expect((await client.command('CashAcceptor.GetCashInStatus')).payload.status).toBe('ok');
    expect(unit(bench, 'unit3')).toEqual({ counted: 202, held: 202 });
    expect(unit(bench, 'unit4')).toEqual({ counted: 1, held: 1 });
  });
});
