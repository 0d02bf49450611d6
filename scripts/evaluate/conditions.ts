/**
 * How much hard conditions take away: photographs of people of whom there are several are degraded (degrade.ts), looked at as any other,
 * and compared with their untouched ones, at the threshold that untouched strangers set.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseFace } from '../../src-main/vision/detections.ts';
import type { Observation } from '../../src-main/vision/observation.ts';
import { seeded } from '../random.ts';
import { type Cache, digestOf } from './cache.ts';
import { templatesByPerson } from './comparisons.ts';
import { CONDITIONS, type Condition } from './degrade.ts';
import { type Picture, pictureOf } from './frame.ts';
import { type Limits, wilson } from './intervals.ts';
import type { Photograph } from './people.ts';
import { cosine, type Templates } from './templates.ts';

/** The rate at which conditions are compared, on untouched strangers. */
export const CONDITION_FMR = 1e-3;
/** Photographs of a person that are degraded. */
const PROBES_EACH = 2;

export interface ConditionRates {
  readonly name: string;
  readonly strength: string;
  /** Compared with: the untouched photographs, or others under the same condition. */
  readonly reference: 'untouched' | 'the same';
  readonly probes: number;
  readonly people: number;
  readonly noFace: number;
  readonly noFaceLimits: Limits;
  /** Of the faces found, those that the terminal would compare. */
  readonly accepted: number;
  /** What it would say to the others first, and how often, most first. */
  readonly hints: readonly { readonly hint: string; readonly times: number }[];
  /** Of every face that was found; null of none. */
  readonly genuine: number;
  readonly fnmr: number | null;
  readonly limits: Limits | null;
  /** Of faces that the terminal would compare. */
  readonly acceptedGenuine: number;
  readonly acceptedFnmr: number | null;
  /** Share of strangers above the threshold, of every face that was found. */
  readonly fmr: number | null;
}

export interface Measuring {
  readonly folder: string;
  readonly photographs: readonly Photograph[];
  readonly templates: Templates;
  readonly templateOf: Int32Array;
  /** Per template whether the terminal would have compared it. */
  readonly good: Uint8Array;
  readonly threshold: number;
  readonly seed: number;
  readonly pipelineDigest: string;
  readonly cache: Cache;
  readonly look: (picture: Picture) => Promise<Observation>;
  readonly onProgress: (share: number, name: string) => void;
}

const Kept = z.strictObject({ accepted: z.boolean(), hint: z.string().nullable() });
type Kept = z.infer<typeof Kept>;

interface Probe {
  readonly person: number;
  /** Of the untouched photograph. */
  readonly template: number;
  readonly bytes: Uint8Array;
  readonly index: number;
}

interface Seen extends Kept {
  readonly probe: Probe;
  readonly vector: Float32Array | null;
}

const UNTOUCHED: Condition = { name: 'untouched', strength: '–', apply: (picture) => picture };

export async function measureConditions(options: Measuring, conditions = CONDITIONS): Promise<ConditionRates[]> {
  const probes = await probesOf(options);
  const rows: ConditionRates[] = [];
  const all = [UNTOUCHED, ...conditions];
  const landmarks = new Map<Probe, Float32Array>();
  for (const [k, condition] of all.entries()) {
    const seen: Seen[] = [];
    for (const [i, probe] of probes.entries()) {
      seen.push(await seenUnder(condition, probe, probes[(i + 7) % probes.length]!, landmarks, options));
      options.onProgress((k + (i + 1) / probes.length) / all.length, condition.name);
    }
    rows.push(ratesOf(condition, seen, options, 'untouched'));
    // Somebody who always wears one may be enrolled with it.
    if (condition.name === 'mask') rows.push(ratesOf(condition, seen, options, 'the same'));
  }
  return rows;
}

/** Good faces, alone in their photograph, of people of whom there are several. */
async function probesOf({ folder, photographs, templates, templateOf, good }: Measuring): Promise<Probe[]> {
  const several = templatesByPerson(templates.people);
  const taken = new Map<number, number>();
  const probes: Probe[] = [];
  for (const [index, { person, name }] of photographs.entries()) {
    const template = templateOf[index]!;
    if (template < 0 || good[template] !== 1 || several.get(person)!.length < 2) continue;
    const before = taken.get(person) ?? 0;
    if (before >= PROBES_EACH) continue;
    taken.set(person, before + 1);
    probes.push({ person, template, bytes: await readFile(join(folder, name)), index });
  }
  return probes;
}

async function seenUnder(
  condition: Condition,
  probe: Probe,
  other: Probe,
  landmarks: Map<Probe, Float32Array>,
  options: Measuring,
): Promise<Seen> {
  const { cache, pipelineDigest, seed, look } = options;
  const key = digestOf(
    'condition',
    pipelineDigest,
    CODE,
    condition.name,
    condition.strength,
    String(seed),
    probe.bytes,
  );
  const found = cache.find(key);
  const kept = Kept.safeParse(found?.answer);
  if (found && kept.success) return { probe, ...kept.data, vector: found.vector };
  const picture = (await pictureOf(probe.bytes, 'whole'))!;
  const stranger = (await pictureOf(other.bytes, 'whole'))!;
  const points = landmarks.get(probe) ?? faceOf(await look(picture))?.landmarks;
  if (!points) throw new Error(`no face in photograph ${probe.index}, which had one before`);
  landmarks.set(probe, points);
  const degraded = condition.apply(picture, points, seeded(seed + probe.index), stranger);
  const observation = await look(degraded);
  const now = faceOf(observation);
  const alone = observation.faces.length > 0 && chooseFace(observation.faces) === observation.chosen;
  const answer: Kept = {
    accepted: now !== undefined && alone && now.quality?.problems.length === 0,
    hint: alone || observation.faces.length === 0 ? observation.hint : 'one-person-only',
  };
  const vector = now?.embedding ?? null;
  cache.keep(key, answer, vector);
  return { probe, ...answer, vector };
}

const faceOf = ({ faces, chosen }: Observation) => (chosen === null ? undefined : faces[chosen]);
const CODE = digestOf(readFileSync(new URL('./degrade.ts', import.meta.url)));

function ratesOf(
  { name, strength }: Condition,
  seen: readonly Seen[],
  { templates, threshold }: Measuring,
  reference: ConditionRates['reference'],
): ConditionRates {
  const vectors = seen.filter(({ vector }) => vector !== null);
  // Probes first, what they are compared with behind them: one set for the cosine.
  const { dimensions } = templates;
  const behind = reference === 'untouched' ? templates.count : 0;
  const values = new Float32Array((vectors.length + behind) * dimensions);
  for (const [i, { vector }] of vectors.entries()) values.set(vector!, i * dimensions);
  if (behind > 0) values.set(templates.values, vectors.length * dimensions);
  const set: Templates = { count: vectors.length + behind, dimensions, values, people: new Uint32Array(0) };
  const count = { genuine: 0, missed: 0, acceptedGenuine: 0, acceptedMissed: 0, strangers: 0, mistaken: 0 };
  const compare = (one: Seen, i: number, person: number, k: number, accepted: boolean) => {
    const above = cosine(set, i, k) > threshold;
    if (one.probe.person !== person) {
      count.strangers++;
      if (above) count.mistaken++;
      return;
    }
    count.genuine++;
    if (!above) count.missed++;
    if (!accepted) return;
    count.acceptedGenuine++;
    if (!above) count.acceptedMissed++;
  };
  for (const [i, one] of vectors.entries()) {
    if (reference === 'untouched') {
      for (const [k, person] of templates.people.entries())
        if (k !== one.probe.template) compare(one, i, person, vectors.length + k, one.accepted);
    } else
      for (const [k, other] of vectors.slice(0, i).entries())
        compare(one, i, other.probe.person, k, one.accepted && other.accepted);
  }
  const noFace = seen.length - vectors.length;
  const people = new Set(seen.map(({ probe }) => probe.person)).size;
  const hints = new Map<string, number>();
  for (const { accepted, hint } of seen) if (!accepted) hints.set(hint ?? 'none', (hints.get(hint ?? 'none') ?? 0) + 1);
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  const fnmr = share(count.missed, count.genuine);
  return {
    ...{ name, strength, reference, probes: seen.length, people, noFace },
    noFaceLimits: wilson(noFace, seen.length),
    accepted: seen.filter(({ accepted }) => accepted).length,
    hints: [...hints].map(([hint, times]) => ({ hint, times })).sort((a, b) => b.times - a.times),
    genuine: count.genuine,
    fnmr,
    // Pairs share people: as wide as that number of people allows.
    limits: fnmr === null ? null : wilson(fnmr * people, people),
    acceptedGenuine: count.acceptedGenuine,
    acceptedFnmr: share(count.acceptedMissed, count.acceptedGenuine),
    fmr: share(count.mistaken, count.strangers),
  };
}
