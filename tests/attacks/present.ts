/** Presentations before the terminal's own eyes: every frame through its pipeline, gathered and judged as a customer's look is. */
import { singleFmr } from '../../src-main/gallery/fmr.ts';
import { dot } from '../../src-main/gallery/search.ts';
import { type GatherRules, gather, judge, NOTHING_GATHERED } from '../../src-main/session/gather.ts';
import type { Manifests } from '../../src-main/vision/manifest.ts';
import type { Observation } from '../../src-main/vision/observation.ts';
import type { Pipeline } from '../../src-main/vision/pipeline.ts';
import { weighLiveness } from '../../src-main/vision/presentation-attack.ts';
import { rasterOf } from '../../src-main/vision/resample.ts';
import { type Film, FPS } from './kinds.ts';
import { HEIGHT, WIDTH } from './optics.ts';
import type { FaceFinder } from './subjects.ts';

/** live: would be compared with the gallery. attack: refused as one. undecided: the look ran out. no-face: nobody was seen. */
export type Verdict = 'live' | 'attack' | 'undecided' | 'no-face';

export interface Presented {
  readonly verdict: Verdict;
  /** Which cues spoke for an attack at the end. */
  readonly cues: readonly string[];
  /** Frames looked at until the end. */
  readonly frames: number;
}

/** As the terminal takes it: see SAME_PERSON_FMR_MAX in terminal.ts. */
const SAME_PERSON_FMR = 1e-3;

export function rulesOf({ embedder, liveness }: Manifests): GatherRules {
  return {
    weighLiveness: (frames) => weighLiveness(frames, liveness.calibration),
    samePerson: (a, b) => singleFmr(embedder.calibration, dot(a, b)) <= SAME_PERSON_FMR,
  };
}

/** One frame as the vision worker sees it. */
export function lookAt(
  pipeline: Pipeline,
  pixels: Uint8Array,
  index: number,
  embedding: boolean,
): Promise<Observation> {
  const raster = rasterOf(WIDTH, HEIGHT, pixels);
  const capturedAtMs = (1000 * index) / FPS;
  return pipeline.look({ width: WIDTH, height: HEIGHT, sequence: index, capturedAtMs, raster, embedding });
}

export const finderOf =
  (pipeline: Pipeline): FaceFinder =>
  async (pixels) => {
    const { faces, chosen } = await lookAt(pipeline, pixels, 0, false);
    const face = chosen === null ? undefined : faces[chosen];
    return face?.quality?.problems.length === 0 ? face : null;
  };

/** Shows a film until the terminal has decided, or it ends. */
export async function present(
  film: Film,
  frames: number,
  look: (pixels: Uint8Array, index: number) => Promise<Observation>,
  rules: GatherRules,
): Promise<Presented> {
  let gathered = NOTHING_GATHERED;
  let seen = false;
  for (let i = 0; i < frames; i++) {
    const observation = await look(await film(i), i);
    seen ||= observation.chosen !== null;
    gathered = gather(gathered, observation, rules);
    const judgement = judge(gathered, observation, rules);
    if (judgement.kind === 'gathering') continue;
    const attack = judgement.kind === 'refused' && judgement.reason === 'presentation-attack';
    const verdict = judgement.kind === 'ready' ? 'live' : attack ? 'attack' : 'undecided';
    return { verdict, cues: judgement.liveness.cues, frames: i + 1 };
  }
  return { verdict: seen ? 'undecided' : 'no-face', cues: [], frames };
}
