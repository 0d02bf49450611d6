/**
 * 1:N among people of whom some are unknown (ISO/IEC 19795-1, open-set identification). The gallery holds one template a person, the
 * first. Who has more is looked for with the others; everybody is also looked for in a gallery without them, as a stranger.
 */

import { shuffled } from '../random.ts';
import { templatesByPerson } from './comparisons.ts';
import { type Limits, wilson } from './intervals.ts';
import { cosine, type Templates } from './templates.ts';

export const FPIR_LEVELS = [0.1, 0.03, 0.01, 0.003, 0.001] as const;
const SIZES = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
/** A rate is stated where this many strangers would be named at it. */
const NAMED_LEAST = 3;

export interface GallerySize {
  readonly people: number;
  /** Probes of somebody in the gallery and of strangers, in all draws together. */
  readonly matedProbes: number;
  readonly strangerProbes: number;
  /** Share of mated probes whose person comes first, whatever the score. */
  readonly rankOne: number;
  readonly points: readonly {
    readonly fpir: number;
    readonly threshold: number;
    /** Share of mated probes whose person does not come first with a score above the threshold. */
    readonly fnir: number;
    /** 95 %, as of that many different probes. */
    readonly limits: Limits;
  }[];
}

export interface Identifying {
  /** Galleries of each size, drawn by chance. */
  readonly draws: number;
  /** Of each kind of probe. */
  readonly probesMax: number;
  readonly random: () => number;
  readonly breathe: (share: number) => Promise<void>;
}

export async function openSet(templates: Templates, options: Identifying): Promise<GallerySize[]> {
  const { draws, probesMax, random, breathe } = options;
  const own = [...templatesByPerson(templates.people)];
  const enrolled = own.map(([, list]) => list[0]!);
  const people = enrolled.length;
  const some = <T>(all: readonly T[]): T[] =>
    [...shuffled(all.length, random).subarray(0, probesMax)].map((i) => all[i]!);
  const mated = some(own.flatMap(([, list], at) => list.slice(1).map((template) => ({ template, at }))));
  const strangers = some(enrolled.map((template, at) => ({ template, at })));
  const sizes = [...SIZES.filter((size) => size < people - 1), people];
  const orders = Array.from({ length: draws }, () => shuffled(people, random));
  const best = (row: Float32Array, at: number): Float64Array => {
    // The highest score among the first of each drawn order, without the probe's own person.
    const highest = new Float64Array(draws * sizes.length);
    for (const [draw, order] of orders.entries()) {
      let top = -1;
      let others = 0;
      let next = 0;
      for (let k = 0; k < people && next < sizes.length; k++) {
        const other = order[k]!;
        if (other !== at) {
          top = Math.max(top, row[other]!);
          others++;
        }
        // With the person themselves the gallery has one more; without them a stranger meets one fewer than it says.
        while (next < sizes.length && others === sizes[next]! - 1) highest[draw * sizes.length + next++] = top;
      }
    }
    return highest;
  };
  const scored = async (probes: readonly { template: number; at: number }[], from: number) => {
    const rows: { mate: number; highest: Float64Array }[] = [];
    const row = new Float32Array(people);
    for (const [i, { template, at }] of probes.entries()) {
      if (i % 16 === 0) await breathe(from + i / (2 * probes.length));
      for (let k = 0; k < people; k++) row[k] = cosine(templates, template, enrolled[k]!);
      rows.push({ mate: row[at]!, highest: best(row, at) });
    }
    return rows;
  };
  const found = await scored(mated, 0);
  const named = await scored(strangers, 0.5);
  return sizes.map((size, s) => {
    const column = draws * sizes.length;
    const pooled: number[] = [];
    for (const { highest } of named) for (let i = s; i < column; i += sizes.length) pooled.push(highest[i]!);
    pooled.sort((a, b) => b - a);
    const against = found.flatMap(({ mate, highest }) =>
      Array.from({ length: draws }, (_, draw) => ({ mate, rival: highest[draw * sizes.length + s]! })),
    );
    const missed = (threshold: number) =>
      against.filter(({ mate, rival }) => mate <= threshold || mate <= rival).length / against.length;
    const points = FPIR_LEVELS.filter((fpir) => fpir * strangers.length >= NAMED_LEAST && against.length > 0).map(
      (fpir) => {
        const threshold = pooled[Math.floor(fpir * pooled.length + 1e-9)]!;
        const fnir = missed(threshold);
        return { fpir, threshold, fnir, limits: wilson(fnir * mated.length, mated.length) };
      },
    );
    return {
      people: size,
      matedProbes: against.length,
      strangerProbes: pooled.length,
      rankOne: against.length === 0 ? Number.NaN : 1 - missed(-2),
      points,
    };
  });
}
