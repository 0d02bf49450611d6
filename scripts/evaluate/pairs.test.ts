import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findPairs, parsePairs } from './pairs.ts';
import { peopleIn } from './people.ts';

describe('a list of pairs', () => {
  test('of one set has as many of one person as of two', () => {
    const { folds, pairs } = parsePairs(
      '2\nAnn\t1\t2\nBob\t3\t4\nAnn\t1\tBob\t2\nCy\t1\tAnn\t3\n',
      'pairsDevTrain.txt',
    );
    expect(folds).toBe(1);
    expect(pairs.map(({ same }) => same)).toEqual([true, true, false, false]);
    expect(pairs[1]).toEqual({
      fold: 0,
      same: true,
      one: { person: 'Bob', photograph: 3 },
      other: { person: 'Bob', photograph: 4 },
      line: 3,
    });
    expect(pairs[3]).toMatchObject({ one: { person: 'Cy', photograph: 1 }, other: { person: 'Ann', photograph: 3 } });
  });

  test('of folds has as many in each, and may end its lines as Windows does', () => {
    const { folds, pairs } = parsePairs('2 1\r\nAnn 1 2\r\nAnn 1 Bob 1\r\nBob 1 2\r\nBob 1 Cy 1\r\n', 'pairs.txt');
    expect(folds).toBe(2);
    expect(pairs.map(({ fold, same }) => [fold, same])).toEqual([
      [0, true],
      [0, false],
      [1, true],
      [1, false],
    ]);
  });

  test.each([
    ['nothing', '', 'p.txt: is empty'],
    ['a head that is no number', 'ten\n', 'p.txt, line 1'],
    ['fewer lines than promised', '2\nAnn 1 2\n', 'has 2 lines, its first line promises 5'],
    ['a line of one person where two are due', '1\nAnn 1 2\nAnn 1 2\n', 'p.txt, line 3: expected "name i name j"'],
    ['a photograph that is no number', '1\nAnn 1 x\nAnn 1 Bob 2\n', 'line 2: "x" is no number'],
    ['somebody as their own stranger', '1\nAnn 1 2\nAnn 1 Ann 2\n', 'line 3: compares Ann with themselves'],
    ['a photograph with itself', '1\nAnn 1 1\nAnn 1 Bob 2\n', 'line 2: compares a photograph with itself'],
  ])('with %s is refused, and the line named', (_, text, message) => {
    expect(() => parsePairs(text, 'p.txt')).toThrow(message);
  });
});

describe('photographs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaopass-pairs-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  for (const name of ['Ann/Ann_0001.jpg', 'Ann/Ann_0002.png', 'Bob/Bob_0001.jpg', 'Bob/notes.txt', 'Empty/notes.txt']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), '');
  }

  test('are those of folders of a person that hold images', async () => {
    const { people, photographs } = await peopleIn(folder);
    expect(people).toEqual(['Ann', 'Bob']);
    expect(photographs.map(({ person, name }) => [person, name])).toEqual([
      [0, 'Ann/Ann_0001.jpg'],
      [0, 'Ann/Ann_0002.png'],
      [1, 'Bob/Bob_0001.jpg'],
    ]);
  });

  test('of a list are found by their number, once each', async () => {
    const list = parsePairs('1\nAnn 1 2\nAnn 1 Bob 1\n', 'p.txt');
    const { photographs, pairs } = await findPairs(list, folder, 'p.txt');
    expect(photographs.map(({ name }) => name)).toEqual(['Ann/Ann_0001.jpg', 'Ann/Ann_0002.png', 'Bob/Bob_0001.jpg']);
    expect(pairs.map(({ one, other, same }) => [one, other, same])).toEqual([
      [0, 1, true],
      [0, 2, false],
    ]);
  });

  test('that a list names and nobody has are named with their line', async () => {
    const list = parsePairs('1\nAnn 1 7\nAnn 1 Zoe 1\n', 'p.txt');
    await expect(findPairs(list, folder, 'p.txt')).rejects.toThrow(
      /line 2: no Ann\/Ann_0007.jpg; line 3: no Zoe\/Zoe_0001.jpg/,
    );
  });

  test('without a folder, or all in one, are refused with what is wrong', async () => {
    await expect(peopleIn(join(folder, 'none'))).rejects.toThrow('none: no such folder');
    await expect(peopleIn(join(folder, 'Ann'))).rejects.toThrow('2 images lie in it directly');
    await expect(peopleIn(join(folder, 'Ann/Ann_0001.jpg'))).rejects.toThrow('is a file, not a folder');
  });
});
