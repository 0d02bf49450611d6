/** Counts of items. An entry that came to zero stays: a change event has to say the zero. */
import { z } from 'zod';
import { ItemKey, itemOf, itemValue, UNRECOGNIZED } from './items.ts';

export const Tally = z.record(ItemKey, z.int().nonnegative());
export type Tally = Record<string, number>;

/** Adds in place; `count` may be negative. Throws when less than nothing would be left: that is a bug, not an event. */
export function add(tally: Tally, item: string, count: number): void {
  const next = (tally[item] ?? 0) + count;
  if (next < 0) throw new Error(`${item}: ${next} notes`);
  tally[item] = next;
}

export const total = (tally: Tally): number => Object.values(tally).reduce((sum, count) => sum + count, 0);
/** Major units. */
export const worth = (tally: Tally): number =>
  Object.entries(tally).reduce((sum, [item, count]) => sum + itemValue(item) * count, 0);

export function sum(tallies: readonly Tally[]): Tally {
  const all: Tally = {};
  for (const tally of tallies) {
    for (const [item, count] of Object.entries(tally)) all[item] = (all[item] ?? 0) + count;
  }
  return all;
}

/** Same notes; zeros count as absent. */
export function equal(one: Tally, other: Tally): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (item) => (one[item] ?? 0) === (other[item] ?? 0),
  );
}

/** XFS4IoT StorageCashCounts: `{ unrecognized?, <typeId>: { fit?, unfit? … } }`. */
export function toCounts(tally: Tally): Record<string, unknown> {
  const counts: Record<string, number | Record<string, number>> = {};
  for (const [key, count] of Object.entries(tally)) {
    const item = itemOf(key);
    if (!item) counts[UNRECOGNIZED] = count;
    else counts[item.type.id] = { ...(counts[item.type.id] as Record<string, number>), [item.level]: count };
  }
  return counts;
}
