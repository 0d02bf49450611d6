import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CASH_FAULTS } from './cash/cash-faults.ts';
import { type FaultKind, Faults, faultKind } from './faults.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

const jam = faultKind('jam', 'It jams.', { afterNotes: z.int().min(0).default(0), side: z.string().optional() });

describe('armed faults', () => {
  test('strike at their n-th use, so often as told, and then no more', () => {
    const faults = new Faults([jam]);
    faults.arm({ fault: 'jam', use: 3, times: 2, afterNotes: 5 });
    const struck = Array.from({ length: 6 }, () => faults.strikes(jam)?.afterNotes ?? null);
    expect(struck).toEqual([null, null, 5, 5, null, null]);
    expect(faults.armed()).toEqual([]);
  });

  test('count only the uses they are armed for', () => {
    const faults = new Faults([jam]);
    faults.arm({ fault: 'jam', use: 2, side: 'left' });
    const left = (fault: { side?: string | undefined }) => fault.side === 'left';
    const right = (fault: { side?: string | undefined }) => fault.side === 'right';
    expect([faults.strikes(jam, right), faults.strikes(jam, left), faults.strikes(jam, right)]).toEqual([
      null,
      null,
      null,
    ]);
    expect(faults.strikes(jam, left)).toMatchObject({ side: 'left' });
  });

  test('two of a kind strike one after the other', () => {
    const faults = new Faults([jam]);
    faults.arm({ fault: 'jam', afterNotes: 1 });
    faults.arm({ fault: 'jam', afterNotes: 2 });
    expect([faults.strikes(jam)?.afterNotes, faults.strikes(jam)?.afterNotes, faults.strikes(jam)]).toEqual([
      1,
      2,
      null,
    ]);
  });

  test('can be taken back', () => {
    const faults = new Faults([jam]);
    const { id } = faults.arm({ fault: 'jam' });
    faults.arm({ fault: 'jam', afterNotes: 9 });
    faults.disarm(id);
    expect(faults.armed()).toHaveLength(1);
    faults.disarmAll();
    expect(faults.strikes(jam)).toBeNull();
  });

  test.each<[order: { fault: string } & Record<string, unknown>, says: string]>([
    [{ fault: 'rust' }, 'there is no rust; there are jam'],
    [{ fault: 'jam', afterNotes: -1 }, 'afterNotes'],
    [{ fault: 'jam', colour: 'red' }, 'colour'],
    [{ fault: 'jam', use: 0 }, 'use'],
  ])('%o is refused, naming what is wrong', (order, says) => {
    const faults = new Faults([jam]);
    expect(() => faults.arm(order)).toThrow(says);
    expect(faults.armed()).toEqual([]);
  });
});

test('every fault of 22.9 has a name of its own and a sentence', () => {
  const all: readonly FaultKind[] = [...CASH_FAULTS, ...WIRE_FAULTS];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { name, says } of all) expect(says, name).toMatch(/^[A-Z].{20,}\.$/);
});
