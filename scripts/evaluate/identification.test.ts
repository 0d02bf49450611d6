import { expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { compareAll, compareListed } from './comparisons.ts';
import { openSet } from './identification.ts';
import type { Templates } from './templates.ts';

const NO_BREATH = async () => undefined;

/** Unit vectors in the plane, by their angle in degrees. */
function planar(...of: readonly (readonly [person: number, degrees: number])[]): Templates {
  return {
    count: of.length,
    dimensions: 2,
    values: Float32Array.from(
      of.flatMap(([, degrees]) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]),
    ),
    people: Uint32Array.from(of, ([person]) => person),
  };
}

test('everybody is compared with everybody, and with themselves once', async () => {
  const templates = planar([0, 0], [0, 60], [1, 90], [2, 180]);
  const { genuine, impostors } = await compareAll(templates, {
    impostorsMax: 100,
    random: seeded(1),
    breathe: NO_BREATH,
  });
  expect([...genuine.scores]).toEqual([expect.closeTo(0.5, 6)]);
  expect(impostors.count).toBe(5);
  expect([...impostors.scores].map((score) => Number(score.toFixed(3)))).toEqual([0.866, 0, 0, -0.5, -1]);
});

test('of too many comparisons an even part is made, and every genuine one', async () => {
  const count = 200;
  const templates = planar(...Array.from({ length: count }, (_, i) => [Math.floor(i / 2), i * 1.7] as const));
  const { genuine, impostors } = await compareAll(templates, {
    impostorsMax: 2_000,
    random: seeded(1),
    breathe: NO_BREATH,
  });
  expect(genuine.scores).toHaveLength(100);
  expect(impostors.count).toBeGreaterThan(1_900);
  expect(impostors.count).toBeLessThanOrEqual(2_000);
  const takesPart = new Uint32Array(100);
  for (const person of [...impostors.ones, ...impostors.others]) takesPart[person]!++;
  expect(Math.max(...takesPart) - Math.min(...takesPart)).toBeLessThanOrEqual(4);
});

test('a listed pair has no score where one of the two has no template', () => {
  const templates = planar([0, 0], [1, 60]);
  const scores = compareListed(
    templates,
    [
      { fold: 0, same: false, one: 0, other: 2 },
      { fold: 0, same: false, one: 0, other: 1 },
    ],
    Int32Array.of(0, -1, 1),
  );
  expect(scores.map(({ score }) => score)).toEqual([expect.closeTo(0.5, 6), null]);
});

test('somebody is known when they come first above a threshold that names few strangers', async () => {
  // Person i at i · 3 degrees; the second photograph is 1 degree off, but person 0's is nearer to person 1.
  const people = 110;
  const templates = planar(
    ...Array.from({ length: people }, (_, i) => [i, i * 3] as const),
    ...Array.from({ length: people }, (_, i) => [i, i * 3 + (i === 0 ? 2 : 1)] as const),
  );
  const sizes = await openSet(templates, { draws: 3, probesMax: 1_000, random: seeded(4), breathe: NO_BREATH });
  expect(sizes.map((size) => size.people)).toEqual([100, 110]);
  const all = sizes[1]!;
  expect(all).toMatchObject({ matedProbes: 3 * people, strangerProbes: 3 * people });
  expect(all.rankOne).toBeCloseTo(109 / 110, 12);
  // A stranger's nearest is 3 degrees away, somebody known is 1: no threshold that names 10 % of strangers misses any but person 0.
  expect(all.points.map(({ fpir, fnir }) => [fpir, Number(fnir.toFixed(4))])).toEqual([
    [0.1, 0.0091],
    [0.03, 0.0091],
  ]);
});
