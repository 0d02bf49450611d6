import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '../../src-contract/primitives.ts';
import { IdIndex } from './id-index.ts';

/** Few of them, so that they come again; and differing in one word only, so that their hashes meet. */
const idOf = (number: number): Uuid => `018f0000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** Place by place, as the index should have it. */
const expectSame = (index: IdIndex, places: readonly Uuid[]) => {
  expect(index.size).toBe(places.length);
  for (const [place, id] of places.entries()) expect([index.placeOf(id), index.idAt(place)]).toEqual([place, id]);
};

describe('an index of ids', () => {
  test('agrees with an array after any sequence of adding, removing and undoing', () => {
    const step = fc.record({ id: fc.nat(400), undone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const index = new IdIndex();
        const places: Uuid[] = [];
        for (const { id: number, undone } of steps) {
          const id = idOf(number);
          const place = index.placeOf(id);
          expect(place).toBe(places.indexOf(id));
          if (place === -1) {
            expect(index.append(id)).toBe(places.length);
            if (undone) index.removeAt(places.length);
            else places.push(id);
            continue;
          }
          index.removeAt(place);
          if (undone) {
            index.restoreAt(place, id);
            continue;
          }
          const last = places.pop()!;
          if (place < places.length) places[place] = last;
        }
        expectSame(index, places);
      }),
      { numRuns: 60 },
    );
  });

  test('takes many at once as they lie in memory, and none twice', () => {
    const [from, into] = [new IdIndex(), new IdIndex()];
    for (let n = 0; n < 200; n++) from.append(idOf(n * 7));
    expect(into.appendBytes(from.bytes(0, 150))).toBe(true);
    expectSame(
      into,
      Array.from({ length: 150 }, (_, n) => idOf(n * 7)),
    );
    expect(into.appendBytes(from.bytes(149, 1))).toBe(false);
  });
});
