/** Everybody against everybody: which comparisons are made, and their scores. */

import { shuffled } from '../random.ts';
import type { Pair } from './pairs.ts';
import { ScoreKeeper, type Scores } from './scores.ts';
import { cosine, type Templates } from './templates.ts';

/** Templates of one row between two looks at the progress and at the signal. */
const ROWS_A_BREATH = 64;

export interface Comparing {
  /** Above this many impostor comparisons a part of them is made. */
  readonly impostorsMax: number;
  readonly random: () => number;
  /** Called now and then with the share that is done; what it returns is waited for. */
  readonly breathe: (share: number) => Promise<void>;
}

/**
 * All genuine comparisons, and all impostor ones, or an even part of those: every template is then compared with those that lie certain
 * distances (drawn by chance) further in a ring of all, so that each takes part equally often.
 */
export async function compareAll(templates: Templates, options: Comparing): Promise<Scores> {
  const { count, people } = templates;
  const { impostorsMax, random, breathe } = options;
  const total = (count * (count - 1)) / 2;
  const keeper = new ScoreKeeper(Math.min(total, impostorsMax));
  if (total <= impostorsMax) {
    for (let i = 0; i < count; i++) {
      if (i % ROWS_A_BREATH === 0) await breathe((i * (2 * count - i)) / (count * count));
      for (let j = 0; j < i; j++) {
        const score = cosine(templates, i, j);
        if (people[i] === people[j]) keeper.genuine(score, people[i]!);
        else keeper.impostor(score, people[i]!, people[j]!);
      }
    }
    return keeper.done();
  }
  for (const [person, own] of templatesByPerson(people)) {
    for (const [k, one] of own.entries())
      for (const other of own.slice(0, k)) keeper.genuine(cosine(templates, one, other), person);
  }
  const distances = shuffled(Math.floor((count - 1) / 2), random).subarray(
    0,
    Math.max(1, Math.floor(impostorsMax / count)),
  );
  // Distance by distance, so that both templates come from memory in a row.
  for (const [k, distance] of distances.entries()) {
    await breathe(k / distances.length);
    for (let i = 0, j = distance + 1; i < count; i++, j++) {
      if (j === count) j = 0;
      if (people[i] !== people[j]) keeper.impostor(cosine(templates, i, j), people[i]!, people[j]!);
    }
  }
  return keeper.done();
}

export function templatesByPerson(people: Uint32Array): Map<number, number[]> {
  const own = new Map<number, number[]>();
  for (let i = 0; i < people.length; i++) {
    const list = own.get(people[i]!);
    if (list) list.push(i);
    else own.set(people[i]!, [i]);
  }
  return own;
}

export interface ListedScore extends Pair {
  /** Null where one of the two has no template. */
  readonly score: number | null;
}

/** The comparisons of a list. `templateOf` is −1 for a photograph that has none. */
export function compareListed(templates: Templates, pairs: readonly Pair[], templateOf: Int32Array): ListedScore[] {
  return pairs.map((pair) => {
    const one = templateOf[pair.one]!;
    const other = templateOf[pair.other]!;
    return { ...pair, score: one < 0 || other < 0 ? null : cosine(templates, one, other) };
  });
}

/** As scores of people, without the pairs that have none. */
export function scoresOfList(list: readonly ListedScore[], personOf: (photograph: number) => number): Scores {
  const keeper = new ScoreKeeper(list.length);
  for (const { same, score, one, other } of list) {
    if (score === null) continue;
    if (same) keeper.genuine(score, personOf(one));
    else keeper.impostor(score, personOf(one), personOf(other));
  }
  return keeper.done();
}
