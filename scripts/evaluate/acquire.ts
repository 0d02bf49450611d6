/** From photographs to templates, through the terminal's own pipeline, or to a counted failure to acquire. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseFace } from '../../src-main/vision/detections.ts';
import type { Observation } from '../../src-main/vision/observation.ts';
import { type Cache, digestOf } from './cache.ts';
import { type Picture, pictureOf } from './frame.ts';
import type { Photograph } from './people.ts';
import type { Templates } from './templates.ts';

const Answer = z.strictObject({
  outcome: z.enum(['face', 'no-face', 'unreadable']),
  /** Why the terminal would not compare this face; empty where it would. */
  problems: z.array(z.string()),
  stageMs: z.record(z.string(), z.number()),
});
type Answer = z.infer<typeof Answer>;

export interface Acquired {
  readonly templates: Templates;
  /** Per photograph the index of its template, −1 where there is none. */
  readonly templateOf: Int32Array;
  /** Per template whether the terminal would have compared it. */
  readonly good: Uint8Array;
  readonly noFace: number;
  readonly unreadable: readonly string[];
  /** First reason why the terminal would not compare, and how often. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Ms, in every photograph that was looked at. */
  readonly stageMs: ReadonlyMap<string, readonly number[]>;
  /** Two photographs of different people with the same content. */
  readonly copies: readonly (readonly [string, string])[];
}

export interface Acquiring {
  readonly folder: string;
  readonly dimensions: number;
  /** Of everything an answer depends on but the image. */
  readonly pipelineDigest: string;
  readonly cache: Cache;
  /** The middle face of a picture, embedded whatever its quality. */
  readonly look: (picture: Picture) => Promise<Observation>;
  readonly onProgress: (done: number, fromCache: number) => void;
}

/** Pictures that are read and decoded while another is looked at: what memory this takes is theirs. */
const AHEAD = 4;

interface Prepared {
  readonly contentDigest: string;
  readonly known: { readonly answer: Answer; readonly vector: Float32Array | null } | null;
  readonly picture: Picture | null;
}

export async function acquire(photographs: readonly Photograph[], options: Acquiring): Promise<Acquired> {
  const { dimensions, onProgress } = options;
  const count = photographs.length;
  const values = new Float32Array(count * dimensions);
  const people = new Uint32Array(count);
  const good = new Uint8Array(count);
  const templateOf = new Int32Array(count).fill(-1);
  const refusals: Record<string, number> = {};
  const stageMs = new Map<string, number[]>();
  const unreadable: string[] = [];
  const copies: [string, string][] = [];
  const seen = new Map<string, number>();
  let templates = 0;
  let noFace = 0;
  let fromCache = 0;

  const ahead: Promise<Prepared>[] = [];
  let next = 0;
  const prefetch = () => {
    while (next < count && ahead.length < AHEAD) {
      const prepared = prepare(photographs[next++]!, options);
      // Whoever waits for it sees the failure; until then it is not one nobody handles.
      prepared.catch(() => undefined);
      ahead.push(prepared);
    }
  };
  for (const [i, { person, name }] of photographs.entries()) {
    prefetch();
    const prepared = await ahead.shift()!;
    prefetch();
    const { contentDigest } = prepared;
    const twin = seen.get(contentDigest);
    if (twin !== undefined && photographs[twin]!.person !== person) copies.push([photographs[twin]!.name, name]);
    seen.set(contentDigest, i);
    if (prepared.known) fromCache++;
    const { answer, vector } = prepared.known ?? (await lookAt(prepared, options));
    for (const [stage, ms] of Object.entries(answer.stageMs)) {
      const list = stageMs.get(stage);
      if (list) list.push(ms);
      else stageMs.set(stage, [ms]);
    }
    if (answer.outcome === 'unreadable') unreadable.push(name);
    if (answer.outcome === 'no-face') noFace++;
    if (vector) {
      values.set(vector, templates * dimensions);
      people[templates] = person;
      const [why] = answer.problems;
      if (why === undefined) good[templates] = 1;
      else refusals[why] = (refusals[why] ?? 0) + 1;
      templateOf[i] = templates++;
    }
    onProgress(i + 1, fromCache);
  }
  return {
    templates: {
      count: templates,
      dimensions,
      values: values.subarray(0, templates * dimensions),
      people: people.slice(0, templates),
    },
    templateOf,
    good: good.slice(0, templates),
    noFace,
    unreadable,
    refusals,
    stageMs,
    copies,
  };
}

async function prepare({ name }: Photograph, options: Acquiring): Promise<Prepared> {
  const bytes = await readFile(join(options.folder, name)).catch(() => new Uint8Array(0));
  const contentDigest = digestOf(bytes);
  const found = options.cache.find(digestOf(options.pipelineDigest, contentDigest));
  const answer = Answer.safeParse(found?.answer);
  const whole = answer.success && (answer.data.outcome === 'face') === (found?.vector?.length === options.dimensions);
  if (found && whole) return { contentDigest, known: { answer: answer.data, vector: found.vector }, picture: null };
  return { contentDigest, known: null, picture: await pictureOf(bytes, 'whole') };
}

async function lookAt({ contentDigest, picture }: Prepared, options: Acquiring) {
  let answer: Answer = { outcome: 'unreadable', problems: [], stageMs: {} };
  let vector: Float32Array | null = null;
  if (picture) {
    const observation = await options.look(picture);
    const { faces, chosen, stageMs } = observation;
    const face = chosen === null ? undefined : faces[chosen];
    vector = face?.embedding ?? null;
    const several = chooseFace(faces) === chosen ? [] : ['several-faces'];
    const problems = face ? [...several, ...(face.quality?.problems ?? [])] : [];
    answer = { outcome: vector ? 'face' : 'no-face', problems, stageMs: { ...stageMs } };
  }
  options.cache.keep(digestOf(options.pipelineDigest, contentDigest), answer, vector);
  return { answer, vector };
}
