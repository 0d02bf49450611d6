import { describe, expect, it } from 'vitest';
import type { MinorUnits } from '../../src-contract/primitives.ts';
import { amountOf, erased, keyed, type OwnAmount, problemOf, unitOf } from './own-amount.ts';

const start = (step: number, max: number): OwnAmount => ({
  digits: '',
  stepMinor: step as MinorUnits,
  maxMinor: max as MinorUnits,
});
const key = (own: OwnAmount, keys: string) => [...keys].reduce(keyed, own);

describe('an amount keyed in', () => {
  it('is counted in the zeros of the smallest note', () => {
    expect([1, 10, 500, 1_000, 3_000, 10_000].map(unitOf)).toEqual([1, 10, 100, 1_000, 1_000, 10_000]);
    expect(amountOf(key(start(1_000, 100_000), '23'))).toBe(23_000);
    expect(amountOf(key(start(10_000, 100_000), '3'))).toBe(30_000);
  });

  it('starts as nothing, and leading zeros stay nothing', () => {
    expect(problemOf(start(1_000, 100_000))).toBe('nothing');
    expect(key(start(1_000, 100_000), '000').digits).toBe('');
    expect(amountOf(key(start(1_000, 100_000), '007'))).toBe(7_000);
  });

  it('can be asked for up to the maximum and in steps, and says why not otherwise', () => {
    expect(problemOf(key(start(1_000, 100_000), '100'))).toBeNull();
    expect(problemOf(key(start(1_000, 100_000), '101'))).toBe('too-much');
    expect(problemOf(key(start(5_000, 100_000), '7'))).toBe('not-a-step');
    expect(problemOf(key(start(5_000, 100_000), '15'))).toBeNull();
  });

  it('loses its last digit, and keeps seven at most', () => {
    expect(erased(key(start(1, 9_999_999), '12')).digits).toBe('1');
    expect(erased(start(1, 9)).digits).toBe('');
    expect(key(start(1, 9_999_999), '123456789').digits).toBe('1234567');
  });
});
