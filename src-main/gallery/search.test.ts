import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { facesFrom } from './gallery.fixture.ts';
import { dot, ExactSearch } from './search.ts';

const scan = (held: ReadonlyMap<number, Float32Array>, probe: Float32Array, count: number) =>
  [...held]
    .map(([key, vector]) => ({ key, score: dot(probe, vector) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);

describe('exact search', () => {
  test('finds what a plain float scan finds, in the same order, for likely and for unlikely probes', () => {
    const dimensions = 64;
    const faces = facesFrom(3, dimensions);
    const held = new Map(Array.from({ length: 3_000 }, (_, key) => [key, faces.next()]));
    const search = new ExactSearch<number>(dimensions);
    for (const [key, vector] of held) search.set(key, vector);
    for (let n = 0; n < 60; n++) {
      const probe = n % 2 ? faces.next() : faces.near(held.get(n * 50)!, 0.3 + n / 100);
      expect(search.nearest(probe, 3)).toEqual(scan(held, probe, 3));
    }
  });

  test('tells apart two that int8 cannot', () => {
    const dimensions = 64;
    const faces = facesFrom(4, dimensions);
    const face = faces.next();
    const search = new ExactSearch<number>(dimensions);
    const held = new Map(Array.from({ length: 700 }, (_, key) => [key, faces.near(face, 0.9 + key * 1e-6)]));
    for (const [key, vector] of held) search.set(key, vector);
    expect(search.nearest(face, 2)).toEqual(scan(held, face, 2));
  });

  test('agrees with a map after any sequence of adding, replacing and forgetting', () => {
    const dimensions = 8;
    const change = fc.record({ key: fc.nat(60), seed: fc.nat(255), forget: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), (changes) => {
        const search = new ExactSearch<number>(dimensions, 2);
        const held = new Map<number, Float32Array>();
        for (const { key, seed, forget } of changes) {
          const vector = facesFrom(seed, dimensions).next();
          if (forget) expect(search.delete(key)).toBe(held.delete(key));
          else {
            search.set(key, vector);
            held.set(key, vector);
          }
        }
        const probe = facesFrom(77, dimensions).next();
        expect(search.size).toBe(held.size);
        const scores = (found: readonly { score: number }[]) => found.map(({ score }) => score);
        expect(scores(search.nearest(probe, 2))).toEqual(scores(scan(held, probe, 2)));
        for (const [key, vector] of held) expect(search.get(key)).toEqual(vector);
      }),
      { numRuns: 60 },
    );
  });

  test('finds nobody among nobody, and fewer than asked for among few', () => {
    const faces = facesFrom(5, 16);
    const search = new ExactSearch<string>(16);
    expect(search.nearest(faces.next(), 2)).toEqual([]);
    search.set('a', faces.next());
    expect(search.nearest(faces.next(), 2)).toHaveLength(1);
  });
});
