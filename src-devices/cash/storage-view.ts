/** Storage units as XFS4IoT Storage.GetStorage shows them. */
import type { Payload } from '../envelope.ts';
import { type CashState, counted, IN_BUCKETS, OUT_BUCKETS, type Unit } from '../notes/cash-state.ts';
import { NOTE_TYPES, typeOfValue } from '../notes/items.ts';
import { type Tally, toCounts, total } from '../notes/tally.ts';

export function storageView(state: CashState): Payload {
  return Object.fromEntries(Object.entries(state.units).map(([id, unit], index) => [id, unitView(unit, index)]));
}

/** `index` is the unit's number in the machine, from 0. */
export function unitView(unit: Unit, index: number): Payload {
  const types = typesOf(unit);
  const items = { fit: true, unfit: unit.kind !== 'recycle' && unit.kind !== 'cashOut', ...extraItems(unit) };
  const cashItems = unit.value === null ? NOTE_TYPES.map(({ id }) => id) : [typeOfValue(unit.value)!.id];
  return {
    id: unit.name,
    positionName: `slot${index + 1}`,
    capacity: unit.capacity,
    status: unit.status,
    serialNumber: `KP-${unit.name}`,
    cash: {
      capabilities: {
        types,
        items,
        hardwareSensors: true,
        cashItems,
        ...(unit.kind === 'retract' && { retractAreas: 1, retractThresholds: true }),
      },
      configuration: {
        types,
        items,
        cashItems,
        currency: unit.value === null ? null : 'JPY',
        value: unit.value ?? 0,
        highThreshold: unit.highThreshold,
        lowThreshold: unit.lowThreshold,
        appLockIn: unit.appLockIn,
        appLockOut: unit.appLockOut,
        name: unit.name,
      },
      status: {
        index: index + 1,
        initial: toCounts(unit.initial),
        out: bucketsOf(unit.out, OUT_BUCKETS),
        in: { retractOperations: unit.retractOperations, ...bucketsOf(unit.in, IN_BUCKETS) },
        accuracy: unit.accuracy,
        replenishmentStatus: replenishment(unit),
        operationStatus: unit.status === 'inoperative' && unit.kind === 'recycle' ? 'dispenseInoperative' : null,
      },
    },
  };
}

/** How full a unit is by its counts; the sensor that felt nothing is believed over them. */
export function replenishment(unit: Unit): 'ok' | 'full' | 'high' | 'low' | 'empty' {
  const count = total(counted(unit));
  const paysOut = unit.kind === 'cashOut' || unit.kind === 'recycle';
  if (unit.sensedEmpty || (paysOut && count <= 0)) return 'empty';
  if (count >= unit.capacity) return 'full';
  if (unit.highThreshold > 0 && count > unit.highThreshold) return 'high';
  if (unit.lowThreshold > 0 && count < unit.lowThreshold) return 'low';
  return 'ok';
}

function typesOf({ kind }: Unit): Payload {
  return {
    cashIn: kind === 'cashIn' || kind === 'recycle',
    cashOut: kind === 'cashOut' || kind === 'recycle',
    replenishment: false,
    cashInRetract: kind === 'retract',
    cashOutRetract: kind === 'retract',
    reject: kind === 'reject',
  };
}

function extraItems({ kind }: Unit): Payload {
  const bin = kind === 'reject' || kind === 'retract';
  return { unrecognized: bin, counterfeit: bin, suspect: bin, inked: bin, coupon: false, document: false };
}

function bucketsOf(tallies: Readonly<Record<string, Tally>>, buckets: readonly string[]): Payload {
  return Object.fromEntries(buckets.map((bucket) => [bucket, toCounts(tallies[bucket] ?? {})]));
}
