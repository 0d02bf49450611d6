/** The storage counts as a ledger (XFS4IoT 2024-3, Storage.GetStorage, counts of a unit). */
import { describe, expect, it } from 'vitest';
import { toMajor, toMinor } from './amounts.ts';
import { cashUnits } from './cash-units.ts';
import type { Counts, StorageUnit } from './client/index.ts';
import { counted, type NoteTypes, noteTypesOf } from './note-types.ts';
import { ledgerOf, movement, stoodStill } from './storage-ledger.ts';

const types: NoteTypes = new Map([
  ['type10000JPY1', 10_000],
  ['type1000JPY1', 1_000],
]);
const tens = (fit: number): Counts => ({ items: { type10000JPY1: { fit } } });
type CashStatus = NonNullable<NonNullable<StorageUnit['cash']>['status']>;

function machine(out: CashStatus['out'], entered: CashStatus['in'] = {}, initial = tens(200)) {
  const units: Record<string, StorageUnit> = {
    unit3: {
      status: 'ok',
      capacity: 2_500,
      cash: {
        configuration: { types: { cashOut: true }, currency: 'JPY', value: 10_000 },
        status: { initial, out, replenishmentStatus: 'ok' },
      },
    },
    unit9: {
      status: 'ok',
      capacity: 300,
      cash: { capabilities: { types: { reject: true, cashOutRetract: true } }, status: { in: entered } },
    },
  };
  return units;
}
const ledger = (...parts: Parameters<typeof machine>) => ledgerOf(machine(...parts), types);

describe('the storage ledger', () => {
  it('tells what was presented, rejected and retracted between two readings', () => {
    const before = ledger({ presented: tens(3), rejected: tens(1) }, { rejected: tens(1), retractOperations: 0 });
    const after = ledger(
      { presented: tens(5), rejected: tens(2) },
      { rejected: tens(2), retracted: tens(1), retractOperations: 1 },
    );
    expect(movement(before, after)).toMatchObject({
      presented: { '10000': 2 },
      rejectedOut: { '10000': 1 },
      rejectedIn: { '10000': 1 },
      retracted: { '10000': 1 },
      retractOperations: 1,
      others: 0,
    });
  });

  it('stands still when nothing moved', () => {
    expect(stoodStill(movement(ledger({ presented: tens(3) }), ledger({ presented: tens(3) }))!)).toBe(true);
    expect(stoodStill(movement(ledger({}), ledger({ stacked: tens(1) }))!)).toBe(false);
    expect(stoodStill(movement(ledger({}), ledger({}, { retractOperations: 1 }))!)).toBe(false);
  });

  it.each([
    ['a unit was refilled', ledger({ presented: tens(3) }, {}, tens(500))],
    ['a lasting bucket fell', ledger({ presented: tens(2) })],
    ['a unit is gone', Object.fromEntries(Object.entries(ledger({ presented: tens(3) })).slice(0, 1))],
  ])('is no witness when %s', (_, after) => {
    expect(movement(ledger({ presented: tens(3) }), after)).toBeNull();
  });

  it('is no witness for a device that counts nothing', () => {
    expect(movement(ledger({}, {}, { items: {} }), ledger({}, {}, { items: {} }))).toBeNull();
  });

  it('counts notes that nobody can value apart, and never as money', () => {
    const strange: Counts = {
      unrecognized: 2,
      items: { type10000JPY1: { fit: 1, suspect: 1 }, type50EUR1: { fit: 3 } },
    };
    expect(counted(strange, types)).toEqual({ notes: { '10000': 2 }, others: 5 });
    expect(counted(strange, types, 'genuine')).toEqual({ notes: { '10000': 1 }, others: 6 });
    expect(counted(undefined, types)).toEqual({ notes: {}, others: 0 });
  });
});

describe('the units', () => {
  it('hold what they were filled with, and all that entered, less all that left', () => {
    const units = machine({ presented: tens(3), rejected: tens(1), stacked: tens(2) }, { rejected: tens(1) });
    expect(cashUnits(units, types, 'JPY')).toEqual([
      {
        id: 'unit3',
        kind: 'cashOut',
        denominationMinor: 10_000,
        count: 194,
        capacity: 2_500,
        state: 'ok',
        notes: [{ denominationMinor: 10_000, count: 194 }],
      },
      expect.objectContaining({ id: 'unit9', kind: 'retract', denominationMinor: null, count: 1 }),
    ]);
  });

  it('of another currency, or locked, or out of order, give nothing', () => {
    const change = (change: object, status: StorageUnit['status'] = 'ok') => {
      const units = machine({});
      const unit = units['unit3']!;
      const configuration = { ...unit.cash!.configuration, ...change };
      return cashUnits({ unit3: { ...unit, status, cash: { ...unit.cash, configuration } } }, types, 'JPY')[0]?.state;
    };
    expect(change({ currency: 'EUR' })).toBeUndefined();
    expect(change({ appLockOut: true })).toBe('inoperative');
    expect(change({}, 'manipulated')).toBe('inoperative');
    expect(change({}, 'missing')).toBe('missing');
    expect(change({}, 'unknown')).toBe('inoperative');
  });
});

describe('amounts', () => {
  it('turn major units into whole minor ones, and refuse a fraction of them', () => {
    expect(toMinor(30_000, 'JPY')).toBe(30_000);
    expect(toMinor(0.29, 'EUR')).toBe(29);
    expect(toMinor(123.45, 'EUR')).toBe(12_345);
    expect(toMinor(0.5, 'JPY')).toBeNull();
    expect(toMajor(12_345, 'EUR')).toBe(123.45);
    expect(toMajor(30_000, 'JPY')).toBe(30_000);
  });

  it('of notes come from the device’s own table, whatever their ids look like', () => {
    const items = {
      type5000JPY1: { cashItem: { currency: 'JPY', value: 1_000 } },
      type10EUR1: { cashItem: { currency: 'EUR', value: 10 } },
      type0JPY1: { cashItem: { currency: 'JPY', value: 0 } },
    };
    expect([...noteTypesOf(items, 'JPY')]).toEqual([['type5000JPY1', 1_000]]);
  });
});
