import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Observation } from '../../src-main/vision/observation.ts';
import { seeded } from '../random.ts';
import { openCache } from './cache.ts';
import { measureConditions } from './conditions.ts';
import { CONDITIONS } from './degrade.ts';
import type { Picture } from './frame.ts';

const WIDTH = 640;
const HEIGHT = 480;
const EYES = [
  { x: 270, y: 200 },
  { x: 370, y: 200 },
];

/** Eyes, nose, mouth and jaw about where a face in the middle of the frame has them. */
function landmarks(): Float32Array {
  const points: [number, number][] = [];
  for (let i = 0; i < 17; i++) {
    const angle = Math.PI * (1 - i / 16);
    points.push([320 + 120 * Math.cos(angle), 200 + 150 * Math.sin(angle)]);
  }
  for (let i = 17; i < 27; i++) points.push([230 + 20 * (i - 17), 170]);
  for (let i = 27; i < 36; i++) points.push(i < 31 ? [320, 205 + 15 * (i - 27)] : [300 + 10 * (i - 31), 265]);
  for (const { x, y } of EYES) for (let i = 0; i < 6; i++) points.push([x + 12 * Math.cos(i), y + 5 * Math.sin(i)]);
  for (let i = 48; i < 68; i++) points.push([320 + 40 * Math.cos(i), 300 + 12 * Math.sin(i)]);
  return Float32Array.from(points.flat());
}

function plain(red: number): Picture {
  const words = Uint32Array.from({ length: WIDTH * HEIGHT }, (_, i) => red | ((90 + (i % 7)) << 8) | 0xff780000);
  return { width: WIDTH, height: HEIGHT, pixels: new Uint8Array(words.buffer) };
}

const redAt = ({ pixels }: Picture, x: number, y: number) => pixels[4 * (y * WIDTH + x)]!;

test('every condition gives a frame of the same size that is another', () => {
  const [picture, stranger] = [plain(120), plain(40)];
  for (const { name, strength, apply } of CONDITIONS) {
    const one = apply(picture, landmarks(), seeded(1), stranger);
    expect([name, strength, one.width, one.height, one.pixels.length]).toEqual([
      ...[name, strength, WIDTH, HEIGHT, 4 * WIDTH * HEIGHT],
    ]);
    expect(Buffer.compare(one.pixels, picture.pixels)).not.toBe(0);
  }
});

test('a mask hides the mouth and leaves the eyes, dark glasses the other way round', () => {
  const under = (name: string, strength: string) =>
    CONDITIONS.find((one) => one.name === name && one.strength === strength)!.apply(
      ...([plain(120), landmarks(), seeded(1), plain(40)] as const),
    );
  const masked = under('mask', 'over the nose');
  expect(redAt(masked, 320, 300)).not.toBe(120);
  for (const { x, y } of EYES) expect(redAt(masked, x, y)).toBe(120);
  const shaded = under('glasses', 'dark');
  expect(redAt(shaded, 320, 300)).toBe(120);
  for (const { x, y } of EYES) expect(redAt(shaded, x, y)).toBeLessThan(60);
});

test('untouched photographs match; what is hidden or has no face is counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaopass-conditions-'));
  const cache = openCache(null);
  try {
    const photographs = [0, 1, 2].flatMap((person) => [1, 2].map((n) => ({ person, name: `P${person}/${n}.png` })));
    for (const { person, name } of photographs) {
      mkdirSync(join(folder, `P${person}`), { recursive: true });
      const colour = { r: 60 + 60 * person, g: name.includes('1.') ? 10 : 20, b: 0 };
      await sharp({ create: { width: 64, height: 48, channels: 3, background: colour } }).toFile(join(folder, name));
    }
    const dimensions = 8;
    const values = new Float32Array(photographs.length * dimensions);
    for (const [i, { person }] of photographs.entries()) values[i * dimensions + person] = 1;
    // Knows everybody by the colour of the mouth, and sees nobody in the dark.
    const look = async (picture: Picture): Promise<Observation> => {
      // Of many pixels, so that noise is none.
      const red =
        Array.from({ length: 400 }, (_, i) => redAt(picture, 310 + (i % 20), 291 + Math.floor(i / 20))).reduce(
          (a, b) => a + b,
        ) / 400;
      const embedding = new Float32Array(dimensions);
      embedding[Math.min(Math.max(Math.round(red / 60) - 1, 0), 7)] = 1;
      const face = {
        ...{ box: { x: 200, y: 100, width: 240, height: 280 }, confidence: 1, landmarks: landmarks(), embedding },
        ...{
          pose: null,
          liveness: null,
          quality: { problems: [], interEyePx: 100, sharpness: 50, exposure: 90, score: 1 },
        },
      };
      const seen =
        red < 11
          ? { faces: [], chosen: null, hint: 'nobody-there' as const }
          : { faces: [face], chosen: 0, hint: null };
      return { ...{ sequence: 0, capturedAtMs: 0, width: WIDTH, height: HEIGHT, stageMs: {} }, ...seen };
    };
    const options = {
      ...{ folder, photographs, threshold: 0.5, seed: 1, pipelineDigest: 'x', cache, look },
      templates: { count: 6, dimensions, values, people: Uint32Array.from(photographs, ({ person }) => person) },
      ...{
        templateOf: Int32Array.from(photographs.keys()),
        good: new Uint8Array(6).fill(1),
        onProgress: () => undefined,
      },
    };
    const few = CONDITIONS.filter(({ strength }) => /^12 %|over the nose/.test(strength));
    const rates = await measureConditions(options, few);
    expect(rates[0]).toMatchObject({
      ...{ name: 'untouched', probes: 6, people: 3, noFace: 0, accepted: 6, genuine: 6, fnmr: 0, fmr: 0, hints: [] },
    });
    // Every mask has one colour: strangers alike, and all one person with the same mask.
    expect(rates.find(({ name, reference }) => name === 'mask' && reference === 'untouched')!.fnmr).toBeGreaterThan(
      0.5,
    );
    expect(rates.find(({ name, reference }) => name === 'mask' && reference === 'the same')).toMatchObject({
      fnmr: 0,
      fmr: 1,
    });
    const dark = rates.find(({ strength }) => strength === '12 % of the light')!;
    expect(dark).toMatchObject({ noFace: 2, hints: [{ hint: 'nobody-there', times: 2 }] });
  } finally {
    cache.close();
    rmSync(folder, { recursive: true });
  }
});
