import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Uuid } from '../../src-contract/primitives.ts';
import { facesFrom } from './gallery.fixture.ts';
import { dot, ExactSearch, PACK_PLACES } from './search.ts';

const idOf = (number: number): Uuid => `018f0000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** A search, and the float vectors that it asks for. */
function searched(dimensions: number) {
  const search = new ExactSearch(dimensions);
  const held = new Map<Uuid, Float32Array>();
  const asked: Uuid[] = [];
  const exact = (key: Uuid) => {
    asked.push(key);
    return held.get(key) ?? null;
  };
  return {
    search,
    held,
    asked,
    add: (number: number, vector: Float32Array) => {
      search.add(idOf(number), vector);
      held.set(idOf(number), vector);
    },
    nearest: (probe: Float32Array, count: number) => search.nearest(probe, count, exact),
    scan: (probe: Float32Array, count: number) =>
      [...held]
        .map(([key, vector]) => ({ key, score: dot(probe, vector) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, count),
  };
}

/** Everything that a search would put on disk. */
const packsOf = (search: ExactSearch) => Array.from({ length: search.packs }, (_, number) => search.pack(number));

describe('exact search', () => {
  test('finds the ten that a plain float scan finds, in the same order, for likely and for unlikely probes', () => {
    const dimensions = 64;
    const faces = facesFrom(3, dimensions);
    const { add, held, nearest, scan } = searched(dimensions);
    for (let n = 0; n < 3_000; n++) add(n, faces.next());
    for (let n = 0; n < 60; n++) {
      const probe = n % 2 ? faces.next() : faces.near(held.get(idOf(n * 50))!, 0.3 + n / 100);
      expect(nearest(probe, 10)).toEqual(scan(probe, 10));
    }
  });

  test('asks for few float vectors among many', () => {
    const faces = facesFrom(6, 512);
    const { add, nearest, asked, scan } = searched(512);
    for (let n = 0; n < 4_000; n++) add(n, faces.next());
    const probe = faces.next();
    expect(nearest(probe, 10)).toEqual(scan(probe, 10));
    expect(asked.length).toBeLessThan(60);
  });

  test('tells apart two that int8 cannot', () => {
    const dimensions = 64;
    const faces = facesFrom(4, dimensions);
    const face = faces.next();
    const { add, nearest, scan } = searched(dimensions);
    for (let n = 0; n < 1_500; n++) add(n, faces.near(face, 0.9 + n * 1e-7));
    expect(nearest(face, 2)).toEqual(scan(face, 2));
  });

  test('is exact for vectors that int8 holds badly', () => {
    const { add, nearest, scan } = searched(256);
    // One component has it all, and is far beyond what int8 spans; the order among them is in what was clipped.
    for (let n = 0; n < 300; n++) {
      const [large, small] = [Math.cos(n / 400), Math.sin(n / 400)];
      add(n, new Float32Array(256).fill(large, 0, 1).fill(small, 1, 2));
    }
    const probe = new Float32Array(256).fill(Math.cos(0.4), 0, 1).fill(Math.sin(0.4), 1, 2);
    expect(nearest(probe, 10)).toEqual(scan(probe, 10));
  });

  test('leaves out whose float vector cannot be had', () => {
    const faces = facesFrom(7, 32);
    const { add, held, nearest } = searched(32);
    const face = faces.next();
    add(1, face);
    add(2, faces.near(face, 0.5));
    held.delete(idOf(1));
    expect(nearest(face, 2).map(({ key }) => key)).toEqual([idOf(2)]);
  });

  const change = fc.record({ key: fc.nat(150), seed: fc.nat(255), forget: fc.boolean(), undone: fc.boolean() });

  test('agrees with a map after any sequence of adding, forgetting and undoing', () => {
    const dimensions = 8;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 250 }), (changes) => {
        const { search, held, nearest, scan } = searched(dimensions);
        for (const { key: number, seed, forget, undone } of changes) {
          const [key, vector] = [idOf(number), facesFrom(seed, dimensions).next()];
          const before = undone ? packsOf(search) : [];
          const undo: (() => void)[] = [];
          const restore = search.delete(key);
          expect(restore !== null).toBe(held.has(key));
          if (restore) undo.push(restore);
          const lookAlikeOf = seed % 5 === 0 ? idOf(number + 1) : null;
          if (!forget) undo.push(search.add(key, vector, lookAlikeOf));
          if (undone) {
            for (const one of undo.reverse()) one();
            expect(packsOf(search)).toEqual(before);
          } else if (forget) held.delete(key);
          else held.set(key, vector);
        }
        const probe = facesFrom(77, dimensions).next();
        expect(search.size).toBe(held.size);
        const scores = (found: readonly { score: number }[]) => found.map(({ score }) => score);
        expect(scores(nearest(probe, 10))).toEqual(scores(scan(probe, 10)));
      }),
      { numRuns: 60 },
    );
  });

  test('is the same again from its packs, and those that changed since are named', () => {
    const faces = facesFrom(8, 32);
    const { search, add, held, scan } = searched(32);
    for (let n = 0; n < 3 * PACK_PLACES + 5; n++) add(n, faces.next());
    expect(search.takeTouched()).toEqual([0, 1, 2, 3]);
    search.delete(idOf(PACK_PLACES));
    held.delete(idOf(PACK_PLACES));
    search.add(idOf(9_999), faces.next(), idOf(3));
    expect(new Set(search.takeTouched())).toEqual(new Set([1, 3]));
    search.delete(idOf(9_999));
    const again = new ExactSearch(32);
    for (const pack of packsOf(search)) expect(again.load(pack)).toBe(true);
    expect(packsOf(again)).toEqual(packsOf(search));
    const probe = faces.next();
    expect(again.nearest(probe, 10, (key) => held.get(key) ?? null)).toEqual(scan(probe, 10));
    expect(again.load(search.pack(0))).toBe(false);
  });

  test('finds nobody among nobody, and fewer than asked for among few', () => {
    const faces = facesFrom(5, 16);
    const { add, nearest } = searched(16);
    expect(nearest(faces.next(), 2)).toEqual([]);
    add(1, faces.next());
    expect(nearest(faces.next(), 2)).toHaveLength(1);
  });
});
