/** The films of tests/attacks before a pipeline, for `npm run evaluate`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo/processes.ts';
import type { Rendering } from '../../scripts/evaluate/sequences.ts';
import { checkoutInstallation } from '../../src-main/places.ts';
import type { Manifests } from '../../src-main/vision/manifest.ts';
import type { Pipeline } from '../../src-main/vision/pipeline.ts';
import { type ClipName, openClips } from './clips.ts';
import { FPS, filmOf, KINDS } from './kinds.ts';
import { finderOf, lookAt, present, rulesOf } from './present.ts';
import type { Part } from './subjects.ts';

/** How long a presentation goes on at most, s. A terminal looks longer (patience.lookMs); most is decided in two. */
const FILM_S = 8;

export async function openRendering(
  pipeline: Pipeline,
  manifests: Manifests,
  part: Part,
  onProgress: (clip: ClipName) => void,
): Promise<Rendering> {
  const { footageDir } = checkoutInstallation(ROOT);
  const clips = await openClips(join(ROOT, '.cache', 'evaluation', 'clips'), footageDir ?? '', { onProgress });
  const frames = FILM_S * FPS;
  const studio = { clips, find: finderOf(pipeline), part, frames };
  const rules = rulesOf(manifests);
  return {
    kinds: KINDS,
    framesPerSecond: FPS,
    digest: digestOf(part),
    present: async (name, seed) => {
      const kind = KINDS.find((one) => one.name === name);
      if (!kind) throw new Error(`no kind "${name}"`);
      const film = await filmOf(kind, seed, studio);
      return await present(film, frames, (pixels, i) => lookAt(pipeline, pixels, i, true), rules);
    },
  };
}

function digestOf(part: Part): string {
  const hash = createHash('sha256').update(part);
  const code = readdirSync(import.meta.dirname).filter((name) => !name.includes('.test.'));
  const files = [
    ...code.sort().map((name) => join(import.meta.dirname, name)),
    join(ROOT, 'src-main/session/gather.ts'),
  ];
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}
