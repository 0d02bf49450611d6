/**
 * Challenges: what a person is asked to do before the camera, so that a picture or a recording of them, which looks alive by itself,
 * is not taken for them. The policy says when one is wanted and which there are; a match result says what was asked and done.
 */
import { z } from 'zod';
import { MinorUnits } from './primitives.ts';

/** What a bank allows or not. "light" needs no movement: colours of the screen must come back from the face. */
export const ChallengeKind = z.enum(['turn', 'nod', 'blink', 'mouth', 'light']);
export type ChallengeKind = z.infer<typeof ChallengeKind>;

/** What one person is asked for at one moment. Left and right are their own. "blink" is to close the eyes and open them again, slower
 *  than anybody blinks by themselves. */
export const Demand = z.enum(['turn-left', 'turn-right', 'nod', 'blink', 'mouth', 'light']);
export type Demand = z.infer<typeof Demand>;

export function kindOf(demand: Demand): ChallengeKind {
  return demand === 'turn-left' || demand === 'turn-right' ? 'turn' : demand;
}

/** When a service wants a challenge as well as the passive cues, which it always wants. */
export const ChallengeRule = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('never') }),
  z.strictObject({ kind: z.literal('always') }),
  /** For amounts greater than this, and where the look comes before the amount. */
  z.strictObject({ kind: z.literal('above'), amountMinor: MinorUnits }),
]);
export type ChallengeRule = z.infer<typeof ChallengeRule>;

/** @param amountMinor null where it is not known yet, or there is none. */
export function wantsChallenge(rule: ChallengeRule, amountMinor: number | null): boolean {
  switch (rule.kind) {
    case 'never':
      return false;
    case 'always':
      return true;
    case 'above':
      return amountMinor === null || amountMinor > rule.amountMinor;
  }
}

export const CHALLENGE_STEPS_MAX = 2;
export const CHALLENGE_TRIES_MAX = 5;

export const ChallengeTerms = z
  .strictObject({
    /** One of these is asked for, by chance. */
    kinds: z
      .array(ChallengeKind)
      .min(1)
      .refine((kinds) => new Set(kinds).size === kinds.length, 'names a kind twice'),
    /** How many are asked for, one after the other: by chance from stepsMin to stepsMax. */
    stepsMin: z.int().min(1).max(CHALLENGE_STEPS_MAX),
    stepsMax: z.int().min(1).max(CHALLENGE_STEPS_MAX),
    /** Tries in one look; each is drawn anew. */
    tries: z.int().min(1).max(CHALLENGE_TRIES_MAX),
  })
  .refine((terms) => terms.stepsMin <= terms.stepsMax, { path: ['stepsMax'], message: 'is less than stepsMin' });
export type ChallengeTerms = z.infer<typeof ChallengeTerms>;

export const CHALLENGES_DEFAULT: ChallengeTerms = {
  kinds: ['turn', 'nod', 'blink', 'mouth', 'light'],
  stepsMin: 1,
  stepsMax: 2,
  tries: 2,
};

/** How one step of a challenge ended. */
export const StepOutcome = z.enum([
  'passed',
  /** Another movement came than the one asked for, or one that was under way before. */
  'wrong',
  /** Nothing that could be taken for it came in time. */
  'late',
  /** The face went away, or the feed had a cut. */
  'lost',
  /** It was another face afterwards. */
  'other-face',
  /** "I can't do this." */
  'declined',
  /** The visit was cancelled after something had been asked for. */
  'left',
]);
export type StepOutcome = z.infer<typeof StepOutcome>;

export const ChallengeStep = z.strictObject({
  /** From 1. */
  try: z.int().min(1).max(CHALLENGE_TRIES_MAX),
  demand: Demand,
  outcome: StepOutcome,
  /** From being asked to the outcome, ms of the camera's clock. */
  tookMs: z.int().nonnegative(),
});
export type ChallengeStep = z.infer<typeof ChallengeStep>;

export const ChallengeEvidence = z.strictObject({
  outcome: z.enum(['passed', 'failed']),
  /** All that was asked, in order. */
  steps: z.array(ChallengeStep).max(30),
});
export type ChallengeEvidence = z.infer<typeof ChallengeEvidence>;

/** Null when the evidence does for these terms, else what is missing. */
export function challengeObjection(evidence: ChallengeEvidence | null, terms: ChallengeTerms): string | null {
  if (evidence === null) return 'no challenge was asked';
  if (evidence.outcome !== 'passed') return 'the challenge was not passed';
  const last = evidence.steps.at(-1);
  if (last?.outcome !== 'passed') return 'the challenge ended with nothing passed';
  if (last.try > terms.tries) return `it took ${last.try} tries`;
  const passed = evidence.steps.filter((step) => step.try === last.try && step.outcome === 'passed');
  if (passed.length < terms.stepsMin) return `only ${passed.length} passed in one try`;
  const stray = passed.find(({ demand }) => !terms.kinds.includes(kindOf(demand)));
  return stray ? `"${stray.demand}" is not among the challenges allowed` : null;
}
