/**
 * What the pipeline costs beyond its models. Frame by frame, in one run and with the same inputs and session options: the
 * whole look (resampling, decoding, quality, cues, embedding), and right after it nothing but the models' own runs on the
 * very tensors that look left behind. The ratio of the two medians is the figure; above 1.15 the pipeline wastes time. Processor time of
 * one thread: on a quiet machine that is the time it takes, and on another one what others do is not in it.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { RATIO_MAX } from '../../scripts/evaluate/speed.ts';
import type { Frame } from '../../src-contract/frame.ts';
import { systemClock } from '../../src-main/clock.ts';
import { loadManifests } from '../../src-main/vision/manifest.ts';
import { Pipeline } from '../../src-main/vision/pipeline.ts';
import { rasterOf } from '../../src-main/vision/resample.ts';
import { startVision } from '../../src-main/vision/vision.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MODELS = join(ROOT, 'models');
const WEIGHTS = join(ROOT, '.cache', 'models');
const FOOTAGE = join(ROOT, '.cache', 'footage');
/** As the terminal's default: see VisionOptions.threads. */
const THREADS = 1;
const ROUNDS = 6;

export interface VisionFigures {
  readonly looks: number;
  /** Medians of processor time, ms, of frames in which a face was embedded. */
  readonly pipelineMs: number;
  readonly runsMs: number;
  readonly ratio: number;
  /** The same frames without the embedding, as while a customer is still coming nearer. */
  readonly withoutEmbeddingMs: number;
  readonly withoutEmbeddingRunsMs: number;
  /** Through the worker thread, as the terminal does it: copying and messages included. */
  readonly workerMs: number;
}

export async function benchVision(): Promise<VisionFigures> {
  const frames = await framesOfFootage();
  const { pipeline, manifests } = await openPipeline();
  const vision = await startVision({ modelsDir: MODELS, weightsDir: WEIGHTS, threads: THREADS, clock: systemClock });
  const { detector, landmarks, liveness, embedder } = pipeline.models;
  const { flipAverage, batchMax } = manifests.embedder.decode;
  const embedderRuns = flipAverage && batchMax === 1 ? 2 : 1;
  const levelledRuns = manifests.landmarks.levelled?.passes ?? 0;
  const runAll = async (embedding: boolean) => {
    await detector.run();
    await landmarks.run();
    await liveness.run();
    for (let i = 0; embedding && i < levelledRuns; i++) await landmarks.run();
    for (let i = 0; embedding && i < embedderRuns; i++) await embedder.run();
  };
  const times: Record<'pipeline' | 'runs' | 'plain' | 'plainRuns' | 'worker', number[]> = {
    pipeline: [],
    runs: [],
    plain: [],
    plainRuns: [],
    worker: [],
  };
  const signal = new AbortController().signal;
  for (let round = 0; round <= ROUNDS; round++) {
    for (const frame of frames) {
      const raster = rasterOf(frame.width, frame.height, frame.pixels);
      const wholeMs = await timed(() => pipeline.look({ ...frame, raster, embedding: true }));
      const runsMs = await timed(() => runAll(true));
      const plainMs = await timed(() => pipeline.look({ ...frame, raster, embedding: false }));
      const plainRunsMs = await timed(() => runAll(false));
      const workerMs = await timed(() => vision.observe(frame, signal));
      // The first round warms up: compiled code, caches, the runtime's own planning.
      if (round === 0 || wholeMs.result.faces[wholeMs.result.chosen ?? -1]?.embedding == null) continue;
      times.pipeline.push(wholeMs.processorMs);
      times.runs.push(runsMs.processorMs);
      times.plain.push(plainMs.processorMs);
      times.plainRuns.push(plainRunsMs.processorMs);
      times.worker.push(workerMs.processorMs);
    }
  }
  await pipeline.close();
  await vision.close();
  const pipelineMs = median(times.pipeline);
  const runsMs = median(times.runs);
  return {
    looks: times.pipeline.length,
    pipelineMs,
    runsMs,
    ratio: pipelineMs / runsMs,
    withoutEmbeddingMs: median(times.plain),
    withoutEmbeddingRunsMs: median(times.plainRuns),
    workerMs: median(times.worker),
  };
}

export function visionInWords(figures: VisionFigures): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`.padStart(10);
  const row = (name: string, whole: number, runs: number) =>
    `  ${name.padEnd(24)}${ms(whole)} ${ms(runs)} ${(whole / runs).toFixed(3).padStart(8)}`;
  const { looks, pipelineMs, runsMs, withoutEmbeddingMs, withoutEmbeddingRunsMs, workerMs } = figures;
  return `
one frame of 640×480 to what it shows, ${looks} looks, ${THREADS} thread (medians of processor time), and the bare runs of the models in it
                               frame  bare runs    ratio
${row('with the embedding', pipelineMs, runsMs)}   (goal: at most ${RATIO_MAX})
${row('without', withoutEmbeddingMs, withoutEmbeddingRunsMs)}
${row('through the worker', workerMs, runsMs)}   copies and messages included`;
}

export async function openPipeline(threads = THREADS) {
  const manifests = await loadManifests(MODELS);
  const pipeline = await Pipeline.open({ manifests, weightsDir: WEIGHTS, threads, clock: systemClock });
  return { manifests, pipeline };
}

/** The photographs of one man among the demonstration's footage, as frames of a camera. */
export async function framesOfFootage(): Promise<Frame[]> {
  if (!existsSync(FOOTAGE)) throw new Error(`no footage in .cache/footage: run the set-up first`);
  const files = (await readdir(FOOTAGE)).filter((name) => name.endsWith('.jpg') && name.startsWith('franck_')).sort();
  return await Promise.all(files.map((name, i) => frameOf(join(FOOTAGE, name), i)));
}

/** A photograph as the camera page would deliver it: 640 × 480, cropped to fill. */
async function frameOf(file: string, sequence: number): Promise<Frame> {
  const image = sharp(file).resize(640, 480, { fit: 'cover' }).removeAlpha().ensureAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    sequence,
    capturedAtMs: sequence * 66,
    pixels: new Uint8Array(data),
  };
}

export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; processorMs: number; result: T }> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const result = await work();
  const ms = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(before);
  return { ms, processorMs: (user + system) / 1_000, result };
}

export function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}
