import { expect, it } from 'vitest';
import { grouped, isWhole, keyedDigit, spaced } from './payee-number.ts';

const keyed = (keys: string) => [...keys].reduce(keyedDigit, '');

it('a number keyed in is whole at ten digits, zeros in front included, and takes no eleventh', () => {
  expect(isWhole(keyed('001234567'))).toBe(false);
  expect(isWhole(keyed('0012345678'))).toBe(true);
  expect(keyed('00123456789')).toBe('0012345678');
});

it('is read in groups, with the places left to key', () => {
  expect(grouped('1234')).toEqual([
    ['1', '2', '3'],
    ['4', null, null],
    [null, null, null, null],
  ]);
  expect(spaced('0012345678')).toBe('001 234 5678');
  expect(spaced('12')).toBe('12');
});
