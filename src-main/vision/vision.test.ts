import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frame } from '../../src-contract/frame.ts';
import { type Clock, systemClock } from '../clock.ts';
import { loadManifests, ROLES, weightsFile } from './manifest.ts';
import { startVision, type WorkerVision } from './vision.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MODELS = join(ROOT, 'models');
const WEIGHTS = join(ROOT, '.cache', 'models');
const FOOTAGE = join(ROOT, '.cache', 'footage');
const OPTIONS = { modelsDir: MODELS, weightsDir: WEIGHTS, threads: 1, clock: systemClock };
const quiet = new AbortController().signal;

const WIDTH = 640;
const HEIGHT = 480;

async function photograph(name: string, flop = false): Promise<Frame> {
  const image = sharp(join(FOOTAGE, name)).resize(WIDTH, HEIGHT, { fit: 'cover' }).flop(flop);
  const data = await image.removeAlpha().ensureAlpha().raw().toBuffer();
  return { width: WIDTH, height: HEIGHT, sequence: 7, capturedAtMs: 1234.5, pixels: new Uint8Array(data) };
}

/** Left half of one photograph beside the left half of another: two people, both whole. */
async function sideBySide(one: string, other: string): Promise<Frame> {
  const half = (name: string) =>
    sharp(join(FOOTAGE, name))
      .resize(WIDTH / 2, HEIGHT, { fit: 'cover' })
      .toBuffer();
  const [left, right] = await Promise.all([half(one), half(other)]);
  const data = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: 'black' } })
    .composite([
      { input: left, left: 0, top: 0 },
      { input: right, left: WIDTH / 2, top: 0 },
    ])
    .ensureAlpha()
    .raw()
    .toBuffer();
  return { width: WIDTH, height: HEIGHT, sequence: 8, capturedAtMs: 2000, pixels: new Uint8Array(data) };
}

function cosine(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, i) => sum + value * other[i]!, 0);
}

describe('vision on photographs', () => {
  let vision: WorkerVision;
  const see = async (frame: Frame, wants = {}) => vision.observe(frame, quiet, wants);
  const embed = async (frame: Frame) => {
    const seen = await see(frame);
    return seen.faces[seen.chosen ?? -1]!.embedding!;
  };

  beforeAll(async () => {
    vision = await startVision(OPTIONS);
  });
  afterAll(async () => {
    await vision.close();
  });

  test('states which models it runs, by role and checksum', () => {
    expect(vision.models.map(({ role }) => role)).toEqual([...ROLES]);
    for (const { sha256 } of vision.models) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(vision.embedder.dimensions).toBe(704);
  });

  test('finds the one face, says how good it is, and embeds it at unit length', async () => {
    const seen = await see(await photograph('franck_02159.jpg'));
    expect(seen).toMatchObject({ sequence: 7, capturedAtMs: 1234.5, width: 640, height: 480, chosen: 0, hint: null });
    expect(seen.faces).toHaveLength(1);
    const face = seen.faces[0]!;
    expect(face.confidence).toBeGreaterThan(0.9);
    expect(face.landmarks).toHaveLength(136);
    expect(face.quality?.problems).toEqual([]);
    expect(face.quality?.interEyePx).toBeGreaterThan(60);
    expect(Math.abs(face.pose!.rollDeg)).toBeLessThan(20);
    expect(face.liveness?.passive).toBeGreaterThan(0.9);
    expect(Math.hypot(...face.embedding!)).toBeCloseTo(1, 5);
  });

  test('scores two pictures of one man high, also mirrored, and of a man and a mask low', async () => {
    const one = await embed(await photograph('franck_02159.jpg'));
    const later = await embed(await photograph('franck_04000.jpg'));
    const mirrored = await embed(await photograph('franck_02159.jpg', true));
    const other = await embed(await photograph('vendetta.jpg'));
    expect(cosine(one, later)).toBeGreaterThan(0.5);
    expect(cosine(one, mirrored)).toBeGreaterThan(0.9);
    expect(cosine(one, other)).toBeLessThan(0.3);
  });

  test('gives the same answer to the same frame', async () => {
    const frame = await photograph('franck_02045.jpg');
    const [one, again] = [await embed(frame), await embed(frame)];
    expect(cosine(one, again)).toBeGreaterThan(0.999999);
  });

  test('leaves out the embedding when it isn’t wanted', async () => {
    const seen = await see(await photograph('franck_02159.jpg'), { embedding: false });
    expect(seen.faces[0]).toMatchObject({ embedding: null, quality: { problems: [] } });
  });

  test('chooses nobody between two people of like size, and asks for one', async () => {
    const seen = await see(await sideBySide('franck_02159.jpg', 'franck_04000.jpg'));
    expect(seen.faces).toHaveLength(2);
    expect(seen).toMatchObject({ chosen: null, hint: 'one-person-only' });
    expect(seen.faces.map((face) => face.embedding)).toEqual([null, null]);
  });

  test('of several people looks closely only at the one before the terminal; bystanders are no more than boxes', async () => {
    const behind = await sharp(join(FOOTAGE, 'franck_04000.jpg')).resize(160, 120, { fit: 'cover' }).toBuffer();
    const data = await sharp(join(FOOTAGE, 'franck_02159.jpg'))
      .resize(WIDTH, HEIGHT, { fit: 'cover' })
      .composite([{ input: behind, left: 0, top: 0 }])
      .removeAlpha()
      .ensureAlpha()
      .raw()
      .toBuffer();
    const seen = await see({
      width: WIDTH,
      height: HEIGHT,
      sequence: 9,
      capturedAtMs: 1,
      pixels: new Uint8Array(data),
    });
    expect(seen.faces.length).toBeGreaterThan(1);
    expect(seen.chosen).toBe(0);
    const [customer, ...bystanders] = seen.faces;
    expect(customer!.embedding).not.toBeNull();
    for (const { landmarks, quality, liveness, embedding } of bystanders) {
      expect({ points: landmarks.length, quality, liveness, embedding }).toEqual({
        ...{ points: 0, quality: null, liveness: null, embedding: null },
      });
    }
  });

  test('does not embed a face that stands beside the marked zone, alone as it may be', async () => {
    const data = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#8a8a8a' } })
      .composite([
        {
          input: await sharp(join(FOOTAGE, 'franck_02159.jpg')).resize(240, 180, { fit: 'cover' }).toBuffer(),
          ...{ left: 0, top: 290 },
        },
      ])
      .ensureAlpha()
      .raw()
      .toBuffer();
    const seen = await see({
      width: WIDTH,
      height: HEIGHT,
      sequence: 9,
      capturedAtMs: 1,
      pixels: new Uint8Array(data),
    });
    expect(seen.faces).toHaveLength(1);
    expect(seen.faces[0]).toMatchObject({
      embedding: null,
      quality: { problems: expect.arrayContaining(['off-centre']) },
    });
  });

  test('sees nobody in an empty frame', async () => {
    const pixels = new Uint8Array(WIDTH * HEIGHT * 4).fill(128);
    const seen = await see({ width: WIDTH, height: HEIGHT, sequence: 1, capturedAtMs: 1, pixels });
    expect(seen).toMatchObject({ faces: [], chosen: null, hint: 'nobody-there' });
  });

  test('leaves the frame to its owner', async () => {
    const frame = await photograph('franck_02159.jpg');
    const copy = frame.pixels.slice();
    await see(frame);
    expect(frame.pixels).toEqual(copy);
  });

  test('refuses a frame whose pixels do not fit its size', async () => {
    const frame = { width: 640, height: 480, sequence: 0, capturedAtMs: 0, pixels: new Uint8Array(99) };
    await expect(see(frame)).rejects.toMatchObject({
      code: 'FRAME_INVALID',
      message: expect.stringContaining('640×480 needs 1228800 bytes of pixels, got 99'),
    });
    await expect(see({ ...frame, width: 9000 })).rejects.toMatchObject({ code: 'FRAME_INVALID' });
  });

  test('refuses a second look while one is under way', async () => {
    const frame = await photograph('franck_02159.jpg');
    const first = see(frame);
    await expect(see(frame)).rejects.toMatchObject({ code: 'VISION_FAILED' });
    await expect(first).resolves.toMatchObject({ chosen: 0 });
  });

  test('an aborted look rejects at once with the reason, and the next one works', async () => {
    const frame = await photograph('franck_02159.jpg');
    const abort = new AbortController();
    const look = vision.observe(frame, abort.signal);
    abort.abort(new Error('the customer left'));
    await expect(look).rejects.toThrow('the customer left');
    await expect(see(frame)).resolves.toMatchObject({ chosen: 0 });
  });
});

describe('vision that loses its worker', () => {
  test('finishes the look it has before it ends, and sees again with a new one', async () => {
    const vision = await startVision(OPTIONS);
    try {
      const frame = await photograph('franck_02159.jpg');
      const look = vision.observe(frame, quiet);
      await new Promise((resolve) => setImmediate(resolve)); // By then the worker has it.
      await vision.endWorker();
      await expect(look).resolves.toMatchObject({ chosen: 0 });
      await expect(vision.observe(frame, quiet)).resolves.toMatchObject({ chosen: 0 });
    } finally {
      await vision.close();
    }
  });

  test('gives up on a worker that does not answer in time', async () => {
    const waiting = Promise.withResolvers<() => void>();
    const clock: Clock = {
      ...systemClock,
      after: (ms, callback) => {
        if (ms < 20_000) waiting.resolve(callback);
        return () => undefined;
      },
    };
    const vision = await startVision({ ...OPTIONS, clock });
    try {
      const frame = await photograph('franck_02159.jpg');
      const look = vision.observe(frame, quiet);
      const runOut = await waiting.promise;
      runOut(); // Before the worker can have answered.
      await expect(look).rejects.toMatchObject({
        code: 'VISION_FAILED',
        message: expect.stringContaining('no answer within'),
      });
      await expect(vision.observe(frame, quiet)).resolves.toMatchObject({ chosen: 0 });
    } finally {
      await vision.close();
    }
  });

  test('that was closed refuses', async () => {
    const vision = await startVision(OPTIONS);
    await vision.close();
    const frame = await photograph('franck_02159.jpg');
    await expect(vision.observe(frame, quiet)).rejects.toMatchObject({ code: 'VISION_FAILED' });
  });
});

describe('vision with bad weights', () => {
  let folder: string;
  let files: Record<(typeof ROLES)[number], string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kaopass-vision-'));
    const manifests = await loadManifests(MODELS);
    files = Object.fromEntries(ROLES.map((role) => [role, weightsFile(manifests[role])])) as typeof files;
    for (const file of Object.values(files)) await copyFile(join(WEIGHTS, file), join(folder, file));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test('does not start when a file is altered, and names it', async () => {
    await writeFile(join(folder, files.embedder), 'not the model');
    await expect(startVision({ ...OPTIONS, weightsDir: folder })).rejects.toMatchObject({
      code: 'MODEL_ALTERED',
      message: expect.stringContaining(files.embedder),
    });
  });

  test('does not start when a file is missing, and names it', async () => {
    await rm(join(folder, files.embedder));
    await expect(startVision({ ...OPTIONS, weightsDir: folder })).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining(files.embedder),
    });
  });
});

/** The second embedder is the first one's weights fed with blue and red exchanged: other numbers, and no other file. */
test('an embedder before is run when it is asked for, and not otherwise', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kaopass-models-'));
  await cp(MODELS, folder, { recursive: true });
  const { input, ...manifest } = JSON.parse(await readFile(join(MODELS, 'embedder.json'), 'utf8'));
  const before = { ...manifest, space: 'blue first', input: { ...input, channels: 'bgr' } };
  await writeFile(join(folder, 'embedder-before.json'), JSON.stringify(before));
  const vision = await startVision({ ...OPTIONS, modelsDir: folder });
  try {
    expect(vision.models.at(-1)).toEqual({ role: 'embedder-before', sha256: manifest.sha256 });
    expect(vision.embedder.modelSha256).toBe(manifest.sha256);
    expect(vision.embedderBefore?.modelSha256).not.toBe(manifest.sha256);
    const frame = await photograph('franck_02159.jpg');
    const [one] = (await vision.observe(frame, quiet)).faces;
    expect(one!.embeddingBefore).toBeNull();
    const seen = await vision.observe(frame, quiet, { before: true });
    const [face] = seen.faces;
    expect([...face!.embedding!]).toEqual([...one!.embedding!]);
    expect(Math.hypot(...face!.embeddingBefore!)).toBeCloseTo(1, 5);
    expect([...face!.embeddingBefore!]).not.toEqual([...face!.embedding!]);
    expect(seen.stageMs).toHaveProperty('embeddingBefore');
  } finally {
    await vision.close();
    await rm(folder, { recursive: true });
  }
});
