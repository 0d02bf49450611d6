import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { CashUnit } from './cash-dispenser.ts';
import { denominate, dispensable, possibleAmounts } from './denominate.ts';

const unit = (denominationMinor: number, count: number, state: CashUnit['state'] = 'ok'): CashUnit => ({
  id: `CST${denominationMinor}`,
  kind: 'recycle',
  denominationMinor: denominationMinor as MinorUnits,
  count,
  capacity: 2_000,
  state,
});
const full = [unit(1_000, 200), unit(5_000, 100), unit(10_000, 200)];
const asPairs = (mix: ReturnType<typeof denominate>) =>
  mix?.map((note) => [note.denominationMinor, note.count]) ?? null;

describe('denominate', () => {
  it('gives the fewest notes while every unit has plenty', () => {
    expect(asPairs(denominate(37_000, full))).toEqual([
      [1_000, 2],
      [5_000, 1],
      [10_000, 3],
    ]);
    expect(asPairs(denominate(20_000, full))).toEqual([[10_000, 2]]);
  });

  it('spares a denomination that runs low while another mix will do', () => {
    expect(asPairs(denominate(10_000, [unit(1_000, 200), unit(5_000, 100), unit(10_000, 20)]))).toEqual([[5_000, 2]]);
    expect(asPairs(denominate(10_000, [unit(1_000, 3), unit(5_000, 1), unit(10_000, 20)]))).toEqual([[10_000, 1]]);
  });

  it('finds a mix where the largest note first would miss it', () => {
    expect(asPairs(denominate(6_000, [unit(2_000, 3), unit(5_000, 1)]))).toEqual([[2_000, 3]]);
  });

  it('takes nothing from units that are empty, broken or missing, nor from bins', () => {
    const bins: CashUnit[] = [
      { ...unit(1_000, 50), kind: 'reject' },
      { ...unit(1_000, 50), kind: 'cashIn' },
    ];
    expect(denominate(1_000, [unit(1_000, 50, 'inoperative'), unit(1_000, 9, 'empty'), ...bins])).toBeNull();
    expect(denominate(1_000, [])).toBeNull();
  });

  it('refuses what no notes make: no amount, a part of a note, too many notes, too much', () => {
    for (const amount of [0, -1_000, 1_500, 12_345.5, Number.NaN, 9_000_000]) {
      expect(denominate(amount, full), `${amount}`).toBeNull();
    }
    expect(denominate(51_000, [unit(1_000, 100)])).toBeNull();
    expect(asPairs(denominate(50_000, [unit(1_000, 100)]))).toEqual([[1_000, 50]]);
  });

  const someUnits = fc
    .uniqueArray(fc.constantFrom(1_000, 2_000, 5_000, 10_000, 3_000, 7_000), { minLength: 1, maxLength: 3 })
    .chain((denominations) =>
      fc.tuple(...denominations.map((one) => fc.integer({ min: 0, max: 30 }).map((count) => unit(one, count)))),
    );
  /** Every amount that at most `notesMax` of the notes can make, by trying all. */
  const everyAmount = (units: readonly CashUnit[], notesMax: number): Set<number> =>
    new Set(
      units
        .reduce<[number, number][]>(
          (sums, { denominationMinor, count }) =>
            sums.flatMap(([amount, notes]) =>
              Array.from({ length: Math.min(count, notesMax - notes) + 1 }, (_, n): [number, number] => [
                amount + n * (denominationMinor ?? 0),
                notes + n,
              ]),
            ),
          [[0, 0]],
        )
        .map(([amount]) => amount)
        .filter((amount) => amount > 0),
    );

  it('makes exactly the amount, from notes that are there, and fails only where trying everything fails', () => {
    fc.assert(
      fc.property(
        someUnits,
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 25 }),
        (units, thousands, max) => {
          const amount = thousands * 1_000;
          const mix = denominate(amount, units, max);
          if (mix === null) return !everyAmount(units, max).has(amount);
          const sum = mix.reduce((total, note) => total + note.denominationMinor * note.count, 0);
          const there = mix.every((note) => {
            const held = units.filter((one) => one.denominationMinor === note.denominationMinor);
            return note.count > 0 && note.count <= held.reduce((total, one) => total + one.count, 0);
          });
          return sum === amount && there && mix.reduce((total, note) => total + note.count, 0) <= max;
        },
      ),
    );
  });

  it('names nearest amounts that can be given, both ways, and none that cannot', () => {
    fc.assert(
      fc.property(someUnits, fc.integer({ min: 0, max: 120_000 }), (units, near) => {
        const every = everyAmount(units, 50);
        const possible = possibleAmounts(near, units);
        const below = possible.filter((amount) => amount <= near);
        const above = possible.filter((amount) => amount > near);
        const nearest =
          below.every((amount) => [...every].filter((one) => one <= near && one > amount).length < below.length) &&
          above.every((amount) => [...every].filter((one) => one > near && one < amount).length < above.length);
        return possible.every((amount) => every.has(amount)) && possible.length === Math.min(4, every.size) && nearest;
      }),
      { numRuns: 60 },
    );
  });

  it('says the largest amount and the step, which every possible amount obeys', () => {
    expect(dispensable(full)).toEqual({ maxMinor: 500_000, stepMinor: 1_000 });
    expect(dispensable([unit(5_000, 3), unit(10_000, 2)])).toEqual({ maxMinor: 35_000, stepMinor: 5_000 });
    expect(dispensable([])).toEqual({ maxMinor: 0, stepMinor: 1 });
    expect(possibleAmounts(12_000, [unit(5_000, 3), unit(10_000, 2)])).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(possibleAmounts(900_000, full)).toEqual([490_000, 491_000, 495_000, 500_000]);
  });
});
