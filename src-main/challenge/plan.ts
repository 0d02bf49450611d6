/**
 * What is asked for in one try. Every sequence of the wanted length is equally likely, so that how often somebody passes who does not see
 * the screen can be reckoned exactly.
 */
import { type ChallengeKind, type ChallengeTerms, type Demand, kindOf } from '../../src-contract/challenge.ts';

const DEMANDS: Readonly<Record<ChallengeKind, readonly Demand[]>> = {
  turn: ['turn-left', 'turn-right'],
  nod: ['nod'],
  blink: ['blink'],
  mouth: ['mouth'],
  light: ['light'],
};

/** Kinds that may still be asked for. Who cannot make a movement is asked for light from then on, while they can do that. */
export function possibleKinds({ kinds }: Pick<ChallengeTerms, 'kinds'>, declined: readonly ChallengeKind[]) {
  const left = kinds.filter((kind) => !declined.includes(kind));
  const noMovement = declined.some((kind) => kind !== 'light');
  return noMovement && left.includes('light') ? (['light'] as const) : left;
}

/** Every sequence of that many, none of whose kinds comes twice while there are others. Empty when nothing is left to be asked for. */
export function sequences(kinds: readonly ChallengeKind[], length: number): readonly (readonly Demand[])[] {
  const [only, ...others] = kinds;
  if (only === undefined) return [];
  if (others.length === 0 && length > 1) {
    return sequences(kinds, length - 1).flatMap((begun) => DEMANDS[only].map((demand) => [...begun, demand]));
  }
  return kinds.flatMap((kind) =>
    DEMANDS[kind].flatMap((demand) =>
      length === 1
        ? [[demand]]
        : sequences(
            kinds.filter((other) => other !== kind),
            length - 1,
          ).map((rest) => [demand, ...rest]),
    ),
  );
}

/** Null when nothing is left to be asked for. @param fraction uniform in [0, 1) */
export function drawPlan(
  terms: ChallengeTerms,
  declined: readonly ChallengeKind[],
  fraction: () => number,
): readonly Demand[] | null {
  const { stepsMin, stepsMax } = terms;
  // Who declined twice has narrowed the draw: more is asked for of what is left.
  const least = declined.length >= 2 ? stepsMax : stepsMin;
  const length = least + Math.floor(fraction() * (stepsMax - least + 1));
  const possible = sequences(possibleKinds(terms, declined), length);
  return possible[Math.floor(fraction() * possible.length)] ?? null;
}

/**
 * Chance that a presentation which does not see the screen passes one try: the best of all that show movements in some order, each
 * counted as passing whatever is asked for in that order. Light is passed by one chance in `patterns`.
 */
export function blindChance(terms: ChallengeTerms, patterns: number, declined: readonly ChallengeKind[] = []): number {
  const kinds = possibleKinds(terms, declined);
  const least = declined.length >= 2 ? terms.stepsMax : terms.stepsMin;
  const lengths = Array.from({ length: terms.stepsMax - least + 1 }, (_, i) => least + i);
  let best = 0;
  for (const shown of sequences(kinds, terms.stepsMax)) {
    let chance = 0;
    for (const length of lengths) {
      const possible = sequences(kinds, length);
      const hits = possible.filter((asked) => asked.every((demand, i) => demand === shown[i]));
      const lights = (asked: readonly Demand[]) => asked.filter((demand) => kindOf(demand) === 'light').length;
      chance +=
        hits.reduce((sum, asked) => sum + (1 / patterns) ** lights(asked), 0) / possible.length / lengths.length;
    }
    best = Math.max(best, chance);
  }
  return best;
}
