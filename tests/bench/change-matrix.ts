/**
 * A change of the protecting matrix at a terminal, on disk, in a process of its own (gallery.ts starts it). Prints one JSON line. The pauses
 * between batches, in which others get the thread, are left out: what is measured is the work.
 */

import { facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import { openGallery } from '../../src-main/gallery/gallery.ts';
import { protectionFrom } from '../../src-main/gallery/protection.ts';
import { benchOptions, medianMs } from './gallery.ts';

/** As sync/protection-keeper.ts takes them. */
const BATCH = 64;

export interface ChangedMatrix {
  readonly people: number;
  /** The way from one matrix to the other, grown before the first batch, ms. */
  readonly grownMs: number;
  /** All batches, ms. */
  readonly convertedMs: number;
  /** One batch: the thread is held so long, ms. */
  readonly batchMs: number;
  readonly batchMsMax: number;
  /** Multiplying as many templates as a batch has by a matrix, and nothing else, ms. */
  readonly multipliedMs: number;
  /** The old matrix forgotten and its templates overwritten, ms. */
  readonly endedMs: number;
}

async function changed(path: string, dimensions: number): Promise<ChangedMatrix> {
  const gallery = openGallery(benchOptions(path, dimensions));
  const people = gallery.size;
  const time = async (work: () => unknown) => {
    const startedMs = performance.now();
    await work();
    return performance.now() - startedMs;
  };
  const next = { version: 'bench 2', seed: new Uint8Array(32).fill(3) };
  const grownMs = await time(() => gallery.beginProtection(next, () => new Promise(setImmediate)));
  const batches: number[] = [];
  while (gallery.unconverted > 0) batches.push(await time(() => gallery.convert(BATCH)));
  const endedMs = await time(() => gallery.endProtection());
  gallery.close();
  const protection = protectionFrom(next.seed, dimensions);
  const random = facesFrom(9, dimensions);
  const faces = Array.from({ length: BATCH }, () => random.next());
  const multipliedMs = medianMs([1, 2, 3, 4, 5], () => faces.map((face) => protection.protect(face)));
  const convertedMs = batches.reduce((sum, ms) => sum + ms, 0);
  batches.sort((a, b) => a - b);
  const batchMs = batches[batches.length >> 1] ?? Number.NaN;
  return { people, grownMs, convertedMs, batchMs, batchMsMax: batches.at(-1) ?? Number.NaN, multipliedMs, endedMs };
}

console.log(JSON.stringify(await changed(process.argv[2] ?? '', Number(process.argv[3]))));
