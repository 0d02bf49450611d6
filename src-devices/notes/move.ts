/**
 * The only way a note goes from one place to another, and how the machine counts it on the way (XFS4IoT, 9.1): notes picked
 * are `stacked` or in `transport` of their unit until they are presented, rejected or carried to another unit; notes on their
 * way to a unit that did not arrive are in its `in.transport`.
 */
import type { CashState, InBucket, Lot, OutBucket, Place, Unit } from './cash-state.ts';
import { add, total } from './tally.ts';

/** A unit's id, or a place. */
export type Spot = Place | { readonly unit: string };

export interface Move {
  readonly from: Spot;
  readonly to: Spot;
  /** What, and how much of it. From a place, the first lots of the item are taken unless `origin` names theirs. */
  readonly item: string;
  readonly count: number;
  readonly origin?: string | null;
  /** Into a unit: the bucket it is counted in there; absent: nobody counts it. */
  readonly into?: Exclude<InBucket, 'transport'>;
  /** Nobody knows any more which unit it came from. */
  readonly originLost?: boolean;
  /** To the transport: the unit it was meant for. */
  readonly bound?: string;
}

/** Changes `state` in place. Throws when the notes are not there or do not fit: a mechanism asks first. */
export function move(state: CashState, order: Move): void {
  if (order.count === 0) return;
  for (const lot of take(state, order)) put(state, lot, order);
}

/** Room left in a unit, notes. */
export const room = (unit: Unit): number => unit.capacity - total(unit.notes);

function take(state: CashState, { from, item, count, origin }: Move): Lot[] {
  if (typeof from === 'object') {
    const unit = unitOf(state, from.unit);
    add(unit.notes, item, -count);
    return [{ item, count, origin: from.unit, temporary: null, bound: null }];
  }
  let wanted = count;
  const taken: Lot[] = [];
  state.places[from] = state.places[from].flatMap((lot) => {
    if (lot.item !== item || wanted === 0 || (origin !== undefined && lot.origin !== origin)) return [lot];
    const part = Math.min(wanted, lot.count);
    wanted -= part;
    taken.push({ ...lot, count: part });
    return part < lot.count ? [{ ...lot, count: lot.count - part }] : [];
  });
  if (wanted > 0) throw new Error(`${from}: ${wanted} of ${item} are not there`);
  return taken;
}

function put(state: CashState, lot: Lot, order: Move): void {
  const wasInUnit = typeof order.from === 'object';
  release(state, lot);
  const { to } = order;
  const travelling = wasInUnit || lot.temporary === 'stacked' || lot.temporary === 'transport';
  const known = order.originLost ? { ...lot, origin: null } : lot;
  const settled: Lot = { ...known, temporary: null, bound: null };

  if (typeof to === 'object') {
    const unit = unitOf(state, to.unit);
    if (room(unit) < lot.count) throw new Error(`${to.unit}: no room for ${lot.count}`);
    add(unit.notes, lot.item, lot.count);
    if (order.into) add(unit.in[order.into], lot.item, lot.count);
    else deviate(unit, lot.item, lot.count);
    if (travelling && lot.origin) {
      add(unitOf(state, lot.origin).out[order.originLost ? 'unknown' : outBucket(order)], lot.item, lot.count);
    }
    return;
  }
  if (to === 'transport' && order.bound) {
    add(unitOf(state, order.bound).in.transport, lot.item, lot.count);
    lay(state, to, { ...settled, temporary: 'inTransport', bound: order.bound });
    return;
  }
  if (travelling && lot.origin && (to === 'stacker' || to === 'transport')) {
    const temporary = to === 'stacker' ? 'stacked' : 'transport';
    add(unitOf(state, lot.origin).out[temporary], lot.item, lot.count);
    lay(state, to, { ...settled, temporary });
    return;
  }
  if (travelling && lot.origin && to !== 'vault') {
    add(unitOf(state, lot.origin).out[to === 'exit' || to === 'hand' ? 'presented' : 'unknown'], lot.item, lot.count);
  }
  // Staff takes notes out of a unit without the machine knowing; its counts are set afterwards.
  if (to === 'vault' && typeof order.from === 'object') deviate(unitOf(state, order.from.unit), lot.item, -lot.count);
  else if (to === 'vault' && travelling && lot.origin) {
    add(unitOf(state, lot.origin).out.unknown, lot.item, lot.count);
  }
  lay(state, to, to === 'hand' || to === 'vault' ? { ...settled, origin: null } : settled);
}

/** Which bucket of the unit it came from counts a note that ends in another unit. */
function outBucket({ into }: Move): OutBucket {
  return into === 'rejected' ? 'rejected' : 'distributed';
}

function release(state: CashState, lot: Lot): void {
  if (lot.temporary === 'inTransport') add(unitOf(state, lot.bound!).in.transport, lot.item, -lot.count);
  else if (lot.temporary) add(unitOf(state, lot.origin!).out[lot.temporary], lot.item, -lot.count);
}

function lay(state: CashState, place: Place, lot: Lot): void {
  const same = state.places[place].find(
    (other) =>
      other.item === lot.item &&
      other.origin === lot.origin &&
      other.temporary === lot.temporary &&
      other.bound === lot.bound,
  );
  if (same) same.count += lot.count;
  else state.places[place].push(lot);
}

function deviate(unit: Unit, item: string, count: number): void {
  const next = (unit.deviation[item] ?? 0) + count;
  if (next === 0) delete unit.deviation[item];
  else unit.deviation[item] = next;
}

/** Puts notes into the world: staff brings them for a unit, or a customer at the input. */
export function bring(state: CashState, to: Spot, item: string, count: number): void {
  if (count === 0) return;
  add(state.came, item, count);
  if (typeof to === 'object') {
    const unit = unitOf(state, to.unit);
    if (room(unit) < count) throw new Error(`${to.unit}: no room for ${count}`);
    add(unit.notes, item, count);
    deviate(unit, item, count);
  } else lay(state, to, { item, count, origin: null, temporary: null, bound: null });
}

/** XFS4IoT Storage.SetStorage, initial counts: what is in the unit by somebody's word. Clears in and out but what is on its way. */
export function setInitial(unit: Unit, initial: Record<string, number>): void {
  for (const [item, count] of Object.entries(initial)) unit.initial[item] = count;
  for (const item of Object.keys(unit.initial)) if (!(item in initial)) unit.initial[item] = 0;
  for (const bucket of ['deposited', 'retracted', 'rejected', 'distributed'] as const) zero(unit.in[bucket]);
  for (const bucket of ['presented', 'rejected', 'distributed', 'unknown'] as const) zero(unit.out[bucket]);
  unit.retractOperations = 0;
  unit.accuracy = 'accurateSet';
  unit.sensedEmpty = false;
  const believed = { ...unit.initial };
  for (const bucket of ['stacked', 'diverted', 'transport'] as const) {
    for (const [item, count] of Object.entries(unit.out[bucket])) believed[item] = (believed[item] ?? 0) - count;
  }
  unit.deviation = {};
  for (const item of new Set([...Object.keys(believed), ...Object.keys(unit.notes)])) {
    deviate(unit, item, (unit.notes[item] ?? 0) - (believed[item] ?? 0));
  }
}

function zero(tally: Record<string, number>): void {
  for (const item of Object.keys(tally)) tally[item] = 0;
}

function unitOf(state: CashState, id: string): Unit {
  const unit = state.units[id];
  if (!unit) throw new Error(`there is no ${id}`);
  return unit;
}
