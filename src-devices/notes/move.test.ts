import { describe, expect, test } from 'vitest';
import { counted, problems } from './cash-state.ts';
import { loadedState } from './load.ts';
import { bring, type Move, move, setInitial } from './move.ts';

const TEN = 'type10000JPY1/fit';
const fresh = () =>
  loadedState([
    { id: 'unit1', name: 'CST', kind: 'recycle', value: 10_000, count: 10, capacity: 12 },
    { id: 'unit2', name: 'REJ', kind: 'reject', value: null, count: 0, capacity: 5 },
    { id: 'unit3', name: 'RET', kind: 'retract', value: null, count: 0, capacity: 5 },
  ]);
type State = ReturnType<typeof fresh>;

/** Each order moves two notes of ten thousand yen. */
function moved(orders: readonly Omit<Move, 'item' | 'count'>[], state: State = fresh()): State {
  for (const order of orders) {
    move(state, { ...order, item: TEN, count: 2 });
    expect(problems(state)).toEqual([]);
  }
  return state;
}
/** The buckets of a unit that are not empty. */
function buckets(state: State, id: string): Record<string, number> {
  const unit = state.units[id]!;
  const of = (side: 'in' | 'out') =>
    Object.entries(unit[side]).flatMap(([bucket, tally]) => (tally[TEN] ? [[`${side}.${bucket}`, tally[TEN]]] : []));
  return Object.fromEntries([...of('out'), ...of('in')]);
}

const toStacker = { from: { unit: 'unit1' }, to: 'stacker' } as const;
const present = { from: 'stacker', to: 'exit' } as const;
const jam = { from: { unit: 'unit1' }, to: 'transport' } as const;

describe('bucket movements (9.1)', () => {
  test.each<[action: string, orders: Omit<Move, 'item' | 'count'>[], source: object, other: object]>([
    ['dispense to stacker', [toStacker], { 'out.stacked': 2 }, {}],
    [
      'note failed check',
      [{ from: { unit: 'unit1' }, to: { unit: 'unit2' }, into: 'rejected' }],
      { 'out.rejected': 2 },
      { 'in.rejected': 2 },
    ],
    ['present', [toStacker, present], { 'out.presented': 2 }, {}],
    [
      'reject from stacker',
      [toStacker, { from: 'stacker', to: { unit: 'unit2' }, into: 'rejected' }],
      { 'out.rejected': 2 },
      { 'in.rejected': 2 },
    ],
    ['jam', [jam], { 'out.transport': 2 }, {}],
    [
      'reset after a jam',
      [jam, { from: 'transport', to: { unit: 'unit2' }, into: 'rejected' }],
      { 'out.rejected': 2 },
      { 'in.rejected': 2 },
    ],
    [
      'reset, origin lost',
      [jam, { from: 'transport', to: { unit: 'unit2' }, into: 'rejected', originLost: true }],
      { 'out.unknown': 2 },
      { 'in.rejected': 2 },
    ],
    ['present that jams', [toStacker, { from: 'stacker', to: 'transport' }], { 'out.transport': 2 }, {}],
  ])('%s', (_action, orders, source, other) => {
    const state = moved(orders);
    expect(buckets(state, 'unit1')).toEqual(source);
    expect(buckets(state, 'unit2')).toEqual(other);
    expect(counted(state.units['unit1']!)[TEN]).toBe(8);
  });

  test('retract after present stays presented, and is counted or not', () => {
    const retract = { from: 'exit', to: { unit: 'unit3' } } as const;
    const known = moved([toStacker, present, { ...retract, into: 'retracted' }]);
    expect([buckets(known, 'unit1'), buckets(known, 'unit3')]).toEqual([{ 'out.presented': 2 }, { 'in.retracted': 2 }]);
    const silent = moved([toStacker, present, retract]);
    expect(buckets(silent, 'unit3')).toEqual({});
    expect(silent.units['unit3']!.deviation).toEqual({ [TEN]: 2 });
  });

  test('a deposit, and one that jams on its way in', () => {
    const state = fresh();
    bring(state, 'escrow', TEN, 2);
    moved([{ from: 'escrow', to: 'transport', bound: 'unit1' }], state);
    expect(buckets(state, 'unit1')).toEqual({ 'in.transport': 2 });
    moved([{ from: 'transport', to: { unit: 'unit1' }, into: 'deposited' }], state);
    expect(buckets(state, 'unit1')).toEqual({ 'in.deposited': 2 });
    expect(counted(state.units['unit1']!)[TEN]).toBe(12);
  });

  test('setting the initial count clears what is past and keeps what is on its way', () => {
    const state = moved([toStacker, present, toStacker]);
    setInitial(state.units['unit1']!, { [TEN]: 9 });
    expect(problems(state)).toEqual([]);
    expect(buckets(state, 'unit1')).toEqual({ 'out.stacked': 2 });
    expect(state.units['unit1']!.deviation).toEqual({ [TEN]: -1 });
  });
});

describe('what can’t be', () => {
  test.each<[why: string, order: Omit<Move, 'item' | 'count'>, says: RegExp]>([
    ['notes that are not there', { from: 'stacker', to: 'exit' }, /stacker: 2 of type10000JPY1\/fit are not there/],
    ['a unit there is not', { from: { unit: 'unit9' }, to: 'stacker' }, /no unit9/],
  ])('%s', (_why, order, says) => {
    expect(() => move(fresh(), { ...order, item: TEN, count: 2 })).toThrow(says);
  });

  test('a unit never holds more than fits', () => {
    const state = fresh();
    bring(state, 'escrow', TEN, 3);
    const store = { from: 'escrow', to: { unit: 'unit1' }, item: TEN, count: 3, into: 'deposited' } as const;
    expect(() => move(state, store)).toThrow('no room');
  });
});
