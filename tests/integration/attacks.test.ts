/**
 * Attacks that are refused today stay refused: a few of the films of tests/attacks, made of photographs, before the terminal's own eyes.
 * That living people are still accepted is for the suites with a camera. `npm run evaluate -- --sequences 20` has the rates.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src-main/clock.ts';
import { loadManifests } from '../../src-main/vision/manifest.ts';
import { Pipeline } from '../../src-main/vision/pipeline.ts';
import { type Clips, type Image, imageIn } from '../attacks/clips.ts';
import { filmOf, KINDS } from '../attacks/kinds.ts';
import { finderOf, lookAt, present, rulesOf } from '../attacks/present.ts';
import { FRAME } from '../attacks/subjects.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FRAMES = 40;
let pipeline: Pipeline;

beforeAll(async () => {
  const manifests = await loadManifests(join(ROOT, 'models'));
  pipeline = await Pipeline.open({
    ...{ manifests, weightsDir: join(ROOT, '.cache', 'models'), threads: 1, clock: systemClock },
  });
});
afterAll(() => pipeline.close());

/** A clip in which nobody moves: one photograph again and again. */
async function stillClips(): Promise<Clips> {
  const image: Image = await imageIn(join(ROOT, '.cache', 'footage', 'franck_02159.jpg'), FRAME);
  return { length: () => 1_000, frame: async () => image };
}

test.each(['held photo', 'photo filling the frame', 'tablet replay', 'frozen feed'])(
  'a %s is refused as an attack',
  async (name) => {
    const kind = KINDS.find((one) => one.name === name)!;
    const manifests = await loadManifests(join(ROOT, 'models'));
    const studio = { clips: await stillClips(), find: finderOf(pipeline), part: 'reported', frames: FRAMES } as const;
    // Whose face it is plays no part, so nothing is embedded: an attack is refused before anybody is compared.
    const look = (pixels: Uint8Array, i: number) => lookAt(pipeline, pixels, i, false);
    const rules = rulesOf(manifests);
    expect(await present(await filmOf(kind, 1, studio), FRAMES, look, rules)).toMatchObject({ verdict: 'attack' });
  },
);
