/** What a machine is filled with when its folder is empty. */
import { type CashState, IN_BUCKETS, OUT_BUCKETS, PLACES, type Unit } from './cash-state.ts';
import { itemKey, typeOfValue } from './items.ts';
import { bring, setInitial } from './move.ts';

export interface UnitLoad {
  /** e.g. `unit1`; matches `^unit[0-9A-Za-z]+$`. */
  readonly id: string;
  /** Legacy id, 1 to 5 characters, e.g. `CST1`. */
  readonly name: string;
  readonly kind: Unit['kind'];
  /** Value of its notes, major units; null: mixed. */
  readonly value: number | null;
  readonly count: number;
  readonly capacity: number;
}

/** ¥2,700,000 in three recycling units; a mixed deposit unit, a reject and a retract unit, empty. */
export const DEFAULT_LOAD: readonly UnitLoad[] = [
  { id: 'unit1', name: 'CST1', kind: 'recycle', value: 1_000, count: 200, capacity: 2_000 },
  { id: 'unit2', name: 'CST2', kind: 'recycle', value: 5_000, count: 100, capacity: 1_000 },
  { id: 'unit3', name: 'CST3', kind: 'recycle', value: 10_000, count: 200, capacity: 2_000 },
  { id: 'unit4', name: 'CIN', kind: 'cashIn', value: null, count: 0, capacity: 1_000 },
  { id: 'unit5', name: 'REJ', kind: 'reject', value: null, count: 0, capacity: 300 },
  { id: 'unit6', name: 'RET', kind: 'retract', value: null, count: 0, capacity: 300 },
];

/** Fewer notes than this in a unit that pays out is `low`: one payout may take as many. */
const LOW_NOTES = 20;

/** Throws an Error when a unit is to hold notes that do not fit or are unknown. */
export function loadedState(load: readonly UnitLoad[]): CashState {
  const state: CashState = {
    version: 1,
    units: Object.fromEntries(load.map((unit) => [unit.id, emptyUnit(unit)])),
    places: Object.fromEntries(PLACES.map((place) => [place, []])) as unknown as CashState['places'],
    came: {},
    outputShutter: 'closed',
    inputShutter: 'closed',
    foreignAtOutput: false,
    foreignAtInput: false,
    dispenserJam: null,
    acceptorJam: null,
    exchange: false,
    disabledTypes: [],
    present: null,
    cashIn: null,
    nonces: 0,
  };
  for (const { id, value, count } of load) {
    if (count === 0) continue;
    const type = value === null ? undefined : typeOfValue(value);
    if (!type) throw new Error(`${id}: can't be loaded with ${count} notes of ${value}`);
    bring(state, { unit: id }, itemKey(type), count);
    setInitial(state.units[id]!, { [itemKey(type)]: count });
    state.units[id]!.accuracy = 'accurate';
  }
  return state;
}

function emptyUnit({ name, kind, value, capacity }: UnitLoad): Unit {
  const paysOut = kind === 'cashOut' || kind === 'recycle';
  return {
    name,
    kind,
    value,
    capacity,
    lowThreshold: paysOut ? Math.min(LOW_NOTES, capacity - 1) : 0,
    highThreshold: Math.floor(capacity * 0.9),
    appLockIn: false,
    appLockOut: false,
    status: 'ok',
    sensedEmpty: false,
    accuracy: 'accurate',
    notes: {},
    initial: {},
    retractOperations: 0,
    in: Object.fromEntries(IN_BUCKETS.map((bucket) => [bucket, {}])) as Unit['in'],
    out: Object.fromEntries(OUT_BUCKETS.map((bucket) => [bucket, {}])) as Unit['out'],
    deviation: {},
  };
}
