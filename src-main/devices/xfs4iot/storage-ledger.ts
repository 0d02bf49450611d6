/**
 * The storage counts as a ledger (XFS4IoT 2024-3, Storage.GetStorage). Each unit says what it was filled with and, in buckets,
 * where every item that left it went and where every item that entered came from. Two readings of the ledger, one before an order
 * and one after, tell what the order moved, whatever became of its answer.
 */
import { z } from 'zod';
import { isEmpty, minus, NOTHING, plus, sameNotes, Tally } from '../tally.ts';
import type { Counts, StorageUnit } from './client/index.ts';
import { type Counted, counted, type NoteTypes } from './note-types.ts';

const Bucket = z.strictObject({ notes: Tally, others: z.int().nonnegative() });

const UnitLedger = z.strictObject({
  initial: Bucket,
  presented: Bucket,
  /** Left the unit for the reject bin. */
  rejectedOut: Bucket,
  /** Temporary: on the stacker. */
  stacked: Bucket,
  /** In transport, diverted, or where nobody knows. */
  lost: Bucket,
  deposited: Bucket,
  /** Temporary: on the way into the unit. */
  arriving: Bucket,
  retracted: Bucket,
  rejectedIn: Bucket,
  retractOperations: z.int().nonnegative(),
});

/** One reading: unit id → its buckets. A plain value, so that it can be kept on disk. */
export const StorageLedger = z.record(z.string(), UnitLedger);
export type StorageLedger = z.infer<typeof StorageLedger>;

/** What moved between two readings. Items that are no known notes are counted in `others`. */
export interface Movement {
  readonly presented: Tally;
  readonly rejectedOut: Tally;
  readonly stacked: Tally;
  readonly lost: Tally;
  readonly deposited: Tally;
  readonly arriving: Tally;
  readonly retracted: Tally;
  readonly rejectedIn: Tally;
  readonly retractOperations: number;
  readonly others: number;
}

export function ledgerOf(units: Readonly<Record<string, StorageUnit>>, types: NoteTypes): StorageLedger {
  const ledger: StorageLedger = {};
  for (const [id, { cash }] of Object.entries(units)) {
    if (!cash) continue;
    const read = (counts: Counts | undefined, levels: 'any' | 'genuine' = 'any') => counted(counts, types, levels);
    const { initial, out, in: entered } = cash.status ?? {};
    ledger[id] = {
      initial: read(initial),
      presented: read(out?.presented),
      rejectedOut: read(out?.rejected),
      stacked: read(out?.stacked),
      lost: sum([out?.unknown, out?.diverted, out?.transport, out?.distributed].map((bucket) => read(bucket))),
      deposited: read(entered?.deposited, 'genuine'),
      arriving: read(entered?.transport),
      retracted: read(entered?.retracted),
      rejectedIn: read(entered?.rejected),
      retractOperations: entered?.retractOperations ?? 0,
    };
  }
  return ledger;
}

/**
 * Null when the readings can't be compared: a unit was refilled, removed or put in between, a lasting bucket fell, or the
 * device counts nothing at all. Then the ledger is no witness.
 */
export function movement(before: StorageLedger, after: StorageLedger): Movement | null {
  const ids = Object.keys(before);
  if (ids.length === 0 || ids.length !== Object.keys(after).length) return null;
  let moved: Movement = {
    presented: NOTHING,
    rejectedOut: NOTHING,
    stacked: NOTHING,
    lost: NOTHING,
    deposited: NOTHING,
    arriving: NOTHING,
    retracted: NOTHING,
    rejectedIn: NOTHING,
    retractOperations: 0,
    others: 0,
  };
  let counts = false;
  for (const id of ids) {
    const was = before[id];
    const is = after[id];
    if (!was || !is || !same(was.initial, is.initial)) return null;
    counts ||= !isEmpty(is.initial.notes) || !isEmpty(is.deposited.notes) || is.initial.others > 0;
    const rise = { presented: risen(was.presented, is.presented), rejectedOut: risen(was.rejectedOut, is.rejectedOut) };
    const entered = {
      deposited: risen(was.deposited, is.deposited),
      retracted: risen(was.retracted, is.retracted),
      rejectedIn: risen(was.rejectedIn, is.rejectedIn),
    };
    const operations = is.retractOperations - was.retractOperations;
    if (Object.values({ ...rise, ...entered }).includes(null) || operations < 0) return null;
    const all = { ...rise, ...entered } as Record<keyof typeof rise | keyof typeof entered, Counted>;
    // Temporary buckets empty themselves: what is in them now beyond before is what this order left there.
    const stacked = above(was.stacked.notes, is.stacked.notes);
    const lost = above(was.lost.notes, is.lost.notes);
    moved = {
      presented: plus(moved.presented, all.presented.notes),
      rejectedOut: plus(moved.rejectedOut, all.rejectedOut.notes),
      stacked: plus(moved.stacked, stacked),
      lost: plus(moved.lost, lost),
      deposited: plus(moved.deposited, all.deposited.notes),
      arriving: plus(moved.arriving, above(was.arriving.notes, is.arriving.notes)),
      retracted: plus(moved.retracted, all.retracted.notes),
      rejectedIn: plus(moved.rejectedIn, all.rejectedIn.notes),
      retractOperations: moved.retractOperations + operations,
      others:
        moved.others +
        Object.values(all).reduce((total, { others }) => total + others, 0) +
        Math.max(is.stacked.others - was.stacked.others, 0) +
        Math.max(is.lost.others - was.lost.others, 0),
    };
  }
  return counts ? moved : null;
}

/** Whether nothing at all left or entered a unit. */
export function stoodStill(moved: Movement): boolean {
  const { retractOperations, others, ...tallies } = moved;
  return retractOperations === 0 && others === 0 && Object.values(tallies).every(isEmpty);
}

/** What `is` holds beyond `was`; nothing where it holds less. */
export function above(was: Tally, is: Tally): Tally {
  const more: Record<string, number> = {};
  for (const [denomination, count] of Object.entries(is)) {
    const rise = count - (was[denomination] ?? 0);
    if (rise > 0) more[denomination] = rise;
  }
  return more;
}

/** Whether every note of `part` is in `whole`. */
export function within(part: Tally, whole: Tally): boolean {
  return isEmpty(above(whole, part));
}

/** Null for a bucket that fell, which only a new start of the counts does. */
function risen(was: Counted, is: Counted): Counted | null {
  if (!within(was.notes, is.notes) || is.others < was.others) return null;
  return { notes: minus(is.notes, was.notes), others: is.others - was.others };
}

function same(a: Counted, b: Counted): boolean {
  return a.others === b.others && sameNotes(a.notes, b.notes);
}

function sum(parts: readonly Counted[]): Counted {
  return parts.reduce((total, part) => ({ notes: plus(total.notes, part.notes), others: total.others + part.others }));
}
