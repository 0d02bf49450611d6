/** Words the device suites share. */
import { v7 as uuidv7 } from 'uuid';
import { type MinorUnits, money, type Uuid } from '../../../src-contract/primitives.ts';
import type { NoteCount } from '../../../src-contract/screen.ts';
import type { DispenseOrder } from '../../../src-main/devices/cash-dispenser.ts';

export const newId = () => uuidv7() as Uuid;

/** notes(10_000, 2, 1_000, 3): two of ten thousand and three of one thousand, smallest first. */
export function notes(...pairs: number[]): NoteCount[] {
  return Array.from({ length: pairs.length / 2 }, (_, index) => ({
    denominationMinor: pairs[index * 2] as MinorUnits,
    count: pairs[index * 2 + 1] as number,
  })).sort((a, b) => a.denominationMinor - b.denominationMinor);
}

export function valueMinor(counts: readonly NoteCount[]): number {
  return counts.reduce((sum, note) => sum + note.denominationMinor * note.count, 0);
}

export function order(mix: readonly NoteCount[], transactionId: string = newId()): DispenseOrder {
  return { transactionId, amount: money(valueMinor(mix)), mix, token: null };
}

/** A signal nobody aborts. */
export const patient = new AbortController().signal;
