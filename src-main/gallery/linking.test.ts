/**
 * Two organisations that use Kaopass each have a matrix of their own. Whoever gets both databases and has them decrypted tries to
 * find the same people in both. Everybody was photographed anew for the other organisation.
 */
import { describe, expect, test } from 'vitest';
import { facesFrom } from './gallery.fixture.ts';
import { protectionFrom } from './protection.ts';
import { dot } from './search.ts';

const DIMENSIONS = 128;
const PEOPLE = 200;
/** Of one person's photographs: as good a pair as any face model makes. */
const SAME_PERSON = 0.8;

const faces = facesFrom(21, DIMENSIONS);
const protection = (fill: number) => protectionFrom(new Uint8Array(32).fill(fill), DIMENSIONS);
const people = Array.from({ length: PEOPLE }, () => faces.next());
const photographed = (matrix: number) => {
  const { protect } = protection(matrix);
  return people.map((face) => protect(faces.near(face, SAME_PERSON)));
};
const bank = photographed(1);
const shop = photographed(2);
const branch = photographed(1);

type Describe = (template: Float32Array, database: readonly Float32Array[]) => Float32Array;

/** How many of one database are taken for the right person of the other, when what is most alike is taken for the same. */
function linked(one: readonly Float32Array[], other: readonly Float32Array[], describe: Describe): number {
  const normal = (values: Float32Array) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const length = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
    return values.map((value) => (value - mean) / length);
  };
  const of = (database: readonly Float32Array[]) => database.map((template) => normal(describe(template, database)));
  const candidates = of(other);
  return of(one).filter((wanted, n) => {
    const scores = candidates.map((candidate) => dot(wanted, candidate));
    return scores.indexOf(Math.max(...scores)) === n;
  }).length;
}

const asItIs: Describe = (template) => template;
const ways: readonly (readonly [string, Describe])[] = [
  ['by their likeness', asItIs],
  ['by the sizes of their components, whatever their order', (template) => template.map(Math.abs).sort()],
  ['by their components in order of size', (template) => template.slice().sort()],
  [
    'by how like the others in their database they are',
    (template, all) => Float32Array.from(all, (other) => dot(template, other)).sort(),
  ],
];

describe('the same people at two organisations', () => {
  // One in PEOPLE is right by chance: one is expected, and six or more happen once in 1,700 draws. The draw is always the same.
  test.each(ways)('cannot be found %s', (_, describe) => {
    expect(linked(bank, shop, describe)).toBeLessThan(6);
  });

  test('are all found where two databases share a matrix, which is what the tries above are worth', () => {
    expect(linked(bank, branch, asItIs)).toBeGreaterThan(0.99 * PEOPLE);
  });

  test('are all found by who has one database from before and after a change of its matrix: docs/threat-model.md says so', () => {
    const [before, after] = [1, 3].map((matrix) => people.map((face) => protection(matrix).protect(face)));
    expect(linked(before!, after!, asItIs)).toBeLessThan(6);
    const [, profile] = ways.at(-1)!;
    expect(linked(before!, after!, profile)).toBeGreaterThan(0.99 * PEOPLE);
  });

  test('can be found by who knows for enough of them who they are in both: docs/threat-model.md says so', () => {
    const known = PEOPLE / 2;
    const toTheKnown =
      (from: readonly Float32Array[]): Describe =>
      (template) =>
        Float32Array.from({ length: known }, (__, n) => dot(template, from[n]!));
    const [ours, theirs] = [bank, shop].map((database) =>
      database.slice(known).map((template) => toTheKnown(database)(template, database)),
    );
    expect(linked(ours!, theirs!, asItIs)).toBeGreaterThan(0.5 * known);
  });
});
