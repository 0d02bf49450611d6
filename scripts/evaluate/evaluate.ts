/** An evaluation from its first image to its card. What it needs of disk, models, clock and chance comes in as parameters. */
import { basename } from 'node:path';
import { type Manifests, ROLES } from '../../src-main/vision/manifest.ts';
import type { Calibration, Observation } from '../../src-main/vision/observation.ts';
import type { BenchFigures } from '../../tests/bench/figures.ts';
import { seeded } from '../random.ts';
import { type Acquired, acquire } from './acquire.ts';
import type { Cache } from './cache.ts';
import { checkOnHalves, type Fitted, fitCalibration } from './calibration.ts';
import { type ErrorCard, limitsOf, type Verification } from './card.ts';
import { compareAll, compareListed, type ListedScore, scoresOfList } from './comparisons.ts';
import { CONDITION_FMR, measureConditions } from './conditions.ts';
import type { Picture } from './frame.ts';
import { byGroup, GROUP_FMR, readLabels } from './groups.ts';
import { openSet } from './identification.ts';
import { quantile, wilson } from './intervals.ts';
import { judgeAll } from './judge.ts';
import { findPairs, readPairs } from './pairs.ts';
import { peopleIn } from './people.ts';
import { policyRates } from './policy-rates.ts';
import { presentationRates, presentationsIn } from './presentation.ts';
import { EvaluationError } from './problem.ts';
import type { Progress } from './progress.ts';
import { foldAccuracy } from './protocol.ts';
import { fmrAbove, type Scores, thresholdAt } from './scores.ts';
import { countOf, type Rendering, sequenceRates } from './sequences.ts';
import type { Templates } from './templates.ts';
import { detCurve, operatingPoints } from './verification.ts';

export interface Plan {
  readonly images: string | null;
  readonly pairs: string | null;
  readonly attacks: string | null;
  readonly labels: string | null;
  readonly title: string;
  readonly about: string;
  readonly seed: number;
  readonly replicas: number;
  readonly impostorsMax: number;
  readonly probesMax: number;
  readonly draws: number;
  readonly safetyFactor: number;
  /** Whether photographs are degraded as well. */
  readonly conditions: boolean;
  readonly framesPerSecond: number;
  /** Rendered presentations of each kind; 0 for none. */
  readonly sequences: number;
  /** Which moments of the footage those are made of. */
  readonly part: 'tuning' | 'reported';
  /** Of `npm run bench`, for the card. */
  readonly speed: BenchFigures | null;
}

/** What does not depend on the models' weights of an evaluation. */
export interface Eyes {
  readonly manifests: Manifests;
  readonly pipelineDigest: string;
  readonly portrait: (picture: Picture) => Promise<Observation>;
  readonly frame: (picture: Picture, capturedAtMs: number) => Promise<Observation>;
  /** Asked for once, and only when sequences are wanted. */
  readonly rendering: () => Promise<Rendering>;
}

export interface Evaluated {
  readonly card: ErrorCard;
  readonly fitted: Fitted | null;
  /** What somebody should look at: images that can't be read, the same image under two people. */
  readonly warnings: readonly string[];
}

const WARNED_MAX = 10;

export async function evaluate(plan: Plan, eyes: Eyes, cache: Cache, progress: Progress): Promise<Evaluated> {
  if (plan.images === null && plan.attacks === null && plan.sequences === 0)
    throw new EvaluationError('neither images nor attacks are given');
  // Everything that may be refused is read before the first image is looked at.
  const list = plan.pairs === null ? null : await readPairs(plan.pairs);
  const set =
    plan.images === null
      ? null
      : list && plan.pairs !== null
        ? await findPairs(list, plan.images, plan.pairs)
        : { ...(await peopleIn(plan.images)), pairs: null };
  const labels = set && plan.labels !== null ? await readLabels(plan.labels, set.people) : [];
  const presentations = plan.attacks === null ? [] : await presentationsIn(plan.attacks);

  const warnings: string[] = [];
  const random = seeded(plan.seed);
  const bootstrap = { replicas: plan.replicas, random };
  const verification: Verification[] = [];
  let identification: ErrorCard['identification'] = [];
  let groups: ErrorCard['groups'] = [];
  let conditions: ErrorCard['conditions'] = null;
  let calibration: ErrorCard['calibration'] = null;
  let fitted: Fitted | null = null;
  let acquired: Acquired | null = null;

  if (set && plan.images !== null) {
    const { photographs, people, pairs } = set;
    const { manifests, pipelineDigest, portrait } = eyes;
    const total = photographs.length;
    let cached = 0;
    acquired = await acquire(photographs, {
      folder: plan.images,
      dimensions: manifests.embedder.decode.dimensions,
      pipelineDigest,
      cache,
      look: portrait,
      onProgress: (done, fromCache) => {
        cached = fromCache;
        progress.at('photographs', done / total, `${done} of ${total}`);
      },
    });
    progress.done('photographs', `${total}, ${cached} of them from the cache, ${acquired.templates.count} faces`);
    warnings.push(...warningsOf(acquired));
    const { templates } = acquired;
    const shipped = plain(manifests.embedder.calibration);
    if (new Set(templates.people).size < 2) throw new EvaluationError(`${plan.images}: faces of fewer than two people`);

    if (pairs) {
      const listed = compareListed(templates, pairs, acquired.templateOf);
      const personOf = (photograph: number) => photographs[photograph]!.person;
      const counts = photographsOf(templates, people.length);
      verification.push(verify('listed', scoresOfList(listed, personOf), counts, { ...bootstrap, shipped }, listed));
    }
    const comparing = (name: string) => ({
      impostorsMax: plan.impostorsMax,
      random,
      breathe: breathing(progress, name),
    });
    const all = await compareAll(templates, comparing('comparisons'));
    const counts = photographsOf(templates, people.length);
    progress.done('comparisons', `${all.genuine.scores.length} genuine, ${all.impostors.count} impostor`);
    verification.push(verify('all', all, counts, { ...bootstrap, shipped }));
    const indices = [...acquired.good.keys()].filter((i) => acquired?.good[i] === 1);
    const good = picked(templates, indices);
    if (new Set(good.people).size >= 2)
      verification.push(
        verify('good', await compareAll(good, comparing('good faces')), photographsOf(good, people.length), {
          ...bootstrap,
          shipped,
        }),
      );

    fitted = fitCalibration(all.impostors, people.length, { ...bootstrap, safetyFactor: plan.safetyFactor });
    calibration = {
      shipped,
      measured: fitted.calibration,
      fit: fitted.fit,
      halves: checkOnHalves(all.impostors, counts, { ...bootstrap, safetyFactor: plan.safetyFactor }),
      counted: counted(all),
    };
    const threshold = thresholdAt(all.impostors, GROUP_FMR);
    if (threshold !== null) groups = byGroup(all, threshold, people, counts, labels);
    const strict = thresholdAt(all.impostors, CONDITION_FMR);
    if (plan.conditions && strict !== null) {
      const { templateOf, good: accepted } = acquired;
      const rates = await measureConditions({
        ...{ folder: plan.images, photographs, templates, templateOf, good: accepted, threshold: strict },
        ...{ seed: plan.seed, pipelineDigest, cache, look: portrait },
        onProgress: (share, name) => progress.at('conditions', share, name),
      });
      conditions = { fmr: CONDITION_FMR, threshold: strict, rates };
      progress.done('conditions', `${rates.length}`);
    }
    identification = await openSet(templates, {
      draws: plan.draws,
      probesMax: plan.probesMax,
      random,
      breathe: breathing(progress, 'identification'),
    });
    progress.done('identification', `galleries of ${identification.map((size) => size.people).join(', ')}`);
  }

  const judged = await judgeAll(presentations, {
    pipelineDigest: eyes.pipelineDigest,
    calibration: eyes.manifests.liveness.calibration,
    framesPerSecond: plan.framesPerSecond,
    cache,
    look: eyes.frame,
    onProgress: (done) => progress.at('presentations', done / presentations.length),
  });
  if (presentations.length > 0) progress.done('presentations', `${presentations.length}`);

  const rendering = plan.sequences > 0 ? await eyes.rendering() : null;
  const sequences = rendering && {
    part: plan.part,
    kinds: await sequenceRates(rendering, {
      count: plan.sequences,
      pipelineDigest: eyes.pipelineDigest,
      calibration: eyes.manifests.liveness.calibration,
      cache,
      onProgress: (share, kind) => progress.at('sequences', share, kind),
    }),
  };
  if (rendering) {
    const shown = rendering.kinds.reduce((sum, { bonaFide }) => sum + countOf(plan.sequences, bonaFide), 0);
    progress.done('sequences', `${shown} of ${rendering.kinds.length} kinds`);
  }

  const failed = acquired ? acquired.noFace + acquired.unreadable.length : 0;
  const looked = set?.photographs.length ?? 0;
  const card: Omit<ErrorCard, 'limits'> = {
    version: 1,
    title: plan.title,
    about: plan.about,
    seed: plan.seed,
    bootstrapReplicas: plan.replicas,
    models: ROLES.map((role) => ({ role, name: eyes.manifests[role].name, sha256: eyes.manifests[role].sha256 })),
    data: {
      images: plan.images === null ? '' : basename(plan.images),
      pairs: plan.pairs && basename(plan.pairs),
      attacks: plan.attacks && basename(plan.attacks),
      people: set?.people.length ?? 0,
      photographs: looked,
    },
    acquisition: {
      photographs: looked,
      noFace: acquired?.noFace ?? 0,
      unreadable: acquired?.unreadable.length ?? 0,
      rate: looked === 0 ? Number.NaN : failed / looked,
      limits: wilson(failed, looked),
      good: acquired ? acquired.good.reduce((sum, value) => sum + value, 0) : 0,
      refusals: acquired?.refusals ?? {},
    },
    verification,
    identification,
    presentation: presentationRates(judged),
    sequences,
    conditions,
    groups,
    calibration,
    stages: [...(acquired?.stageMs ?? [])].map(([stage, ms]) => ({
      stage,
      p10Ms: quantile(ms, 0.1),
      medianMs: quantile(ms, 0.5),
      p95Ms: quantile(ms, 0.95),
    })),
    speed: plan.speed,
  };
  return { card: { ...card, limits: limitsOf(card) }, fitted, warnings };
}

function verify(
  set: Verification['set'],
  scores: Scores,
  photographs: Uint32Array,
  { shipped, ...bootstrap }: { replicas: number; random: () => number; shipped: Calibration },
  listed: readonly ListedScore[] | null = null,
): Verification {
  const { genuine, impostors } = scores;
  return {
    set,
    photographs: photographs.reduce((sum, own) => sum + own, 0),
    people: photographs.filter((own) => own > 0).length,
    peopleWithSeveral: new Set(genuine.people).size,
    genuinePairs: genuine.scores.length,
    impostorPairs: impostors.count,
    genuineNotCompared: listed?.filter(({ same, score }) => same && score === null).length ?? 0,
    accuracy: listed && foldAccuracy(listed),
    points: operatingPoints(scores, photographs, bootstrap),
    policyRates: policyRates(genuine, shipped),
    curve: detCurve(scores),
    histogram: histogramOf(scores),
  };
}

const HISTOGRAM_BINS = 100;

function histogramOf({ genuine, impostors }: Scores) {
  const own = new Array<number>(HISTOGRAM_BINS).fill(0);
  for (const score of genuine.scores)
    own[Math.min(HISTOGRAM_BINS - 1, Math.max(0, Math.floor(((score + 1) / 2) * HISTOGRAM_BINS)))]! +=
      1 / genuine.scores.length;
  const fine = impostors.bins.length / HISTOGRAM_BINS;
  const strangers = own.map((_, bin) => {
    let sum = 0;
    for (let i = bin * fine; i < (bin + 1) * fine; i++) sum += impostors.bins[i]!;
    return impostors.count === 0 ? 0 : sum / impostors.count;
  });
  return { genuine: own, impostor: strangers };
}

/** The impostor curve as counted, ten points a decade. */
function counted({ impostors }: Scores): { score: number; log10Fmr: number }[] {
  const points: { score: number; log10Fmr: number }[] = [];
  for (let step = 0; ; step++) {
    const score = thresholdAt(impostors, 10 ** (-step / 10));
    if (score === null) return points;
    const rate = fmrAbove(impostors, score);
    if (rate > 0) points.push({ score, log10Fmr: Math.log10(rate) });
  }
}

function picked(templates: Templates, indices: readonly number[]): Templates {
  const { dimensions, values } = templates;
  const kept = new Float32Array(indices.length * dimensions);
  for (const [to, from] of indices.entries())
    kept.set(values.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions);
  return {
    count: indices.length,
    dimensions,
    values: kept,
    people: Uint32Array.from(indices, (i) => templates.people[i]!),
  };
}

function photographsOf(templates: Templates, people: number): Uint32Array {
  const counts = new Uint32Array(people);
  for (const person of templates.people) counts[person]!++;
  return counts;
}

const plain = ({ points, floorLog10Fmr, safetyFactor }: Calibration): Calibration => ({
  points,
  floorLog10Fmr,
  safetyFactor,
});

/** Reports, and lets signals and timers have their turn. */
function breathing(progress: Progress, stage: string): (share: number) => Promise<void> {
  return async (share) => {
    progress.at(stage, share);
    await new Promise((resolve) => setImmediate(resolve));
  };
}

function warningsOf({ unreadable, copies }: Acquired): string[] {
  const some = (all: readonly string[], what: string) =>
    all.length === 0
      ? []
      : [`${all.length} ${what}: ${all.slice(0, WARNED_MAX).join(', ')}${all.length > WARNED_MAX ? ' …' : ''}`];
  return [
    ...some(unreadable, 'images could not be read, and count as failures to acquire'),
    ...some(
      copies.map(([one, other]) => `${one} = ${other}`),
      'images lie under two people, and spoil the impostor scores',
    ),
  ];
}
