/**
 * From the nearest people to a person, or nobody. Pure. Candidates may come from the searches of two embedders: their scores are never
 * compared, only the rates that each one's own calibration gives, and each search is another chance to be wrong: the rate that is
 * stated is that of all comparisons together.
 */
import type { Comparison } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { fmrOver } from './fmr.ts';

/** What a 1:N search came to. The comparison goes into the match result either way. */
export type Identification =
  | {
      readonly outcome: 'match';
      readonly personId: Uuid;
      readonly comparison: Comparison;
      /** Somebody known looks so much like this person, or this probe is so much like somebody else, that only the PIN tells them
       *  apart. */
      readonly pinAlways: boolean;
      /** The second-best person is further by the margin: the face alone says who it is. */
      readonly clear: boolean;
    }
  | { readonly outcome: 'nobody'; readonly comparison: Comparison }
  /** Two people would be believed, and nobody has said that they look alike. */
  | { readonly outcome: 'look-alikes'; readonly comparison: Comparison };

export interface Rates {
  readonly maxFmr: number;
  readonly lookAlikeFmr: number;
}

export interface Candidate {
  readonly personId: Uuid;
  readonly score: number;
  /** Under which embedder. */
  readonly model: string;
  /** Rate at which a stranger reaches the score in one comparison. */
  readonly fmr: number;
}

/**
 * By how many times a stranger reaches the second-best score more often than the best one, where the face alone says which of the two
 * it is. A rate rather than a difference of scores, so that a larger gallery, whose second is nearer by chance, needs a surer first.
 */
const MARGIN = 100;

export function decide(
  /** Different people, the best first; two are enough. */
  [best, runnerUp]: readonly Candidate[],
  searched: {
    /** Comparisons that were made. */
    readonly templates: number;
    readonly declaredAlike: (one: Uuid, other: Uuid) => boolean;
    readonly needsPin: (personId: Uuid) => boolean;
  },
  { maxFmr }: Pick<Rates, 'maxFmr'>,
): Identification {
  const rateOf = ({ fmr }: Candidate) => fmrOver(fmr, searched.templates);
  const comparison: Comparison = {
    score: best?.score ?? null,
    runnerUpScore: best && runnerUp?.model === best.model ? runnerUp.score : null,
    gallerySize: searched.templates,
    estimatedFmr: best ? rateOf(best) : null,
    model: best?.model ?? null,
  };
  if (!best || rateOf(best) > maxFmr) return { outcome: 'nobody', comparison };
  const rivals = runnerUp !== undefined && rateOf(runnerUp) <= maxFmr;
  if (rivals && !searched.declaredAlike(best.personId, runnerUp.personId))
    return { outcome: 'look-alikes', comparison };
  // Two beyond the calibration's floor are not told apart by it.
  const clear = runnerUp === undefined || runnerUp.fmr >= MARGIN * best.fmr;
  const { personId } = best;
  return { outcome: 'match', personId, comparison, clear, pinAlways: !clear || searched.needsPin(personId) };
}
