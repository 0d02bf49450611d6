import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadManifests } from '../../src-main/vision/manifest.ts';
import type { Observation } from '../../src-main/vision/observation.ts';
import { openCache, pipelineDigest } from './cache.ts';
import { withCalibration } from './calibration.ts';
import { cardIn } from './card.ts';
import { type Eyes, evaluate, type Plan } from './evaluate.ts';
import type { Picture } from './frame.ts';
import { markdownOf } from './markdown.ts';
import { pageOf } from './page.ts';
import type { Progress } from './progress.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'kaopass-evaluate-'));
const SILENT: Progress = { at: () => undefined, done: () => undefined };

/** Two photographs each of six people: a plain colour that tells the person by its red and the photograph by its green. */
beforeAll(async () => {
  for (let person = 0; person < 6; person++) {
    mkdirSync(join(folder, 'faces', `P${person}`), { recursive: true });
    for (const photograph of [1, 2]) {
      const colour = { r: 40 + 30 * person, g: 100 * photograph, b: 0 };
      const image = sharp({ create: { width: 64, height: 48, channels: 3, background: colour } }).png();
      await image.toFile(join(folder, 'faces', `P${person}`, `P${person}_000${photograph}.png`));
    }
  }
  writeFileSync(join(folder, 'faces', 'P0', 'P0_0003.jpg'), '');
  writeFileSync(join(folder, 'faces', 'P0', 'P0_0004.jpg'), 'no image at all');
  writeFileSync(join(folder, 'pairs.txt'), '2\t1\nP0\t1\t2\nP0\t1\tP1\t1\nP2\t1\t2\nP2\t1\tP3\t1\n');
  writeFileSync(join(folder, 'missing.txt'), '1\nP0\t1\t9\nP0\t1\tP1\t1\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Eyes that know everybody by their colour, and see no face in the person 5. */
async function eyes(): Promise<Eyes & { readonly looks: () => number }> {
  const manifests = await loadManifests(join(ROOT, 'models'));
  let looks = 0;
  const portrait = async ({ width, height, pixels }: Picture): Promise<Observation> => {
    looks++;
    const middle = 4 * (width * (height >> 1) + (width >> 1));
    const person = Math.round((pixels[middle]! - 40) / 30);
    const embedding = new Float32Array(manifests.embedder.decode.dimensions);
    embedding[person] = 0.9;
    embedding[100 + Math.round(pixels[middle + 1]! / 100)] = Math.sqrt(1 - 0.81);
    const box = { x: 10, y: 10, width: 100, height: 100 };
    const face = {
      ...{ box, confidence: 1, landmarks: new Float32Array(0), pose: null, liveness: null, embedding },
      quality: { problems: [], interEyePx: 60, sharpness: 50, exposure: 100, score: 1 },
    };
    const seen = person === 5 ? { faces: [], chosen: null } : { faces: [face], chosen: 0 };
    return { ...{ sequence: 0, capturedAtMs: 0, width, height, hint: null, stageMs: { total: 3 } }, ...seen };
  };
  const rendering = () => Promise.reject(new Error('nothing is rendered here'));
  return {
    manifests,
    pipelineDigest: pipelineDigest(manifests),
    portrait,
    frame: portrait,
    rendering,
    looks: () => looks,
  };
}

const plan = (changes: Partial<Plan> = {}): Plan => ({
  ...{ images: join(folder, 'faces'), pairs: null, attacks: null, labels: null, title: 'six colours', about: '' },
  ...{ seed: 1, replicas: 20, impostorsMax: 1e6, probesMax: 100, draws: 2, safetyFactor: 3, framesPerSecond: 15 },
  ...{ sequences: 0, part: 'reported', conditions: false, speed: null },
  ...changes,
});

describe('an evaluation', () => {
  test('counts what has no face and what is no image as failures to acquire', async () => {
    const cache = openCache(null);
    const { card, warnings } = await evaluate(plan(), await eyes(), cache, SILENT);
    cache.close();
    expect(card.acquisition).toMatchObject({ photographs: 14, noFace: 2, unreadable: 2, rate: 4 / 14, good: 10 });
    expect(warnings).toEqual([expect.stringContaining('P0/P0_0003.jpg, P0/P0_0004.jpg')]);
    expect(card.verification.find(({ set }) => set === 'all')).toMatchObject({
      genuinePairs: 5,
      impostorPairs: 40,
      photographs: 10,
    });
    expect(card.verification[0]!.points[0]!.fnmr).toBeNull();
  });

  test('goes on where it was killed, from the images it has seen', async () => {
    const file = join(folder, 'cache.sqlite');
    const cache = openCache(file);
    const [first, second, changed] = [await eyes(), await eyes(), await eyes()];
    await evaluate(plan(), first, cache, SILENT);
    cache.close();
    expect(first.looks()).toBe(12);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = openCache(file);
    await evaluate(plan({ seed: 2 }), second, again, SILENT);
    expect(second.looks()).toBe(0);
    await evaluate(plan(), { ...changed, pipelineDigest: 'another model' }, again, SILENT);
    expect(changed.looks()).toBe(12);
    again.close();
  });

  test('of listed pairs looks only at the images they name, and has their accuracy', async () => {
    const cache = openCache(null);
    const own = await eyes();
    const { card } = await evaluate(plan({ pairs: join(folder, 'pairs.txt') }), own, cache, SILENT);
    cache.close();
    expect(own.looks()).toBe(6);
    const listed = card.verification.find(({ set }) => set === 'listed');
    expect(listed).toMatchObject({ genuinePairs: 2, impostorPairs: 2, accuracy: { mean: 1, standardError: 0 } });
  });

  test('is refused before anything is looked at when a pair names an image that is not there', async () => {
    const cache = openCache(null);
    const own = await eyes();
    await expect(evaluate(plan({ pairs: join(folder, 'missing.txt') }), own, cache, SILENT)).rejects.toThrow(
      'line 2: no P0/P0_0009.jpg',
    );
    await expect(evaluate(plan({ images: join(folder, 'none') }), own, cache, SILENT)).rejects.toThrow(
      'no such folder',
    );
    expect(own.looks()).toBe(0);
    cache.close();
  });

  test('says the same in Markdown and on a page, which need nothing else and name no path of the machine', async () => {
    const cache = openCache(null);
    const { card } = await evaluate(plan({ title: 'six <colours>' }), await eyes(), cache, SILENT);
    cache.close();
    const markdown = markdownOf(card);
    const page = pageOf(card);
    expect(markdown).toContain('Failure-to-acquire rate 29 %');
    expect(page).toContain('Failure-to-acquire rate 29 %');
    expect(page).toContain('six &lt;colours&gt;');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/(src|href)=|@import|url\(/);
    for (const text of [markdown, page, JSON.stringify(card)]) expect(text).not.toContain(folder);
    const file = join(folder, 'error-card.json');
    writeFileSync(file, JSON.stringify(card));
    expect(markdownOf(cardIn(file))).toBe(markdown);
    writeFileSync(file, JSON.stringify({ ...card, version: 2 }));
    expect(() => cardIn(file)).toThrow('is no error card');
  });
});

test('what a kill costs is the last few images', () => {
  const file = join(folder, 'killed.sqlite');
  const killed = openCache(file);
  for (let i = 0; i < 40; i++) killed.keep(`key ${i}`, { i }, null);
  const after = openCache(file);
  expect(after.find('key 0')).toEqual({ answer: { i: 0 }, vector: null });
  expect(after.find('key 31')).not.toBeNull();
  expect(after.find('key 39')).toBeNull();
  after.close();
  killed.close();
});

test('a cache that is another file is refused, and left as it is', () => {
  const file = join(folder, 'other.txt');
  writeFileSync(file, 'something of mine, long enough to be taken for a database'.repeat(100));
  expect(() => openCache(file)).toThrow("other.txt: can't be used as a cache");
});

test('a calibration that no manifest would take is not shipped', async () => {
  const { embedder } = await loadManifests(join(ROOT, 'models'));
  const stated = { ...embedder.calibration, points: [] };
  expect(() => withCalibration(JSON.stringify(embedder), stated)).toThrow("can't be shipped");
  const shipped = withCalibration(JSON.stringify(embedder), { ...embedder.calibration, safetyFactor: 5 });
  expect(JSON.parse(shipped)).toEqual({ ...embedder, calibration: { ...embedder.calibration, safetyFactor: 5 } });
});
