/**
 * From single frames to enough to decide on. Pure: observations go in, one at a time; what comes out is either what to tell
 * the customer meanwhile, the best embeddings of one living face, or why there will be none. It knows nothing of people.
 */
import type { LivenessEvidence, RefusalReason } from '../../src-contract/match-result.ts';
import type { LookHint } from '../../src-contract/screen.ts';
import type { Observation } from '../vision/observation.ts';

/** Good frames needed before a decision; fewer, and one blurred frame weighs too much. */
export const GOOD_FRAMES_MIN = 6;
/** Embeddings handed on for fusion, the best by quality. */
export const GOOD_FRAMES_FUSED = 5;
/** Shortest time a decision looks at, ms: a face shown for less can't be told from a picture of one. */
export const GATHER_MS_MIN = 1_500;
/** Longest history kept, in frames and in ms; older frames say nothing about who stands here now. */
export const GATHER_FRAMES_MAX = 90;
export const GATHER_MS_MAX = 5_000;
/** Several people in view for this long, ms, ends the look: nobody moved away. */
export const SEVERAL_FACES_MS = 2_500;
/** Quiet between two faces, ms, after which it may be somebody else. */
export const FACE_GAP_MS = 700;

export interface Gathered {
  /** Frames of one face without a break, oldest first. */
  readonly frames: readonly Observation[];
  /** Since when several faces were in view without a break, camera ms; null while one is. */
  readonly severalSinceMs: number | null;
  /** What was wrong most recently, for a look that runs out. */
  readonly lastProblem: RefusalReason;
}

export const NOTHING_GATHERED: Gathered = { frames: [], severalSinceMs: null, lastProblem: 'no-face' };

export type Judgement =
  | {
      readonly kind: 'gathering';
      readonly hint: LookHint | null;
      readonly progress: number;
      readonly liveness: LivenessEvidence;
    }
  | {
      readonly kind: 'ready';
      readonly embeddings: readonly Float32Array[];
      /** Of the same frames under the embedder before, as far as they have one. */
      readonly before: readonly Float32Array[];
      readonly liveness: LivenessEvidence;
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly liveness: LivenessEvidence };

export interface GatherRules {
  readonly weighLiveness: (frames: readonly Observation[]) => LivenessEvidence;
  /** Whether two embeddings can be of one person, by the model's calibration. */
  readonly samePerson: (a: Float32Array, b: Float32Array) => boolean;
}

/** Adds one frame. A face that went away, or became another, starts the gathering anew: what was shown by one face must
 *  never count for the next. */
export function gather(gathered: Gathered, observation: Observation, rules: GatherRules): Gathered {
  const several = observation.faces.length > 1 && observation.chosen === null;
  const severalSinceMs = several ? (gathered.severalSinceMs ?? observation.capturedAtMs) : null;
  const face = observation.chosen === null ? undefined : observation.faces[observation.chosen];
  if (!face) {
    const last = gathered.frames.at(-1);
    const gone = !last || several || observation.capturedAtMs - last.capturedAtMs > FACE_GAP_MS;
    return {
      frames: gone ? [] : gathered.frames,
      severalSinceMs,
      lastProblem: several ? 'several-faces' : gathered.frames.length > 0 ? gathered.lastProblem : 'no-face',
    };
  }
  const previous = lastEmbedding(gathered.frames);
  const changed = previous !== null && face.embedding !== null && !rules.samePerson(previous, face.embedding);
  const kept = changed
    ? []
    : gathered.frames
        .filter((frame) => observation.capturedAtMs - frame.capturedAtMs <= GATHER_MS_MAX)
        .slice(-(GATHER_FRAMES_MAX - 1));
  return { frames: [...kept, observation], severalSinceMs, lastProblem: 'poor-quality' };
}

/** What the frames so far amount to. */
export function judge(gathered: Gathered, latest: Observation, rules: GatherRules): Judgement {
  const liveness = rules.weighLiveness(gathered.frames);
  if (gathered.severalSinceMs !== null && latest.capturedAtMs - gathered.severalSinceMs >= SEVERAL_FACES_MS) {
    return { kind: 'refused', reason: 'several-faces', liveness };
  }
  const good = gathered.frames.flatMap((frame) => {
    const face = frame.chosen === null ? undefined : frame.faces[frame.chosen];
    if (!face?.embedding || !face.quality) return [];
    return [{ embedding: face.embedding, before: face.embeddingBefore ?? null, score: face.quality.score }];
  });
  const first = gathered.frames[0];
  const last = gathered.frames.at(-1);
  const spanMs = first && last ? last.capturedAtMs - first.capturedAtMs : 0;
  if (liveness.decision === 'attack') return { kind: 'refused', reason: 'presentation-attack', liveness };
  if (good.length >= GOOD_FRAMES_MIN && spanMs >= GATHER_MS_MIN && liveness.decision === 'live') {
    const best = good.sort((a, b) => b.score - a.score).slice(0, GOOD_FRAMES_FUSED);
    const before = best.flatMap((one) => (one.before ? [one.before] : []));
    return { kind: 'ready', embeddings: best.map((one) => one.embedding), before, liveness };
  }
  const progress = Math.min(1, good.length / GOOD_FRAMES_MIN, spanMs / GATHER_MS_MIN);
  return { kind: 'gathering', hint: latest.hint ?? (progress > 0 ? 'hold-it' : null), progress, liveness };
}

function lastEmbedding(frames: readonly Observation[]): Float32Array | null {
  for (let at = frames.length - 1; at >= 0; at--) {
    const frame = frames[at];
    const face = frame && frame.chosen !== null ? frame.faces[frame.chosen] : undefined;
    if (face?.embedding) return face.embedding;
  }
  return null;
}
