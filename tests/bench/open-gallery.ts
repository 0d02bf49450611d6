/** A process of its own for gallery.ts, so that what it takes of memory is the gallery's. Prints one JSON line. */
import { exactSearch, MetricKind } from 'usearch';
import type { Uuid } from '../../src-contract/primitives.ts';
import { facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import { openGallery } from '../../src-main/gallery/gallery.ts';
import { dot, ExactSearch, type Neighbour } from '../../src-main/gallery/search.ts';
import { openTemplateStore, type TemplateStore } from '../../src-main/gallery/template-store.ts';
import { benchOptions, medianMs, personId } from './gallery.ts';

const COUNT = 10;
const PROBES = 24;
/** Templates compared at a time by the float scan. */
const SCANNED = 4_096;

export interface SearchedGallery {
  /** Median of one exact search for the ten best, ms; half of the probes are somebody, half nobody. */
  readonly searchMs: number;
  /** Median of one pass over as many bytes as the search looks at, by the C library's memchr on one thread, ms. */
  readonly passMs: number;
  readonly searches: number;
  /** Searches of which the ten people or their order were not those of the float scan. */
  readonly wrong: number;
  /** Float templates read from disk for one search. */
  readonly askedMean: number;
}

export interface OpenedGallery {
  readonly openMs: number;
  readonly memoryMiB: number;
  readonly peakMiB: number;
  readonly knownMs: number;
  readonly strangerMs: number;
  readonly putMs: number;
  readonly eraseMs: number;
}

const [what, path = '', ...numbers] = process.argv.slice(2);
const [people, dimensions] = numbers.map(Number) as [number, number];
const faces = facesFrom(7, dimensions);
const floats = (values: Uint8Array) => new Float32Array(new Uint8Array(values).buffer);
const somebody = (n: number) => Math.floor((n * people) / PROBES);

function searched(): SearchedGallery {
  const store = openTemplateStore(benchOptions(path, dimensions));
  const search = new ExactSearch(dimensions);
  store.packs.load(store.packs.names().find((name) => name.endsWith(` ${dimensions}`)) ?? '', search);
  const template = (key: Uuid) => floats(store.template(key)?.values ?? new Uint8Array());
  let asked = 0;
  const exact = (key: Uuid) => {
    asked += 1;
    return template(key);
  };
  const probes = Array.from({ length: PROBES }, (_, n) =>
    n % 2 ? faces.next() : faces.near(template(personId(somebody(n))), 0.5),
  );
  const answers = probes.map((probe) => search.nearest(probe, COUNT, exact));
  const askedMean = asked / PROBES;
  const searchMs = medianMs(probes, (probe) => search.nearest(probe, COUNT, exact));
  const bytes = Buffer.alloc(people * dimensions, 1);
  const passMs = medianMs([1, 2, 3, 4, 5, 6, 7], () => bytes.indexOf(0x80));
  const expected = scan(store, probes);
  const wrong = answers.filter((answer, n) => answer.some(({ key }, rank) => key !== expected[n]?.[rank]?.key)).length;
  store.close();
  return { searchMs, passMs, searches: PROBES, wrong, askedMean };
}

/** The ten best of each probe among all rows of the file: by usearch in float32, which names more than ten, ordered in float64. */
function scan(store: TemplateStore, probes: readonly Float32Array[]): readonly Neighbour[][] {
  const best = probes.map((): Neighbour[] => []);
  const flat = new Float32Array(SCANNED * dimensions);
  const together = Float32Array.from(probes.flatMap((probe) => [...probe]));
  let keys: Uuid[] = [];
  const compare = () => {
    const rows = flat.subarray(0, keys.length * dimensions);
    const count = Math.min(2 * COUNT, keys.length);
    const found = exactSearch(rows, together, dimensions, count, MetricKind.IP, 2);
    for (const [n, probe] of probes.entries()) {
      const matches = [...found.keys.subarray(n * count, (n + 1) * count)].map((at) => ({
        key: keys[Number(at)]!,
        score: dot(probe, rows.subarray(Number(at) * dimensions, (Number(at) + 1) * dimensions)),
      }));
      best[n] = [...best[n]!, ...matches].sort((a, b) => b.score - a.score).slice(0, COUNT);
    }
    keys = [];
  };
  for (const { personId: key, values } of store.all()) {
    flat.set(floats(values), keys.length * dimensions);
    keys.push(key);
    if (keys.length === SCANNED) compare();
  }
  if (keys.length > 0) compare();
  return best;
}

function opened(): OpenedGallery {
  const rss = () => process.memoryUsage().rss / 2 ** 20;
  globalThis.gc?.();
  const before = rss();
  const startedMs = performance.now();
  const gallery = openGallery(benchOptions(path, dimensions));
  const openMs = performance.now() - startedMs;
  const peakMiB = process.resourceUsage().maxRSS / 2 ** 10 - before;
  const rates = { maxFmr: 1, lookAlikeFmr: 1e-6 };
  const random = facesFrom(42, dimensions);
  // The gallery's own people are protected vectors: what stands before the camera is made anew.
  const strangers = Array.from({ length: 11 }, () => random.next());
  const newcomers = Array.from({ length: 11 }, (_, n) => ({ face: faces.next(), id: personId(people + n) }));
  const putMs = medianMs(newcomers, ({ face, id }) => gallery.put(id, gallery.protectedTemplate(face), null));
  const knownMs = medianMs(newcomers, ({ face }) => gallery.identify(face, rates));
  const strangerMs = medianMs(strangers, (face) => gallery.identify(face, { ...rates, maxFmr: 1e-9 }));
  const eraseMs = medianMs(newcomers, ({ id }) => {
    gallery.erase(id);
    return gallery.unacknowledged();
  });
  globalThis.gc?.();
  const memoryMiB = rss() - before;
  gallery.close();
  return { openMs, memoryMiB, peakMiB, knownMs, strangerMs, putMs, eraseMs };
}

console.log(JSON.stringify(what === 'search' ? searched() : opened()));
