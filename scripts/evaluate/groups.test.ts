import { expect, test } from 'vitest';
import { byGroup, parseLabels } from './groups.ts';
import { ScoreKeeper } from './scores.ts';

test('labels are a table of people', () => {
  const [age, light] = parseLabels('person,age,light\nAnn,old,day\r\nBob,young,\n', 'labels.csv');
  expect(age).toEqual({ attribute: 'age', values: new Map(Object.entries({ Ann: 'old', Bob: 'young' })) });
  expect(light!.values.get('Bob')).toBe('');
});

test.each([
  ['name,age\n', 'line 1: expected "person,attribute"'],
  ['person\nAnn\n', 'line 1'],
  ['person,age\nAnn\n', 'line 2: expected 2 fields'],
  ['person,age\nAnn,old\nAnn,young\n', 'line 3: Ann is there twice'],
])('what is no such table is refused: %j', (text, message) => {
  expect(() => parseLabels(text, 'labels.csv')).toThrow(message);
});

test('groups are compared at one threshold, strangers within a group', () => {
  const keeper = new ScoreKeeper(100);
  // People 0, 1 are old, 2, 3 young, 4 says nothing: one photograph each.
  keeper.impostor(0.6, 0, 1);
  keeper.impostor(0.2, 2, 3);
  for (const [one, other] of [
    [0, 2],
    [0, 3],
    [1, 2],
    [1, 3],
    [0, 4],
    [1, 4],
    [2, 4],
    [3, 4],
  ] as const)
    keeper.impostor(0.1, one, other);
  keeper.genuine(0.9, 0);
  keeper.genuine(0.4, 2);
  keeper.genuine(0.9, 2);
  const values = new Map([
    ['a', 'old'],
    ['b', 'old'],
    ['c', 'young'],
    ['d', 'young'],
  ]);
  const [age] = byGroup(keeper.done(), 0.5, ['a', 'b', 'c', 'd', 'e'], new Uint32Array(5).fill(1), [
    { attribute: 'age', values },
  ]);
  expect(age!.groups).toMatchObject([
    { name: 'old', people: 2, genuinePairs: 1, fnmr: 0, impostorPairs: 1, fmr: 1 },
    { name: 'young', people: 2, genuinePairs: 2, fnmr: 0.5, impostorPairs: 1, fmr: 0 },
  ]);
  // Of all three genuine pairs one is missed, of all ten impostor pairs one matches.
  expect(age!.worstFnmr).toEqual({ group: 'young', ratio: expect.closeTo(1.5, 12) });
  expect(age!.worstFmr).toEqual({ group: 'old', ratio: expect.closeTo(10, 12) });
});
