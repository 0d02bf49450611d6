/**
 * Comparison scores of one evaluation. Genuine ones (two photographs of one person) are few and kept whole; impostor ones may be
 * thousands of millions, so they are counted in bins, and only the highest are kept exactly.
 */
import { Tail } from './tail.ts';

/** Bins of 1e-4 over −1 … 1: finer than any difference that decides something. */
const BINS = 20_000;
/** Share of the impostor scores that is kept exactly: three times what a rate of 1e-2 needs, so that resampling stays inside. */
const TAIL_SHARE = 0.03;
/** At 12 bytes each, twice while they are gathered: 48 MB. */
const TAIL_MAX = 2_000_000;

export interface Genuine {
  /** Lowest first. */
  readonly scores: Float32Array;
  /** Whose each is. */
  readonly people: Uint32Array;
}

export interface Impostors {
  readonly count: number;
  /** Counts by score, lowest bin first. */
  readonly bins: Float64Array;
  /** The highest, highest first, and between whom. */
  readonly scores: Float32Array;
  readonly ones: Uint32Array;
  readonly others: Uint32Array;
}

export interface Scores {
  readonly genuine: Genuine;
  readonly impostors: Impostors;
}

export class ScoreKeeper {
  readonly #genuine: { score: number; person: number }[] = [];
  readonly #bins = new Float64Array(BINS);
  readonly #tail: Tail;
  #count = 0;

  /** @param expected impostor scores to come, about; up to 10,000 are kept whole. */
  constructor(expected: number) {
    this.#tail = new Tail(Math.min(TAIL_MAX, Math.max(10_000, Math.ceil(TAIL_SHARE * expected))));
  }

  genuine(score: number, person: number): void {
    this.#genuine.push({ score, person });
  }

  impostor(score: number, one: number, other: number): void {
    this.#count++;
    this.#bins[binOf(score)]!++;
    this.#tail.add(score, one, other);
  }

  done(): Scores {
    const genuine = this.#genuine.sort((a, b) => a.score - b.score);
    return {
      genuine: {
        scores: Float32Array.from(genuine, ({ score }) => score),
        people: Uint32Array.from(genuine, ({ person }) => person),
      },
      impostors: { count: this.#count, bins: this.#bins, ...this.#tail.sorted() },
    };
  }
}

const binOf = (score: number) => Math.min(BINS - 1, Math.max(0, Math.floor(((score + 1) / 2) * BINS)));
/** The lowest score of a bin. */
const scoreOf = (bin: number) => (bin / BINS) * 2 - 1;

/**
 * The score that a comparison must exceed so that at most this share of the impostors does. Null where the rate is below one in
 * all of them: nothing was measured there.
 */
export function thresholdAt(impostors: Impostors, fmr: number): number | null {
  // A rate of 1e-3 over 3,000 is 3, not the 2 of a product that rounds down.
  const allowed = Math.floor(fmr * impostors.count + 1e-9);
  if (allowed < 1) return null;
  if (allowed < impostors.scores.length) return impostors.scores[allowed]!;
  let above = 0;
  for (let bin = BINS - 1; bin >= 0; bin--) {
    above += impostors.bins[bin]!;
    if (above > allowed) return scoreOf(bin + 1);
  }
  return -1;
}

/** Share of the impostors above this score. */
export function fmrAbove(impostors: Impostors, score: number): number {
  const { scores, bins, count } = impostors;
  if (count === 0) return Number.NaN;
  const lowest = scores.at(-1);
  if (lowest !== undefined && score >= lowest) return countAbove(scores, score) / count;
  let above = 0;
  for (let bin = binOf(score) + 1; bin < BINS; bin++) above += bins[bin]!;
  return Math.max(above, scores.length) / count;
}

/** Of scores that fall, how many exceed this one. */
function countAbove(falling: Float32Array, score: number): number {
  let low = 0;
  let high = falling.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (falling[middle]! > score) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Genuine scores that do not exceed this one. */
export function missedAt(genuine: Genuine, score: number): number {
  let low = 0;
  let high = genuine.scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (genuine.scores[middle]! <= score) low = middle + 1;
    else high = middle;
  }
  return low;
}
