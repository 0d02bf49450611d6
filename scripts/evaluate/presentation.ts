/**
 * Presentation attacks (ISO/IEC 30107-3), from folders named by what was presented: "live" (or "bona-fide") for people, any other name for
 * a kind of attack. An image in such a folder is a presentation of one frame, which the passive model and the border cue judge; a
 * folder in it is a presentation of many, its images in the order of their names, which the terminal's own decision judges.
 */
import { join } from 'node:path';
import type { LivenessCalibration, Observation } from '../../src-main/vision/observation.ts';
import { weighLiveness } from '../../src-main/vision/presentation-attack.ts';
import { type Limits, wilson } from './intervals.ts';
import { entriesOf } from './people.ts';
import { EvaluationError } from './problem.ts';

export type Verdict = 'live' | 'attack' | 'undecided' | 'no-face';

export interface Presentation {
  readonly kind: string;
  readonly bonaFide: boolean;
  /** Files, oldest first. */
  readonly frames: readonly string[];
}

export interface KindRates {
  readonly kind: string;
  readonly bonaFide: boolean;
  /** Frames of a presentation: one, or a sequence. */
  readonly judged: 'single frames' | 'sequences';
  readonly presentations: number;
  readonly live: number;
  readonly attack: number;
  readonly undecided: number;
  readonly noFace: number;
  /** Attack kinds: APCER, the share of those with a face that were taken for a living person. Bona fide: BPCER, taken for an attack. */
  readonly rate: number | null;
  readonly limits: Limits | null;
}

const BONA_FIDE = /^(live|bona-?fide|genuine|real)$/i;

/** Throws EvaluationError where the folder holds no presentation. */
export async function presentationsIn(folder: string): Promise<Presentation[]> {
  const { folders } = await entriesOf(folder);
  const presentations: Presentation[] = [];
  for (const kind of folders) {
    const bonaFide = BONA_FIDE.test(kind);
    const inside = await entriesOf(join(folder, kind));
    for (const image of inside.images) presentations.push({ kind, bonaFide, frames: [join(folder, kind, image)] });
    for (const sequence of inside.folders) {
      const { images } = await entriesOf(join(folder, kind, sequence));
      const frames = images.map((image) => join(folder, kind, sequence, image));
      if (frames.length > 0) presentations.push({ kind, bonaFide, frames });
    }
  }
  if (presentations.length === 0)
    throw new EvaluationError(`${folder}: no images in folders named live, print, replay, mask or another kind`);
  return presentations;
}

/** What the terminal makes of the frames. */
export function verdictOn(observations: readonly Observation[], calibration: LivenessCalibration): Verdict {
  const faces = observations.flatMap(({ faces: all, chosen }) => {
    const cues = chosen === null ? null : all[chosen]?.liveness;
    return cues ? [cues] : [];
  });
  if (faces.length === 0) return 'no-face';
  if (observations.length > 1) return weighLiveness(observations, calibration).decision;
  const { passive, border } = faces[0]!;
  if (passive <= calibration.passive.attackMax || border >= calibration.border.strengthMin) return 'attack';
  return passive >= calibration.passive.liveMin ? 'live' : 'undecided';
}

/** Per kind, single frames and sequences apart, bona fide first. */
export function presentationRates(
  judged: readonly { readonly presentation: Presentation; readonly verdict: Verdict }[],
) {
  const rows = new Map<string, { first: Presentation; verdicts: Verdict[] }>();
  for (const { presentation, verdict } of judged) {
    const key = `${presentation.bonaFide ? 0 : 1} ${presentation.kind} ${presentation.frames.length > 1}`;
    const row = rows.get(key);
    if (row) row.verdicts.push(verdict);
    else rows.set(key, { first: presentation, verdicts: [verdict] });
  }
  return [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { first, verdicts }]): KindRates => {
      const number = (wanted: Verdict) => verdicts.filter((verdict) => verdict === wanted).length;
      const live = number('live');
      const attack = number('attack');
      const noFace = number('no-face');
      const answered = verdicts.length - noFace;
      const wrong = first.bonaFide ? attack : live;
      return {
        kind: first.kind,
        bonaFide: first.bonaFide,
        judged: first.frames.length > 1 ? 'sequences' : 'single frames',
        presentations: verdicts.length,
        live,
        attack,
        undecided: number('undecided'),
        noFace,
        rate: answered === 0 ? null : wrong / answered,
        limits: answered === 0 ? null : wilson(wrong, answered),
      };
    });
}
