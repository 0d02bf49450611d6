import { describe, expect, it } from 'vitest';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { CashUnit } from './cash-dispenser.ts';
import { roomIn } from './cash-room.ts';

const unit = (
  kind: CashUnit['kind'],
  denomination: number | null,
  room: number,
  more: Partial<CashUnit> = {},
): CashUnit => ({
  id: `${kind}${denomination ?? ''}`,
  kind,
  denominationMinor: denomination as MinorUnits | null,
  count: 1_000 - room,
  capacity: 1_000,
  state: room === 0 ? 'full' : 'ok',
  ...more,
});

describe('a machine', () => {
  it('with room for everything takes what its escrow holds', () => {
    const units = [unit('recycle', 1_000, 900), unit('recycle', 10_000, 400), unit('cashIn', null, 1_000)];
    expect(roomIn(units, 200)).toEqual({ notesMax: 200, scarce: false, full: [] });
  });

  it('that is nearly full takes what fits whichever notes are brought', () => {
    const units = [unit('recycle', 1_000, 900), unit('recycle', 10_000, 3), unit('cashIn', null, 4)];
    expect(roomIn(units, 200)).toEqual({ notesMax: 7, scarce: true, full: [] });
  });

  it('that is full for one kind and not for another names the kind, and counts the other', () => {
    const units = [unit('recycle', 1_000, 30), unit('recycle', 10_000, 0), unit('cashIn', null, 0)];
    expect(roomIn(units, 200)).toEqual({ notesMax: 30, scarce: true, full: [10_000] });
  });

  it('takes a kind whose own unit is full while the mixed unit has room', () => {
    const units = [unit('recycle', 10_000, 0), unit('cashIn', null, 50)];
    expect(roomIn(units, 200)).toEqual({ notesMax: 50, scarce: true, full: [] });
  });

  it.each([
    ['no unit has room', [unit('recycle', 1_000, 0), unit('cashIn', null, 0)]],
    [
      'its units are missing, or do not work',
      [unit('recycle', 1_000, 9, { state: 'missing' }), unit('cashIn', null, 9, { state: 'inoperative' })],
    ],
    ['its units are locked against deposits', [unit('cashIn', null, 9, { takesIn: false })]],
    [
      'only bins have room, or units that pay out',
      [unit('retract', null, 9), unit('reject', null, 9), unit('cashOut', 1_000, 9)],
    ],
  ])('is full when %s', (_, units) => {
    expect(roomIn(units, 200).notesMax).toBe(0);
  });

  it('whose recycler gives nothing any more may still take notes', () => {
    expect(roomIn([unit('recycle', 1_000, 9, { state: 'inoperative', takesIn: true })], 200).notesMax).toBe(9);
  });

  it('that does not say how much it holds is bounded by its escrow, or by nothing', () => {
    const silent = [unit('cashIn', null, 0, { count: 40, capacity: 40, state: 'ok' })];
    expect(roomIn(silent, 100)).toEqual({ notesMax: 100, scarce: false, full: [] });
    expect(roomIn(silent, null)).toEqual({ notesMax: null, scarce: false, full: [] });
  });
});
