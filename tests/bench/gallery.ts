/**
 * 1:N search over 10,000, 100,000 and 1,000,000 templates, of 512 dimensions and as the shipped embedder makes them, in a gallery as a terminal has
 * it: sealed on disk, fed by the bank's feed, opened by a process of its own. Every answer is compared with a plain float scan over the file's own templates.
 */
import { execFileSync } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Uuid } from '../../src-contract/primitives.ts';
import { systemChance } from '../../src-main/clock.ts';
import { facesFrom, plainCalibration } from '../../src-main/gallery/gallery.fixture.ts';
import { type GalleryOptions, type OneGallery, openGallery } from '../../src-main/gallery/gallery.ts';
import { protectionFrom } from '../../src-main/gallery/protection.ts';
import { databaseBytes } from '../../src-main/journal/database.ts';
import { parseManifest } from '../../src-main/vision/manifest.ts';
import type { ChangedMatrix } from './change-matrix.ts';
import type { OpenedGallery, SearchedGallery } from './open-gallery.ts';

const SIZES = [10_000, 100_000, 1_000_000] as const;
/** What the goals are stated for, and the shipped embedder's. */
const DIMENSIONS = [512, loadedDimensions()] as const;
/** As the bank's feed brings them. */
const PAGE = 500;
const SEED = 42;

export interface GalleryBench {
  readonly dimensions: number;
  readonly sizes: readonly (SearchedGallery & { readonly people: number })[];
  /** Of the largest. */
  readonly opened: OpenedGallery & { readonly fileMiB: number; readonly perSecondFed: number };
  /** Another protecting matrix, of the smallest. */
  readonly changed: ChangedMatrix;
  /** Growing the protecting matrix, once per start, ms. */
  readonly matrixMs: number;
}

function loadedDimensions(): number {
  const text = readFileSync(join(import.meta.dirname, '../../models/embedder.json'), 'utf8');
  const manifest = parseManifest('embedder', text);
  if (manifest.role !== 'embedder') throw new Error('models/embedder.json is no embedder');
  return manifest.decode.dimensions;
}

/** The n-th person's id. */
export function personId(n: number): Uuid {
  return `018f0000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

export function benchOptions(path: string, dimensions: number): GalleryOptions {
  return {
    path,
    dataKey: createSecretKey(new Uint8Array(32).fill(1)),
    protectionSeed: new Uint8Array(32).fill(2),
    protectionVersion: 'bench',
    modelSha256: 'a'.repeat(64),
    dimensions,
    calibration: plainCalibration,
    chance: systemChance,
  };
}

/** Of either dimensions, one after the other. @param sizes ascending. */
export function benchGalleries(sizes: readonly number[] = SIZES): GalleryBench[] {
  return [...new Set(DIMENSIONS)].map((dimensions) => benchGallery(sizes, dimensions));
}

function benchGallery(sizes: readonly number[], dimensions: number): GalleryBench {
  const directory = mkdtempSync(join(tmpdir(), 'kaopass-bench-'));
  const path = join(directory, 'gallery.sqlite');
  const faces = facesFrom(SEED, dimensions);
  try {
    const results: GalleryBench['sizes'][number][] = [];
    let fedMs = 0;
    let changed: ChangedMatrix | null = null;
    for (const people of sizes) {
      process.stderr.write(`gallery: feeding ${people.toLocaleString('en')} people of ${dimensions} dimensions\n`);
      const gallery = openGallery(benchOptions(path, dimensions));
      const startedMs = performance.now();
      feed(gallery, faces, people, dimensions);
      fedMs = (performance.now() - startedMs) / (people - (results.at(-1)?.people ?? 0));
      gallery.close();
      if (changed === null) {
        const copy = join(directory, 'changed.sqlite');
        copyFileSync(path, copy);
        changed = inProcess<ChangedMatrix>('change-matrix.ts', copy, String(dimensions));
      }
      results.push({
        people,
        ...inProcess<SearchedGallery>('open-gallery.ts', 'search', path, String(people), String(dimensions)),
      });
    }
    const people = sizes.at(-1) ?? 0;
    return {
      dimensions,
      sizes: results,
      opened: {
        ...inProcess<OpenedGallery>('open-gallery.ts', 'open', path, String(people), String(dimensions)),
        fileMiB: databaseBytes(path) / 2 ** 20,
        perSecondFed: 1_000 / fedMs,
      },
      changed: changed!,
      matrixMs: matrixMs(dimensions),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Templates are directions drawn at random, which is what protection makes of any embedding. */
function feed(gallery: OneGallery, faces: ReturnType<typeof facesFrom>, upTo: number, dimensions: number): void {
  for (let start = gallery.size; start < upTo; start += PAGE) {
    const entries = Array.from({ length: Math.min(PAGE, upTo - start) }, (_, i) => {
      const { modelSha256, protectionVersion } = benchOptions('', dimensions);
      const values = Buffer.from(faces.next().buffer).toString('base64url');
      const template = { values, dimensions, modelSha256, protectionVersion };
      const n = start + i;
      return { kind: 'put' as const, cursor: n + 1, personId: personId(n), template, lookAlikeOf: null };
    });
    gallery.applyFeed({ entries, next: start + entries.length, more: true });
  }
}

function inProcess<Result>(script: string, ...given: string[]): Result {
  const args = ['--expose-gc', join(import.meta.dirname, script), ...given];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 20 })) as Result;
}

function matrixMs(dimensions: number): number {
  return medianMs([1, 2, 3], (fill) => protectionFrom(new Uint8Array(32).fill(fill), dimensions));
}

export function medianMs<T>(inputs: readonly T[], run: (input: T) => unknown): number {
  const times = inputs.map((input) => {
    const start = performance.now();
    run(input);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

export function galleryInWords({ dimensions, sizes, opened, changed, matrixMs }: GalleryBench): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(10);
  const rows = sizes.map(({ people, searchMs, passMs, wrong, searches, askedMean }) =>
    [
      people.toLocaleString('en').padStart(11),
      ms(searchMs),
      ms(passMs),
      (searchMs / passMs).toFixed(2).padStart(8),
      `${searches - wrong} of ${searches}`.padStart(13),
      askedMean.toFixed(0).padStart(16),
    ].join(' '),
  );
  const mib = (value: number) => `${value.toFixed(0)} MiB`.padStart(10);
  return `
1:N search, templates of ${dimensions} dimensions as int8, exact top 10 (medians; one pass: the same bytes read by one thread)
     people     search   one pass    ratio as float scan  floats asked for
${rows.join('\n')}
a gallery of ${sizes.at(-1)?.people.toLocaleString('en')} people
  opened and verified       ${ms(opened.openMs)}
  memory it takes           ${mib(opened.memoryMiB)}, ${mib(opened.peakMiB).trim()} at most while opening
  look at somebody known    ${ms(opened.knownMs)}   both searches, and the question whether the PIN is needed always
  look at a stranger        ${ms(opened.strangerMs)}
  one more person           ${ms(opened.putMs)}   durable
  one person less           ${ms(opened.eraseMs)}   durable, and overwritten
  file                      ${mib(opened.fileMiB)}
  fed by the bank           ${opened.perSecondFed.toFixed(0).padStart(7)} people a second
  protecting matrix made    ${ms(matrixMs)}
another protecting matrix, on disk, for ${changed.people.toLocaleString('en')} people (work alone; a terminal pauses between batches)
  the way there made        ${ms(changed.grownMs)}   in pieces
  everybody taken there     ${ms(changed.convertedMs)}
  one batch of 64           ${ms(changed.batchMs)}   ${ms(changed.batchMsMax).trim()} at most, ${(changed.batchMs / changed.multipliedMs).toFixed(1)} × its multiplications alone
  the old one destroyed     ${ms(changed.endedMs)}   its templates overwritten`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const sizes = process.argv.slice(2).map(Number);
  for (const gallery of benchGalleries(sizes.length > 0 ? sizes : SIZES)) console.log(galleryInWords(gallery));
}
