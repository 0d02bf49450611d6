/**
 * 1:N search over 100,000 templates of 512 dimensions: the median time of one search, how that compares with one plain
 * pass over the same templates (the least any exact search in float32 must do), and memory.
 */
import { pathToFileURL } from 'node:url';
import { exactSearch, MetricKind } from 'usearch';
import { facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import { protectionFrom } from '../../src-main/gallery/protection.ts';
import { ExactSearch } from '../../src-main/gallery/search.ts';

const PEOPLE = 100_000;
const DIMENSIONS = 512;
const RUNS = 15;

export interface GalleryBench {
  readonly templates: number;
  readonly dimensions: number;
  /** Median of one search for a probe that is somebody, ms. */
  readonly knownMs: number;
  /** Median of one search for a probe that is nobody, ms. */
  readonly strangerMs: number;
  /** Median of one pass over all float32 templates by the library's own inner product, one thread, ms. */
  readonly floatPassMs: number;
  /** strangerMs / floatPassMs. */
  readonly ratioToFloatPass: number;
  /** Of probes, those for whom the two best are not those of the float pass. 0 is the only right answer. */
  readonly wrong: number;
  readonly memoryMiB: number;
  /** Growing the protecting matrix, once per start, ms. */
  readonly matrixMs: number;
}

export async function benchGallery(): Promise<GalleryBench> {
  const faces = facesFrom(42, DIMENSIONS);
  const search = new ExactSearch<number>(DIMENSIONS, PEOPLE);
  const flat = new Float32Array(PEOPLE * DIMENSIONS);
  for (let person = 0; person < PEOPLE; person++) {
    const face = faces.next();
    search.set(person, face);
    flat.set(face, person * DIMENSIONS);
  }
  const known = Array.from({ length: RUNS }, (_, n) => faces.near(search.get(n * 6_661)!.slice(), 0.5));
  const strangers = Array.from({ length: RUNS }, () => faces.next());
  const floatPass = (probe: Float32Array) => exactSearch(flat, probe, DIMENSIONS, 2, MetricKind.IP, 1);

  const wrong = [...known, ...strangers].filter((probe) => {
    const expected = [...floatPass(probe).keys].map(Number);
    return search.nearest(probe, 2).some(({ key }, rank) => key !== expected[rank]);
  }).length;
  const strangerMs = medianMs(strangers, (probe) => search.nearest(probe, 2));
  const floatPassMs = medianMs(strangers, floatPass);
  return {
    templates: PEOPLE,
    dimensions: DIMENSIONS,
    knownMs: medianMs(known, (probe) => search.nearest(probe, 2)),
    strangerMs,
    floatPassMs,
    ratioToFloatPass: strangerMs / floatPassMs,
    wrong,
    memoryMiB: search.bytes / 2 ** 20,
    matrixMs: medianMs([1, 2, 3], (fill) => protectionFrom(new Uint8Array(32).fill(fill), DIMENSIONS)),
  };
}

function medianMs<T>(inputs: readonly T[], run: (input: T) => unknown): number {
  const times = inputs.map((input) => {
    const start = performance.now();
    run(input);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await benchGallery());
