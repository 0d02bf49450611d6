/** `npm run evaluate`: the error card. How well faces are told apart, known, refused, measured on whatever photographs are given. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src-main/clock.ts';
import { TerminalError } from '../src-main/errors.ts';
import { middleFace } from '../src-main/vision/detections.ts';
import { loadManifests } from '../src-main/vision/manifest.ts';
import { Pipeline } from '../src-main/vision/pipeline.ts';
import { rasterOf } from '../src-main/vision/resample.ts';
import { openRendering } from '../tests/attacks/rendering.ts';
import { type BenchFigures, readFigures } from '../tests/bench/figures.ts';
import { type Cache, openCache, pipelineDigest } from './evaluate/cache.ts';
import { calibrationOf, withCalibration } from './evaluate/calibration.ts';
import { cardIn, type ErrorCard } from './evaluate/card.ts';
import { evaluate, type Plan } from './evaluate/evaluate.ts';
import type { Picture } from './evaluate/frame.ts';
import { markdownOf } from './evaluate/markdown.ts';
import { pageOf } from './evaluate/page.ts';
import { EvaluationError } from './evaluate/problem.ts';
import { progressOn } from './evaluate/progress.ts';

const ROOT = join(import.meta.dirname, '..');
const HELP = `Measures what recognition is worth, through the terminal's own pipeline, and writes the error card.

  npm run evaluate -- [--images FOLDER [--pairs FILE]] [--attacks FOLDER] [--sequences N] [options]

What is measured
  --images FOLDER    one folder of photographs per person (FOLDER/Name/anything.jpg); the face in the middle
                     of each is meant. One-to-one: false non-matches at false-match rates 1e-2 … 1e-5, with
                     limits; one-to-many: galleries of 100 … everybody; the calibration of the embedder
  --pairs FILE       only the comparisons of this list, as Labeled Faces in the Wild has them: pairs.txt with
                     its folds (accuracy by their protocol) or pairsDevTrain.txt
  --labels FILE      "person,age,…" and one line a person: rates by group, the worst group and its ratio
  --conditions       the photographs also in bad light, blurred, behind glasses and masks, far, near, tilted, cut off
  --attacks FOLDER   folders live, print, replay, mask, …: the images in them are presentations of one frame,
                     folders in them presentations of many, in the order of their names
  --fps N            at which the frames of those were taken (15)
  --sequences N      N attacks of each kind and 3 × N people, rendered from the demonstration's footage and looked
                     at until the terminal decides (0)
  --from FILE        nothing: the card that an error-card.json has, drawn anew, with what --bench brings
  --bench FILE       of npm run bench -- --json FILE: its figures, and whether they reach the goals, on the card
  --part NAME        of the footage: "reported", or "tuning", on which thresholds are chosen (reported)

What is written
  --out FOLDER       error-card.json, error-card.html, error-card.md, calibration.json (.cache/evaluation)
  --card FILE        the Markdown card also there
  --calibrate        the measured calibration into embedder.json of --models
  --title TEXT, --about TEXT   what these faces are, for the card

How
  --models FOLDER, --weights FOLDER   manifests (models) and weights (.cache/models)
  --cache FILE       what was seen in each image, so that a killed run goes on where it was; holds embeddings,
                     readable by its owner alone: remove it when done (cache.sqlite of --out); --no-cache
  --seed N           of everything drawn by chance (1)
  --bootstrap N      replicas, people drawn with replacement, behind the limits (1000)
  --impostors N      comparisons of strangers made at most (100000000)
  --probes N         probes of known people, and of strangers, made at most (2000)
  --draws N          galleries drawn of each size (20)
  --safety-factor N  that the calibration's rates are multiplied by (3)
  --threads N        of a model's run (1, as in a terminal)

Exit code 0 when the card was written, 2 when something that was given is wrong, which is said.`;

const { values } = parsed();

function parsed() {
  try {
    return parseArgs({
      options: {
        images: { type: 'string' },
        pairs: { type: 'string' },
        labels: { type: 'string' },
        attacks: { type: 'string' },
        conditions: { type: 'boolean', default: false },
        fps: { type: 'string', default: '15' },
        sequences: { type: 'string', default: '0' },
        from: { type: 'string' },
        bench: { type: 'string' },
        part: { type: 'string', default: 'reported' },
        out: { type: 'string', default: join(ROOT, '.cache', 'evaluation') },
        card: { type: 'string' },
        calibrate: { type: 'boolean', default: false },
        title: { type: 'string' },
        about: { type: 'string', default: '' },
        models: { type: 'string', default: join(ROOT, 'models') },
        weights: { type: 'string', default: join(ROOT, '.cache', 'models') },
        cache: { type: 'string' },
        'no-cache': { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        bootstrap: { type: 'string', default: '1000' },
        impostors: { type: 'string', default: '100000000' },
        probes: { type: 'string', default: '2000' },
        draws: { type: 'string', default: '20' },
        'safety-factor': { type: 'string', default: '3' },
        threads: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return refused((error as Error).message);
  }
}

function refused(why: string): never {
  console.error(`${why}\n\nnpm run evaluate -- --help says what can be given.`);
  process.exit(2);
}

function numberOf(name: keyof typeof values, least: number, most: number, whole = true): number {
  const value = Number(values[name]);
  if (value >= least && value <= most && (!whole || Number.isSafeInteger(value))) return value;
  return refused(`--${name}: "${values[name]}" is no ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
}

if (values.help) console.log(HELP);
else process.exitCode = values.from ? again(resolve(values.from)) : await run();

async function run(): Promise<number> {
  const sequences = numberOf('sequences', 0, 10_000);
  if (!values.images && !values.attacks && sequences === 0)
    refused('nothing to measure: --images, --attacks or --sequences is needed');
  const { part } = values;
  if (part !== 'reported' && part !== 'tuning') refused(`--part: "${part}" is neither reported nor tuning`);
  for (const name of ['pairs', 'labels', 'conditions', 'calibrate'] as const)
    if (values[name] && !values.images) refused(`--${name} needs --images`);
  const folder = (path: string | undefined) => (path ? resolve(path) : null);
  const plan: Plan = {
    images: folder(values.images),
    pairs: folder(values.pairs),
    attacks: folder(values.attacks),
    labels: folder(values.labels),
    title:
      values.title ??
      ([values.images, values.pairs, values.attacks]
        .flatMap((path) => (path ? [basename(resolve(path))] : []))
        .join(', ') ||
        'the footage of the demonstration'),
    about: values.about,
    seed: numberOf('seed', 0, 2 ** 32 - 1),
    replicas: numberOf('bootstrap', 0, 100_000),
    impostorsMax: numberOf('impostors', 1_000, 1e12),
    probesMax: numberOf('probes', 1, 1e6),
    draws: numberOf('draws', 1, 1_000),
    safetyFactor: numberOf('safety-factor', 1, 1_000, false),
    framesPerSecond: numberOf('fps', 0.1, 1_000, false),
    ...{ sequences, part, conditions: values.conditions, speed: values.bench ? speedIn(resolve(values.bench)) : null },
  };
  const threads = numberOf('threads', 1, 64);
  let pipeline: Pipeline | null = null;
  let cache: Cache | null = null;
  try {
    const manifests = await loadManifests(values.models);
    cache = openCache(values['no-cache'] ? null : resolve(values.cache ?? join(values.out, 'cache.sqlite')));
    const opened = await Pipeline.open({ manifests, weightsDir: values.weights, threads, clock: systemClock });
    pipeline = opened;
    const frame = ({ width, height, pixels }: Picture, capturedAtMs: number) => ({
      ...{ width, height, sequence: 0, capturedAtMs },
      raster: rasterOf(width, height, pixels),
    });
    const progress = progressOn(process.stderr, systemClock.monotonicMs);
    const eyes = {
      manifests,
      pipelineDigest: pipelineDigest(manifests),
      portrait: (picture: Picture) =>
        opened.look({ ...frame(picture, 0), embedding: true, whateverQuality: true, choose: middleFace }),
      frame: (picture: Picture, capturedAtMs: number) =>
        opened.look({ ...frame(picture, capturedAtMs), embedding: false }),
      rendering: () => openRendering(opened, manifests, part, (clip) => progress.at('footage', 0, clip)),
    };
    const { card, fitted, warnings } = await evaluate(plan, eyes, cache, progress);
    for (const warning of warnings) console.error(`warning: ${warning}`);
    write(card);
    if (fitted) {
      const calibration = calibrationOf(card, fitted);
      save(join(values.out, 'calibration.json'), `${JSON.stringify(calibration, null, 2)}\n`);
      const manifest = join(values.models, 'embedder.json');
      if (values.calibrate) save(manifest, withCalibration(readFileSync(manifest, 'utf8'), calibration));
    }
    say(card);
    return 0;
  } catch (error) {
    if (!(error instanceof EvaluationError || error instanceof TerminalError)) throw error;
    console.error(error.message);
    return 2;
  } finally {
    cache?.close();
    await pipeline?.close();
  }
}

/** What was measured before, drawn anew. */
function again(file: string): number {
  for (const name of ['images', 'attacks', 'pairs', 'labels', 'conditions', 'calibrate'] as const)
    if (values[name]) refused(`--from measures nothing: --${name} can't be given with it`);
  if (numberOf('sequences', 0, 10_000) > 0) refused("--from measures nothing: --sequences can't be given with it");
  try {
    const card = cardIn(file);
    const drawn = values.bench ? { ...card, speed: speedIn(resolve(values.bench)) } : card;
    write(drawn);
    say(drawn);
    return 0;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    console.error(error.message);
    return 2;
  }
}

function write(card: ErrorCard): void {
  const markdown = markdownOf(card);
  save(join(values.out, 'error-card.json'), `${JSON.stringify(card, null, 2)}\n`);
  save(join(values.out, 'error-card.md'), markdown);
  save(join(values.out, 'error-card.html'), pageOf(card));
  if (values.card) save(resolve(values.card), markdown);
}

function say(card: ErrorCard): void {
  console.log(`${markdownOf(card)}\nwritten: ${resolve(values.out)}${values.card ? `, ${values.card}` : ''}`);
}

function speedIn(file: string): BenchFigures {
  try {
    return readFigures(file);
  } catch (error) {
    return refused(`--bench: ${file} is no file of npm run bench -- --json (${(error as Error).message})`);
  }
}

/** Whole or not at all: what was there before stays until the new file is complete. */
function save(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw new EvaluationError(`${file}: can't be written (${(cause as Error).message})`, { cause });
  }
}
