import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { embedderId, loadManifests, parseManifest, ROLES, weightsFile } from './manifest.ts';
import { readWeights } from './weights.ts';

const MODELS = join(import.meta.dirname, '..', '..', 'models');

type Json = Record<'source' | 'input' | 'decode' | 'calibration', object>;

async function changed(role: (typeof ROLES)[number], change: (manifest: Json) => void): Promise<string> {
  const manifest = JSON.parse(await readFile(join(MODELS, `${role}.json`), 'utf8')) as Json;
  change(manifest);
  return JSON.stringify(manifest);
}

describe('model manifests', () => {
  test('those that ship are valid, and each weights file has a name of its own', async () => {
    const manifests = await loadManifests(MODELS);
    expect(new Set(ROLES.map((role) => weightsFile(manifests[role]))).size).toBe(ROLES.length);
  });

  describe('with an embedder before', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kaopass-manifests-'));
      await cp(MODELS, folder, { recursive: true });
    });
    afterEach(() => rm(folder, { recursive: true }));
    const putBefore = async (change: (manifest: Json) => void) =>
      writeFile(join(folder, 'embedder-before.json'), await changed('embedder', change));

    test('both are loaded, and each has a name of its own though the weights be the same', async () => {
      await putBefore((manifest) => Object.assign(manifest, { space: 'another crop' }));
      const { embedder, embedderBefore } = await loadManifests(folder);
      expect(embedderId(embedder)).toBe(embedder.sha256);
      expect(embedderId(embedderBefore!)).toMatch(/^[0-9a-f]{64}$/);
      expect(embedderId(embedderBefore!)).not.toBe(embedder.sha256);
    });

    test('the same one twice is refused, and so are more dimensions than a template has room for', async () => {
      await putBefore(() => undefined);
      await expect(loadManifests(folder)).rejects.toMatchObject({ code: 'MODEL_MANIFEST_INVALID' });
      await putBefore((manifest) => Object.assign(manifest.decode, { dimensions: 1024 }));
      await expect(loadManifests(folder)).rejects.toMatchObject({
        code: 'MODEL_MANIFEST_INVALID',
        message: expect.stringContaining('room for 768 dimensions'),
      });
    });
  });

  test('an unknown key is refused by name', async () => {
    const text = await changed('detector', (manifest) => {
      Object.assign(manifest.decode, { confidenceMinn: 0.5 });
    });
    expect(() => parseManifest('detector', text)).toThrow(
      expect.objectContaining({
        code: 'MODEL_MANIFEST_INVALID',
        message: expect.stringContaining('detector.json: decode.confidenceMinn'),
      }),
    );
  });

  test('a bad value is refused with file and field', async () => {
    const text = await changed('embedder', (manifest) => {
      Object.assign(manifest.input, { width: '112' });
    });
    expect(() => parseManifest('embedder', text)).toThrow(
      expect.objectContaining({
        code: 'MODEL_MANIFEST_INVALID',
        message: expect.stringContaining('embedder.json: input.width'),
      }),
    );
  });

  test('a mean for each channel is wanted', async () => {
    const text = await changed('embedder', (manifest) => {
      Object.assign(manifest.input, { mean: [127.5] });
    });
    expect(() => parseManifest('embedder', text)).toThrow(/input\.mean: one per channel/);
  });

  test('a calibration whose rate rises with the score is refused', async () => {
    const text = await changed('embedder', (manifest) => {
      Object.assign(manifest.calibration, {
        points: [
          { score: 0.2, log10Fmr: -3 },
          { score: 0.4, log10Fmr: -2 },
        ],
      });
    });
    expect(() => parseManifest('embedder', text)).toThrow(/calibration\.points: rates must not rise/);
  });

  test('weights outside the package are refused', async () => {
    const text = await changed('detector', (manifest) => {
      Object.assign(manifest.source, { file: '../../etc/model.onnx' });
    });
    expect(() => parseManifest('detector', text)).toThrow(/source\.file/);
  });

  test('a manifest of another role is refused', async () => {
    const text = await readFile(join(MODELS, 'landmarks.json'), 'utf8');
    expect(() => parseManifest('detector', text)).toThrow(/role: is "landmarks"/);
  });

  test('what is not JSON is refused', () => {
    expect(() => parseManifest('liveness', '{')).toThrow(expect.objectContaining({ code: 'MODEL_MANIFEST_INVALID' }));
  });

  test('a missing one is named', async () => {
    await expect(loadManifests(join(MODELS, 'nowhere'))).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringMatching(/\.json/),
    });
  });
});

describe('model weights', () => {
  let folder: string;
  const manifest = {
    role: 'detector' as const,
    source: { package: 'p', version: '1', integrity: 'sha512-', file: 'model/face.onnx' },
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    bytes: 4,
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kaopass-weights-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('are given out when size and checksum fit', async () => {
    await writeFile(join(folder, 'face.onnx'), 'test');
    expect(Buffer.from(await readWeights(folder, manifest)).toString()).toBe('test');
  });

  test('are refused with the file named when one byte changed', async () => {
    await writeFile(join(folder, 'face.onnx'), 'tesT');
    await expect(readWeights(folder, manifest)).rejects.toMatchObject({
      code: 'MODEL_ALTERED',
      message: expect.stringContaining('face.onnx'),
    });
  });

  test('are refused with both sizes when the file was cut short', async () => {
    await writeFile(join(folder, 'face.onnx'), 'tes');
    await expect(readWeights(folder, manifest)).rejects.toMatchObject({
      code: 'MODEL_ALTERED',
      message: expect.stringContaining('face.onnx (detector): 3 bytes, the manifest says 4'),
    });
  });

  test('are missed by name', async () => {
    await expect(readWeights(folder, manifest)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('face.onnx'),
    });
  });
});
