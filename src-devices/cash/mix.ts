/** How a machine chooses notes for an amount (XFS4IoT CashDispenser.GetMixTypes): fewest notes, or units that empty alike. */

/** A unit that can pay out. */
export interface Supply {
  readonly unit: string;
  readonly value: number;
  readonly available: number;
}

export type MixAlgorithm = 'minimumBills' | 'equalEmptying';

export const MIXES: Readonly<Record<string, { readonly algorithm: MixAlgorithm; readonly name: string }>> = {
  mix1: { algorithm: 'minimumBills', name: 'Minimum number of notes' },
  mix2: { algorithm: 'equalEmptying', name: 'Equal emptying' },
};

/** Notes per unit that make `amount`, at least `partial` and at most `itemsMax` of them; null when there is no way. */
export function mixNotes(
  amount: number,
  supplies: readonly Supply[],
  algorithm: MixAlgorithm,
  itemsMax: number,
  partial: Readonly<Record<string, number>> = {},
): Record<string, number> | null {
  const rest = supplies.map((supply) => ({ ...supply, available: supply.available - (partial[supply.unit] ?? 0) }));
  const given = supplies.reduce((sum, { unit, value }) => sum + value * (partial[unit] ?? 0), 0);
  const items = Object.values(partial).reduce((sum, count) => sum + count, 0);
  if (rest.some(({ available }) => available < 0) || given > amount || items > itemsMax) return null;
  const values = [...new Set(rest.map(({ value }) => value))].sort((a, b) => b - a);
  const availableOf = (value: number) =>
    rest.filter((supply) => supply.value === value).reduce((sum, { available }) => sum + available, 0);
  const stock = values.map((value) => ({ value, available: availableOf(value) }));
  const counts = best(amount - given, stock, itemsMax - items, algorithm);
  if (!counts) return null;
  const notes: Record<string, number> = { ...partial };
  for (const [index, { value }] of stock.entries()) {
    for (const [unit, count] of Object.entries(
      spread(
        counts[index]!,
        rest.filter((supply) => supply.value === value),
      ),
    )) {
      notes[unit] = (notes[unit] ?? 0) + count;
    }
  }
  return Object.fromEntries(Object.entries(notes).filter(([, count]) => count > 0));
}

/** Counts per value, largest value first; every way is looked at, larger values first, and the best kept. */
function best(
  amount: number,
  stock: readonly { readonly value: number; readonly available: number }[],
  itemsMax: number,
  algorithm: MixAlgorithm,
): number[] | null {
  let found: { readonly counts: number[]; readonly score: readonly number[] } | null = null;
  const look = (left: number, counts: readonly number[]) => {
    const used = counts.reduce((sum, count) => sum + count, 0);
    if (used > itemsMax) return;
    const next = stock[counts.length];
    if (!next) {
      if (left !== 0) return;
      const score = algorithm === 'minimumBills' ? [used] : [emptiest(counts, stock), used];
      if (!found || less(score, found.score)) found = { counts: [...counts], score };
      return;
    }
    // The rest needs at least this many notes, all of the largest value left.
    const atLeast = used + Math.ceil(left / next.value);
    if (atLeast > itemsMax || (algorithm === 'minimumBills' && found && atLeast >= found.score[0]!)) return;
    const most = Math.min(next.available, Math.floor(left / next.value), itemsMax - used);
    // The last value has to make up the rest exactly.
    const least = counts.length === stock.length - 1 ? Math.ceil(left / next.value) : 0;
    for (let count = most; count >= least; count--) look(left - count * next.value, [...counts, count]);
  };
  look(amount, []);
  return (found as { counts: number[] } | null)?.counts ?? null;
}

/** The largest part of a stock that would go. */
function emptiest(counts: readonly number[], stock: readonly { readonly available: number }[]): number {
  return Math.max(...counts.map((count, index) => (count === 0 ? 0 : count / stock[index]!.available)));
}

function less(one: readonly number[], other: readonly number[]): boolean {
  for (const [index, value] of one.entries()) {
    if (value !== other[index]) return value < other[index]!;
  }
  return false;
}

/** One after another from whichever unit of the value holds most. */
function spread(count: number, supplies: readonly Supply[]): Record<string, number> {
  const taken: Record<string, number> = {};
  for (let left = count; left > 0; left--) {
    const fullest = supplies.reduce((a, b) =>
      b.available - (taken[b.unit] ?? 0) > a.available - (taken[a.unit] ?? 0) ? b : a,
    );
    taken[fullest.unit] = (taken[fullest.unit] ?? 0) + 1;
  }
  return taken;
}
