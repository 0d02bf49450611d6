import { describe, expect, test } from 'vitest';
import { mayHaveOverflowed, reckon, withOverflow } from './cash.ts';

const stored = (count: number) => ({
  number: 1,
  transactionId: '01a20249-e8ce-7c68-b3c4-3376b760abc4' as never,
  service: 'deposit' as const,
  state: 'stored',
  detail: { notes: [{ denominationMinor: 10_000, count }] },
});
const differences = (closing: Record<string, number>, deposited = 10) => {
  const given = { opening: { 10000: 55, mixed: 2 }, exchanged: {}, moved: { 10000: deposited }, closing };
  return reckon(withOverflow(given, mayHaveOverflowed([stored(deposited)]))).map(({ difference }) => difference);
};

describe('notes of a deposit whose unit was full', () => {
  test('lie among mixed ones, and are no difference', () => {
    expect(differences({ 10000: 65, mixed: 2 })).toEqual([0, 0]);
    expect(differences({ 10000: 60, mixed: 7 })).toEqual([0, 0]);
    expect(differences({ 10000: 55, mixed: 12 })).toEqual([0, 0]);
  });

  test('hide no note that is missing or too many, and no more than were put in', () => {
    expect(differences({ 10000: 60, mixed: 6 })).toEqual([-1, 0]);
    expect(differences({ 10000: 60, mixed: 8 })).toEqual([0, 1]);
    expect(differences({ 10000: 54, mixed: 13 })).toEqual([-1, 1]);
    expect(differences({ 10000: 66, mixed: 1 })).toEqual([1, -1]);
  });
});
