import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mixNotes, type Supply } from './mix.ts';

const supplies = fc
  .array(fc.record({ value: fc.constantFrom(1, 2, 5, 10), available: fc.nat(12) }), { minLength: 1, maxLength: 4 })
  .map((list): Supply[] => list.map((each, index) => ({ unit: `unit${index}`, ...each })));

/** Every way to make the amount, by looking at all of them. */
function ways(amount: number, list: readonly Supply[]): Record<string, number>[] {
  const [first, ...rest] = list;
  if (!first) return amount === 0 ? [{}] : [];
  return Array.from({ length: first.available + 1 }, (_, count) => count).flatMap((count) =>
    count * first.value > amount
      ? []
      : ways(amount - count * first.value, rest).map((way) => ({ [first.unit]: count, ...way })),
  );
}
const items = (way: Record<string, number>) => Object.values(way).reduce((sum, count) => sum + count, 0);

describe('choosing notes', () => {
  test('finds the fewest notes, and a way whenever there is one', () => {
    fc.assert(
      fc.property(supplies, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (list, amount, most) => {
        const fewest = Math.min(...ways(amount, list).map(items));
        const mix = mixNotes(amount, list, 'minimumBills', most);
        expect(mix === null ? Number.POSITIVE_INFINITY : items(mix)).toBe(
          fewest <= most ? fewest : Number.POSITIVE_INFINITY,
        );
      }),
      { numRuns: 300 },
    );
  });

  test.each(['minimumBills', 'equalEmptying'] as const)(
    '%s makes the amount of what is there, with what must be in',
    (algorithm) => {
      fc.assert(
        fc.property(supplies, fc.integer({ min: 1, max: 60 }), fc.nat(2), (list, amount, must) => {
          const partial = { unit0: must };
          const mix = mixNotes(amount, list, algorithm, 30, partial);
          if (!mix) return;
          const worth = list.reduce((sum, { unit, value }) => sum + value * (mix[unit] ?? 0), 0);
          expect(worth).toBe(amount);
          for (const { unit, available } of list) expect(mix[unit] ?? 0).toBeLessThanOrEqual(available);
          expect(mix['unit0'] ?? 0).toBeGreaterThanOrEqual(must);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('equal emptying spares the unit that holds less', () => {
    const list = [
      { unit: 'a', value: 10, available: 100 },
      { unit: 'b', value: 10, available: 20 },
    ];
    expect(mixNotes(300, list, 'equalEmptying', 100)).toEqual({ a: 30 });
  });
});
