/**
 * One frame through all models: detector → landmarks → quality → liveness → embedding. Stateless from frame to frame; the
 * buffers it keeps are overwritten by each look. Runs inside the worker; the benchmark and the evaluation run it directly.
 */
import type { Clock } from '../clock.ts';
import { borderStrength } from './border.ts';
import { faceColours } from './colours.ts';
import { chooseFace, type Detection, decodeDetections, type middleFace } from './detections.ts';
import { stripeStrength } from './fine-stripes.ts';
import { coarsen, type FrameScan, scanAndHalve, scanFrame } from './frame-scan.ts';
import {
  alignment,
  apply,
  fivePoints,
  interEyeDistance,
  levelMap,
  type Points,
  poseOf,
  squareAround,
} from './geometry.ts';
import type { EmbedderManifest, Manifests, Role } from './manifest.ts';
import { Model } from './model.ts';
import type { Box, FaceObservation, LivenessCues, Observation } from './observation.ts';
import { PATCH_SIDE } from './observation.ts';
import { assessQuality, hintFor } from './quality.ts';
import { boxMap, mirror, type Normalisation, type Raster, sample } from './resample.ts';
import { detailPoints } from './sensor-noise.ts';

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly raster: Raster;
  readonly embedding: boolean;
  /** The same face by the embedder before, too, where there is one. */
  readonly before?: boolean;
  /** For measuring what recognition does without a quality check; no terminal asks for it. */
  readonly whateverQuality?: boolean;
  /** Which face is meant; the terminal's rule where absent. */
  readonly choose?: typeof middleFace;
}

/** Side of the brightness crop quality is judged on: the usual size of an aligned face. */
const LUMA_SIDE = 112;
/** Where the five points lie on that crop: the reference most face embedders are trained with (InsightFace's arcface_src). */
const LUMA_REFERENCE: Points = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];
const LUMA: Normalisation = { width: LUMA_SIDE, height: LUMA_SIDE, channels: 'grey', mean: [0], scale: [1] };
/** The patch is sampled twice as fine and averaged, and shows a little less than the crop: brows to chin, no background. */
const FINE_SIDE = 2 * PATCH_SIDE;
const FINE: Normalisation = { width: FINE_SIDE, height: FINE_SIDE, channels: 'grey', mean: [0], scale: [1] };
const PATCH_LEFT = 24;
const PATCH_TOP = 32;
const PATCH_SPAN = 66;
const PATCH_REFERENCE: Points = LUMA_REFERENCE.map(
  ([x, y]) => [((x - PATCH_LEFT) / PATCH_SPAN) * FINE_SIDE, ((y - PATCH_TOP) / PATCH_SPAN) * FINE_SIDE] as const,
);

export interface PipelineOptions {
  readonly manifests: Manifests;
  readonly weightsDir: string;
  readonly threads: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export class Pipeline {
  readonly #manifests: Manifests;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly models: { readonly [R in Role]: Model };
  readonly #before: { readonly manifest: EmbedderManifest; readonly model: Model } | null;
  readonly #luma = new Float32Array(LUMA_SIDE * LUMA_SIDE);
  readonly #fine = new Float32Array(FINE_SIDE * FINE_SIDE);
  #stageMs: Record<string, number> = {};

  private constructor(options: PipelineOptions, models: Pipeline['models'], before: Model | null) {
    const { embedderBefore } = options.manifests;
    this.#before = embedderBefore && before && { manifest: embedderBefore, model: before };
    this.#manifests = options.manifests;
    this.#clock = options.clock;
    this.models = models;
  }

  /** Throws MODEL_MISSING, MODEL_ALTERED or MODEL_MANIFEST_INVALID, naming the file. */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const { manifests, weightsDir, threads } = options;
    const openEmbedder = (manifest: EmbedderManifest) =>
      Model.open(weightsDir, manifest, threads, manifest.decode.batchMax);
    const [detector, landmarks, liveness, embedder, before] = await Promise.all([
      Model.open(weightsDir, manifests.detector, threads),
      Model.open(weightsDir, manifests.landmarks, threads),
      Model.open(weightsDir, manifests.liveness, threads),
      openEmbedder(manifests.embedder),
      manifests.embedderBefore && openEmbedder(manifests.embedderBefore),
    ]);
    return new Pipeline(options, { detector, landmarks, liveness, embedder }, before);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.models).map((model) => model.release()));
    await this.#before?.model.release();
  }

  async look(look: Look): Promise<Observation> {
    this.#stageMs = {};
    const startedMs = this.#clock.monotonicMs();
    const { found, scan } = await this.#stage('detect', () => this.#detect(look.raster));
    const chosen = (look.choose ?? chooseFace)(found, look);
    const plain = (face: Detection): FaceObservation => ({
      ...face,
      landmarks: new Float32Array(0),
      pose: null,
      quality: null,
      liveness: null,
      embedding: null,
      embeddingBefore: null,
    });
    const faces = found.map(plain);
    let face: Examined | null = null;
    if (chosen !== null) {
      face = await this.#examine(look, found[chosen]!, scan);
      faces[chosen] = face;
    }
    const stageMs = { ...this.#stageMs, total: this.#clock.monotonicMs() - startedMs };
    const { width, height, sequence, capturedAtMs } = look;
    const hint = hintFor(found.length, face, look);
    return { sequence, capturedAtMs, width, height, faces, chosen, hint, stageMs };
  }

  async #stage<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    const result = await work();
    this.#stageMs[name] = this.#clock.monotonicMs() - startedMs;
    return result;
  }

  /** And the frame's scan, where that came with it. */
  async #detect(raster: Raster): Promise<{ found: Detection[]; scan: FrameScan | null }> {
    const { outputs, decode } = this.#manifests.detector;
    const model = this.models.detector;
    const whole = { x: 0, y: 0, width: raster.width, height: raster.height };
    const scan = scanAndHalve(raster, model.spec, model.input);
    if (!scan) sample(raster, boxMap(whole, model.spec.width, model.spec.height), model.spec, model.input);
    const out = await model.run();
    return { found: decodeDetections(out[outputs.scores]!, out[outputs.boxes]!, decode, raster), scan };
  }

  async #examine(look: Look, found: Detection, scan: FrameScan | null): Promise<Examined> {
    const { raster } = look;
    const landmarks = await this.#stage('landmarks', () => this.#landmarks(raster, found.box));
    const points = fivePoints(landmarks);
    const pose = poseOf(landmarks);
    const quality = await this.#stage('quality', () => {
      sample(raster, alignment(points, LUMA_REFERENCE), LUMA, this.#luma);
      const interEyePx = interEyeDistance(points);
      return assessQuality({ box: found.box, interEyePx, pose, luma: this.#luma, lumaSide: LUMA_SIDE, frame: raster });
    });
    // What needs no model comes together, the face first: a model's run leaves nothing of the frame in the processor's cache.
    const cues = await this.#stage('cues', () => this.#cues(raster, found.box, points, scan));
    const colours = await this.#stage('colours', () => faceColours(raster, found.box));
    const passive = await this.#stage('liveness', () => this.#passive(raster, found.box));
    const liveness = { passive, ...cues };
    const good = look.whateverQuality || quality.problems.length === 0;
    let embedding: Float32Array | null = null;
    let embeddingBefore: Float32Array | null = null;
    if (look.embedding && good) {
      const exact = fivePoints(await this.#stage('levelled', () => this.#levelled(raster, landmarks)));
      const [now, before] = [{ manifest: this.#manifests.embedder, model: this.models.embedder }, this.#before];
      embedding = await this.#stage('embedding', () => embeddingOf(now, raster, exact));
      if (look.before && before) {
        embeddingBefore = await this.#stage('embeddingBefore', () => embeddingOf(before, raster, exact));
      }
    }
    return { ...found, landmarks, pose, quality, liveness, colours, embedding, embeddingBefore };
  }

  async #landmarks(raster: Raster, box: Box): Promise<Float32Array> {
    const { crop, outputs } = this.#manifests.landmarks;
    const model = this.models.landmarks;
    const square = squareAround(box, crop, raster);
    sample(raster, boxMap(square, model.spec.width, model.spec.height), model.spec, model.input);
    const fractions = (await model.run())[outputs.points]!;
    const landmarks = new Float32Array(fractions.length);
    for (let i = 0; i < fractions.length; i += 2) {
      landmarks[i] = square.x + fractions[i]! * square.width;
      landmarks[i + 1] = square.y + fractions[i + 1]! * square.height;
    }
    return landmarks;
  }

  /** The points once more, from a face that lies level in the model's input, as most faces that it learned from do. */
  async #levelled(raster: Raster, landmarks: Float32Array): Promise<Float32Array> {
    const { levelled, outputs } = this.#manifests.landmarks;
    const model = this.models.landmarks;
    const { width, height } = model.spec;
    let points = landmarks;
    for (let pass = 0; pass < (levelled?.passes ?? 0); pass++) {
      const map = levelMap(points, levelled!.factor, width, height);
      sample(raster, map, model.spec, model.input);
      const fractions = (await model.run())[outputs.points]!;
      points = new Float32Array(fractions.length);
      for (let i = 0; i < fractions.length; i += 2) {
        // Fractions count from the square's corner, the map from its first pixel's centre.
        const [x, y] = apply(map, fractions[i]! * width - 0.5, fractions[i + 1]! * height - 0.5);
        points[i] = x + 0.5;
        points[i + 1] = y + 0.5;
      }
    }
    return points;
  }

  #cues(raster: Raster, box: Box, points: Points, scan: FrameScan | null): Omit<LivenessCues, 'passive'> {
    const patch = this.#patch(raster, points);
    const stripes = stripeStrength(raster, box);
    const { cells, digest } = scan ?? scanFrame(raster);
    const border = borderStrength(cells, box, this.#manifests.liveness.calibration.border.strengthMin);
    const detail = detailPoints(raster);
    return { border, stripes, frameDigest: digest, cellMeans: coarsen(cells), points: detail, patch };
  }

  async #passive(raster: Raster, box: Box): Promise<number> {
    const { crop, outputs, decode } = this.#manifests.liveness;
    const model = this.models.liveness;
    const square = squareAround(box, crop, raster);
    sample(raster, boxMap(square, model.spec.width, model.spec.height), model.spec, model.input);
    return probability((await model.run())[outputs.scores]!, decode);
  }

  #patch(raster: Raster, points: Points): Float32Array {
    const fine = this.#fine;
    sample(raster, alignment(points, PATCH_REFERENCE), FINE, fine);
    const patch = new Float32Array(PATCH_SIDE * PATCH_SIDE);
    for (let v = 0, to = 0; v < PATCH_SIDE; v++) {
      for (let u = 0, at = 2 * v * FINE_SIDE; u < PATCH_SIDE; u++, at += 2, to++) {
        patch[to] = (fine[at]! + fine[at + 1]! + fine[at + FINE_SIDE]! + fine[at + FINE_SIDE + 1]!) / 4;
      }
    }
    return patch;
  }
}

/** Unit length, of the crop and, where the manifest says so, its mirror image. */
async function embeddingOf(
  { manifest, model }: { readonly manifest: EmbedderManifest; readonly model: Model },
  raster: Raster,
  points: Points,
): Promise<Float32Array> {
  const { crop, outputs, decode } = manifest;
  const size = model.input.length / decode.batchMax;
  const upright = model.input.subarray(0, size);
  sample(raster, alignment(points, crop.reference), model.spec, upright);
  const embedding = new Float32Array(decode.dimensions);
  const add = (values: Float32Array) => {
    for (let i = 0; i < values.length; i++) embedding[i % decode.dimensions]! += values[i]!;
  };
  if (decode.flipAverage && decode.batchMax > 1) mirror(upright, model.spec.width, model.input.subarray(size));
  add((await model.run())[outputs.embedding]!);
  if (decode.flipAverage && decode.batchMax === 1) {
    mirror(upright.slice(), model.spec.width, upright);
    add((await model.run())[outputs.embedding]!);
  }
  let squares = 0;
  for (const value of embedding) squares += value * value;
  const scale = 1 / Math.sqrt(squares || 1);
  for (let i = 0; i < embedding.length; i++) embedding[i]! *= scale;
  return embedding;
}

type Examined = FaceObservation & { readonly quality: NonNullable<FaceObservation['quality']> };

function probability(scores: Float32Array, decode: Manifests['liveness']['decode']): number {
  if (decode.activation === 'none') return Math.min(Math.max(scores[decode.liveClass]!, 0), 1);
  const top = Math.max(...scores);
  const exponentials = Array.from(scores, (score) => Math.exp(score - top));
  return exponentials[decode.liveClass]! / exponentials.reduce((sum, value) => sum + value, 0);
}
