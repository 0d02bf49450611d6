/** The error card: what was measured, on what, and how far it can be trusted. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Calibration } from '../../src-main/vision/observation.ts';
import type { BenchFigures } from '../../tests/bench/figures.ts';
import type { Claim, TailFit } from './calibration.ts';
import type { ConditionRates } from './conditions.ts';
import type { Attribute } from './groups.ts';
import type { GallerySize } from './identification.ts';
import type { Limits } from './intervals.ts';
import type { PolicyRate } from './policy-rates.ts';
import type { KindRates } from './presentation.ts';
import { EvaluationError } from './problem.ts';
import type { Accuracy } from './protocol.ts';
import type { SequenceRates } from './sequences.ts';
import type { Curve, OperatingPoint } from './verification.ts';

export interface Verification {
  /** listed: the comparisons of the pairs file. all: everybody with everybody, every face that was found. good: the same, only
   *  faces whose quality the terminal accepts. */
  readonly set: 'listed' | 'all' | 'good';
  readonly photographs: number;
  readonly people: number;
  /** Of whom there are two photographs or more. */
  readonly peopleWithSeveral: number;
  readonly genuinePairs: number;
  readonly impostorPairs: number;
  /** Listed genuine pairs that could not be compared, for want of a face: not in the rates, and wrong in the accuracy. */
  readonly genuineNotCompared: number;
  readonly accuracy: Accuracy | null;
  readonly points: readonly OperatingPoint[];
  readonly policyRates: readonly PolicyRate[];
  readonly curve: Curve;
  /** Shares of the scores in bins of 0.02 from −1 to 1. */
  readonly histogram: { readonly genuine: readonly number[]; readonly impostor: readonly number[] };
}

export interface ErrorCard {
  readonly version: 1;
  readonly title: string;
  readonly about: string;
  readonly seed: number;
  readonly bootstrapReplicas: number;
  readonly models: readonly { readonly role: string; readonly name: string; readonly sha256: string }[];
  readonly data: {
    /** Last part of the folder's name. */
    readonly images: string;
    readonly pairs: string | null;
    readonly attacks: string | null;
    readonly people: number;
    readonly photographs: number;
  };
  readonly acquisition: {
    readonly photographs: number;
    readonly noFace: number;
    readonly unreadable: number;
    /** Failure-to-acquire rate, with 95 % limits. */
    readonly rate: number;
    readonly limits: Limits;
    /** Faces that the terminal would compare. */
    readonly good: number;
    readonly refusals: Readonly<Record<string, number>>;
  };
  readonly verification: readonly Verification[];
  readonly identification: readonly GallerySize[];
  readonly presentation: readonly KindRates[];
  /** Rendered from the demonstration's footage; null where it was not asked for. */
  readonly sequences: { readonly part: 'tuning' | 'reported'; readonly kinds: readonly SequenceRates[] } | null;
  /** Degraded photographs; null where it was not asked for. */
  readonly conditions: {
    readonly fmr: number;
    readonly threshold: number;
    readonly rates: readonly ConditionRates[];
  } | null;
  readonly groups: readonly Attribute[];
  readonly calibration: {
    readonly shipped: Calibration;
    readonly measured: Calibration;
    readonly fit: TailFit | null;
    readonly halves: readonly Claim[];
    /** Counted: rate of one comparison above a score, for the plot. */
    readonly counted: readonly { readonly score: number; readonly log10Fmr: number }[];
  } | null;
  /** 10th, 50th and 95th percentile. */
  readonly stages: readonly {
    readonly stage: string;
    readonly p10Ms: number;
    readonly medianMs: number;
    readonly p95Ms: number;
  }[];
  /** Of a benchmark; null where none was given. */
  readonly speed: BenchFigures | null;
  readonly limits: readonly string[];
}

/** What is sure to be in each; the rest is this program's own, as it wrote it. */
const Written = z.looseObject({ version: z.literal(1), title: z.string(), models: z.array(z.unknown()) });

/** That was written before. Throws EvaluationError where the file is none. */
export function cardIn(file: string): ErrorCard {
  try {
    // Cards from before there was a benchmark on them have none.
    return { speed: null, ...Written.parse(JSON.parse(readFileSync(file, 'utf8'))) } as unknown as ErrorCard;
  } catch (cause) {
    throw new EvaluationError(`${file}: is no error card (${(cause as Error).message})`, { cause });
  }
}

/** What the figures cannot say, from how much there was. */
export function limitsOf(card: Omit<ErrorCard, 'limits'>): string[] {
  const said: string[] = [];
  const set = card.verification.find(({ set: name }) => name === 'all') ?? card.verification[0];
  if (set) {
    const { genuinePairs, peopleWithSeveral, impostorPairs, people } = set;
    said.push(
      `${number(genuinePairs)} genuine pairs of ${number(peopleWithSeveral)} people: a false-non-match rate below ${percent(3 / Math.max(peopleWithSeveral, 3))} can't be told from none (rule of three).`,
      `${number(impostorPairs)} impostor pairs share ${number(people)} people and so are not independent; rates that rest on fewer than 30 of them are marked.`,
    );
  }
  said.push(
    'Photographs one by one. A terminal fuses the best frames of a look, has its own camera and light, and compares no face that its quality check refuses.',
  );
  if (card.identification.some(({ people }) => people < 10_000))
    said.push(
      `The largest gallery held ${number(Math.max(...card.identification.map(({ people }) => people)))} people.`,
    );
  if (card.presentation.length === 0 && !card.sequences) said.push('Presentation attacks were not measured.');
  else {
    if (card.presentation.some(({ judged }) => judged === 'single frames'))
      said.push(
        'Presentations of a single frame were judged by the passive model and the border cue alone, at the thresholds that the terminal holds its mean over many frames against. The terminal decides on a sequence, with more cues.',
      );
    const few = card.presentation.filter(({ presentations }) => presentations < 300).map(({ kind }) => kind);
    if (few.length > 0)
      said.push(
        `Fewer than 300 presentations of ${[...new Set(few)].join(', ')}: no rate below 1 % can be shown with so few (rule of three), and frames of one clip are not independent.`,
      );
  }
  if (card.sequences) {
    const { part, kinds } = card.sequences;
    said.push(
      `Attack sequences are rendered from three clips of two men: they show which cues work and where nothing stands in the way, not how often attacks succeed that people make with their hands. ${part === 'tuning' ? 'These are the very moments on which thresholds were chosen.' : 'Thresholds that came with them were chosen on other moments, of one of the two men, all but two; the older ones on any (models/README.md).'}`,
      `${Math.min(...kinds.map(({ presentations }) => presentations))} sequences of a kind: a rate below ${percent(3 / Math.min(...kinds.map(({ presentations }) => presentations)))} can't be told from none (rule of three).`,
    );
  }
  said.push(
    card.conditions
      ? 'Hard conditions are drawn onto photographs: what else comes with them (a slower shutter, a lens that fogs, cloth that hangs) is not there. Children were not measured: nothing says who of these people is one, and hardly anybody is.'
      : 'Hard conditions (light, blur, glasses, masks, distance) were not measured.',
  );
  if (card.groups.length === 0)
    said.push('How the rates differ by age, sex or skin was not measured: no labels were given.');
  return said;
}

const number = (value: number) => value.toLocaleString('en');
const percent = (value: number) => `${(100 * value).toPrecision(2)} %`;
