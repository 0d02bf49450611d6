/**
 * Calibrates the embedder: `node scripts/calibrate.ts FOLDER [--limit PEOPLE]`, FOLDER holding one folder of photographs per
 * person. Every photograph goes through the terminal's own pipeline; scores of different people become the curve from
 * score to false-match rate that models/embedder.json wants under "calibration", and scores of the same person say what
 * that costs in false non-matches (ISO/IEC 19795-1). Prints the JSON on standard output, everything else on standard error.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { systemClock } from '../src-main/clock.ts';
import { loadManifests } from '../src-main/vision/manifest.ts';
import { Pipeline } from '../src-main/vision/pipeline.ts';
import { rasterOf } from '../src-main/vision/resample.ts';

/** Photographs are brought to this width first, so that small ones pass the limits on size that a terminal's frames do. */
const WIDTH_PX = 640;
/** Rates at which the curve has points, as log10; the smallest still has ten pairs behind it in a million. */
const LEVELS = [-0.3, -1, -1.5, -2, -2.5, -3, -3.5, -4, -4.5, -5];

interface Template {
  readonly person: number;
  readonly embedding: Float32Array;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string' }, threads: { type: 'string', default: '2' } },
});
const folder = positionals[0];
if (!folder) {
  console.error('usage: node scripts/calibrate.ts FOLDER [--limit PEOPLE] [--threads N]');
  process.exit(2);
}
const root = join(import.meta.dirname, '..');
const pipeline = await Pipeline.open({
  manifests: await loadManifests(join(root, 'models')),
  weightsDir: join(root, '.cache', 'models'),
  threads: Number(values.threads),
  clock: systemClock,
});

const people = (await readdir(folder)).sort().slice(0, Number(values.limit ?? Number.POSITIVE_INFINITY));
const templates: Template[] = [];
const refused = new Map<string, number>();
let photographs = 0;
for (const [person, name] of people.entries()) {
  for (const file of await readdir(join(folder, name))) {
    const { embedding, why } = await embed(join(folder, name, file));
    photographs++;
    if (embedding) templates.push({ person, embedding });
    else refused.set(why, (refused.get(why) ?? 0) + 1);
  }
  if (person % 100 === 99) console.error(`${person + 1} of ${people.length} people`);
}
await pipeline.close();

const impostor: number[] = [];
const genuine: number[] = [];
for (let i = 0; i < templates.length; i++) {
  for (let j = 0; j < i; j++) {
    const same = templates[i]!.person === templates[j]!.person;
    (same ? genuine : impostor).push(cosine(templates[i]!.embedding, templates[j]!.embedding));
  }
}
const ranked = Float64Array.from(impostor).sort().reverse();
const points = LEVELS.map((log10Fmr) => ({ level: log10Fmr, rank: Math.floor(10 ** log10Fmr * ranked.length) }))
  .filter(({ rank }) => rank >= 10)
  .map(({ level, rank }) => ({ score: round(ranked[rank]!, 4), log10Fmr: level }))
  .sort((one, other) => one.score - other.score);
// Rule of three (J. A. Hanley, A. Lippman-Hand, JAMA 249(13), 1983): no event in n trials bounds the rate at 3/n with 95 %.
// The measured tail bends down (log FMR is concave in the score), so its last segment, drawn on, over-states the rate. It is
// drawn on this far past the data and no further.
const EXTRAPOLATED_DECADES = 2;
const floorLog10Fmr = round(Math.log10(3 / ranked.length) - EXTRAPOLATED_DECADES, 2);

console.error(`photographs ${photographs}, templates ${templates.length}, refused ${JSON.stringify([...refused])}`);
console.error(`pairs: impostor ${impostor.length}, genuine ${genuine.length}`);
console.error(`highest impostor scores: ${[...ranked.slice(0, 10)].map((score) => round(score, 3)).join(' ')}`);
for (const { score, log10Fmr } of points) {
  const missed = genuine.filter((value) => value < score).length;
  console.error(`FMR 1e${log10Fmr} at ${score}: FNMR ${((100 * missed) / genuine.length).toFixed(2)} %`);
}
const measured = `${templates.length} photographs of ${new Set(templates.map((template) => template.person)).size} people, ${impostor.length} impostor and ${genuine.length} genuine pairs, through this pipeline`;
console.log(JSON.stringify({ measured, points, floorLog10Fmr, safetyFactor: 3 }, null, 2));

async function embed(file: string): Promise<{ embedding: Float32Array | null; why: string }> {
  const image = sharp(file).resize(WIDTH_PX, WIDTH_PX, { fit: 'inside' }).removeAlpha().ensureAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const raster = rasterOf(width, height, data);
  const seen = await pipeline.look({ width, height, sequence: 0, capturedAtMs: 0, raster, embedding: true });
  const face = seen.chosen === null ? undefined : seen.faces[seen.chosen];
  return { embedding: face?.embedding ?? null, why: face?.quality?.problems[0] ?? seen.hint ?? 'no face' };
}

function cosine(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i]! * other[i]!;
  return sum;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
