/**
 * Attacks as a terminal meets them: films that go on until it has decided, judged as a customer's look is. Each kind has its own rates
 * (ISO/IEC 30107-3): of attacks the share taken for a person (APCER), of people the share taken for an attack (BPCER), of both the
 * share without an answer when the film ends.
 */
import { z } from 'zod';
import type { LivenessCalibration } from '../../src-main/vision/observation.ts';
import { type Cache, digestOf } from './cache.ts';
import { type Limits, quantile, wilson } from './intervals.ts';

const Presented = z.strictObject({
  verdict: z.enum(['live', 'attack', 'undecided', 'no-face']),
  cues: z.array(z.string()).readonly(),
  frames: z.int().positive(),
});
/** What became of one presentation: verdict, the cues behind it, frames until then. */
type Presented = z.infer<typeof Presented>;

/** Who renders the films and shows them to the terminal's eyes (tests/attacks/). */
export interface Rendering {
  readonly kinds: readonly { readonly name: string; readonly bonaFide: boolean }[];
  readonly framesPerSecond: number;
  /** Of everything a film depends on but kind and seed, and of how looks are judged. */
  readonly digest: string;
  present(kind: string, seed: number): Promise<Presented>;
}

export interface SequenceRates {
  readonly kind: string;
  readonly bonaFide: boolean;
  readonly presentations: number;
  readonly live: number;
  readonly attack: number;
  /** The film ended first, or had no face. */
  readonly unanswered: number;
  /** APCER of an attack, BPCER of people; of all presentations. */
  readonly rate: number;
  readonly limits: Limits;
  /** Of those with an answer. */
  readonly answeredAfterMs: number | null;
  /** In how many presentations each cue spoke for an attack, most first. */
  readonly cues: readonly { readonly cue: string; readonly presentations: number }[];
}

export interface Showing {
  /** Presentations of each kind; of people three times as many, for theirs is the rate that customers meet. */
  readonly count: number;
  readonly pipelineDigest: string;
  readonly calibration: LivenessCalibration;
  readonly cache: Cache;
  readonly onProgress: (share: number, kind: string) => void;
}

export const countOf = (count: number, bonaFide: boolean): number => (bonaFide ? 3 * count : count);

export async function sequenceRates(rendering: Rendering, showing: Showing): Promise<SequenceRates[]> {
  const { kinds, digest, framesPerSecond } = rendering;
  const { count, pipelineDigest, calibration, cache, onProgress } = showing;
  const total = kinds.reduce((sum, { bonaFide }) => sum + countOf(count, bonaFide), 0);
  const { measured: _, ...settings } = calibration;
  let done = 0;
  const rows: SequenceRates[] = [];
  for (const { name, bonaFide } of kinds) {
    const shown: Presented[] = [];
    for (let seed = 0; seed < countOf(count, bonaFide); seed++) {
      const key = digestOf('sequence', digest, pipelineDigest, JSON.stringify(settings), name, String(seed));
      const kept = Presented.safeParse(cache.find(key)?.answer);
      const presented = kept.success ? kept.data : Presented.parse(await rendering.present(name, seed));
      if (!kept.success) cache.keep(key, presented, null);
      shown.push(presented);
      onProgress(++done / total, name);
    }
    rows.push(ratesOf(name, bonaFide, shown, framesPerSecond));
  }
  return rows;
}

export function ratesOf(
  kind: string,
  bonaFide: boolean,
  shown: readonly Presented[],
  framesPerSecond: number,
): SequenceRates {
  const number = (verdict: Presented['verdict']) => shown.filter((one) => one.verdict === verdict).length;
  const live = number('live');
  const attack = number('attack');
  const wrong = bonaFide ? attack : live;
  const answered = shown.filter(({ verdict }) => verdict === 'live' || verdict === 'attack');
  const cues = new Map<string, number>();
  for (const cue of shown.flatMap((one) => one.cues)) cues.set(cue, (cues.get(cue) ?? 0) + 1);
  return {
    kind,
    bonaFide,
    presentations: shown.length,
    live,
    attack,
    unanswered: shown.length - live - attack,
    rate: wrong / shown.length,
    limits: wilson(wrong, shown.length),
    answeredAfterMs:
      answered.length === 0
        ? null
        : quantile(
            answered.map(({ frames }) => ((frames - 1) * 1000) / framesPerSecond),
            0.5,
          ),
    cues: [...cues]
      .map(([cue, presentations]) => ({ cue, presentations }))
      .sort((a, b) => b.presentations - a.presentations),
  };
}
