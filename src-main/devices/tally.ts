/** Bank notes in one place: how many of each denomination. Never negative, never a zero entry, so equal places compare equal. */
import { z } from 'zod';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';

/** Denomination in minor units, as decimal digits → notes. */
export const Tally = z.record(z.string().regex(/^[1-9]\d{0,8}$/), z.int().positive());
export type Tally = Readonly<z.infer<typeof Tally>>;

export const NOTHING: Tally = {};

export function tallyOf(notes: readonly { readonly denominationMinor: number; readonly count: number }[]): Tally {
  return notes.reduce<Tally>((sum, note) => plus(sum, one(note.denominationMinor, note.count)), NOTHING);
}

export function one(denominationMinor: number, count: number): Tally {
  return count > 0 ? { [denominationMinor]: count } : NOTHING;
}

export function plus(a: Tally, b: Tally): Tally {
  return sumOf([a, b]);
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum: Record<string, number> = {};
  for (const tally of tallies) {
    for (const denomination of Object.keys(tally)) {
      sum[denomination] = (sum[denomination] ?? 0) + tally[denomination]!;
    }
  }
  return sum;
}

/** Throws when b holds a note that a does not: a bug, for notes can't be made of nothing. */
export function minus(a: Tally, b: Tally): Tally {
  const rest: Record<string, number> = { ...a };
  for (const [denomination, count] of Object.entries(b)) {
    const left = (rest[denomination] ?? 0) - count;
    if (left < 0) throw new RangeError(`${count} notes of ${denomination} taken where ${rest[denomination] ?? 0} lie`);
    if (left === 0) delete rest[denomination];
    else rest[denomination] = left;
  }
  return rest;
}

export function countIn(tally: Tally, denominationMinor: number): number {
  return tally[denominationMinor] ?? 0;
}

export function noteTotal(tally: Tally): number {
  return Object.values(tally).reduce((sum, count) => sum + count, 0);
}

export function valueMinor(tally: Tally): number {
  return Object.entries(tally).reduce((sum, [denomination, count]) => sum + Number(denomination) * count, 0);
}

export function isEmpty(tally: Tally): boolean {
  return Object.keys(tally).length === 0;
}

export function sameNotes(a: Tally, b: Tally): boolean {
  return Object.keys({ ...a, ...b }).every((denomination) => a[denomination] === b[denomination]);
}

/** Smallest denomination first. */
export function toNotes(tally: Tally): NoteCount[] {
  return Object.entries(tally)
    .map(([denomination, count]) => ({ denominationMinor: Number(denomination) as MinorUnits, count }))
    .sort((a, b) => a.denominationMinor - b.denominationMinor);
}

/** The notes one by one, smallest denomination first. */
export function* eachNote(tally: Tally): Generator<number> {
  for (const { denominationMinor, count } of toNotes(tally)) {
    for (let n = 0; n < count; n += 1) yield denominationMinor;
  }
}

/** The first notes of a tally, at most n. */
export function firstNotes(tally: Tally, n: number): Tally {
  let left = n;
  let taken = NOTHING;
  for (const { denominationMinor, count } of toNotes(tally)) {
    const here = Math.min(left, count);
    taken = plus(taken, one(denominationMinor, here));
    left -= here;
  }
  return taken;
}
