/** Whether the error rates differ between groups of people: at one threshold for all, as a terminal has it. */
import { readFile } from 'node:fs/promises';
import { within } from './calibration.ts';
import { type Limits, wilson } from './intervals.ts';
import { EvaluationError } from './problem.ts';
import { fmrAbove, type Scores } from './scores.ts';

/** The rate at which groups are compared. */
export const GROUP_FMR = 1e-3;

/** What is said of the people: an attribute ("age") and each person's value, undefined where nothing is said. */
export interface Labels {
  readonly attribute: string;
  readonly values: ReadonlyMap<string, string>;
}

export interface Group {
  readonly name: string;
  readonly people: number;
  readonly genuinePairs: number;
  readonly fnmr: number | null;
  readonly fnmrLimits: Limits | null;
  /** Between people of the same group, who are mistaken for each other first. */
  readonly impostorPairs: number;
  readonly fmr: number | null;
}

export interface Attribute {
  readonly attribute: string;
  readonly fmr: number;
  readonly threshold: number;
  readonly groups: readonly Group[];
  /** The group with the highest rate, and how many times the rate of all it is; null where none has pairs or all is 0. */
  readonly worstFnmr: { readonly group: string; readonly ratio: number | null } | null;
  readonly worstFmr: { readonly group: string; readonly ratio: number | null } | null;
}

/** A table "person,attribute,…" (RFC 4180 without quotes), one line a person. Throws EvaluationError naming file and line. */
export function parseLabels(text: string, file: string): Labels[] {
  const lines = text.split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const [first = '', ...attributes] = (lines[0] ?? '').split(',').map((field) => field.trim());
  if (first !== 'person' || attributes.length === 0 || attributes.includes(''))
    throw new EvaluationError(`${file}, line 1: expected "person,attribute" and more attributes after commas`);
  const values = attributes.map(() => new Map<string, string>());
  for (const [i, line] of lines.slice(1).entries()) {
    const fields = line.split(',').map((field) => field.trim());
    const person = fields[0]!;
    if (fields.length !== attributes.length + 1 || person === '')
      throw new EvaluationError(`${file}, line ${i + 2}: expected ${attributes.length + 1} fields`);
    if (values[0]!.has(person)) throw new EvaluationError(`${file}, line ${i + 2}: ${person} is there twice`);
    for (const [k, value] of fields.slice(1).entries()) values[k]!.set(person, value);
  }
  return attributes.map((attribute, k) => ({ attribute, values: values[k]! }));
}

/** Reads the table. Throws EvaluationError, also when it says nothing of any of the people. */
export async function readLabels(file: string, people: readonly string[]): Promise<Labels[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new EvaluationError(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  const labels = parseLabels(text, file);
  if (!people.some((person) => labels[0]!.values.has(person)))
    throw new EvaluationError(`${file}: names none of the ${people.length} people`);
  return labels;
}

export function byGroup(
  scores: Scores,
  threshold: number,
  people: readonly string[],
  photographs: Uint32Array,
  labels: readonly Labels[],
): Attribute[] {
  return labels.map(({ attribute, values }) => {
    const groupOf = people.map((person) => values.get(person) || null);
    const names = [...new Set(groupOf)].filter((name) => name !== null).sort();
    const groups = names.map((name): Group => {
      let genuinePairs = 0;
      let missed = 0;
      for (const [k, person] of scores.genuine.people.entries()) {
        if (groupOf[person] !== name) continue;
        genuinePairs++;
        if (scores.genuine.scores[k]! <= threshold) missed++;
      }
      const inside = within(scores.impostors, photographs, (person) => groupOf[person] === name);
      return {
        name,
        people: groupOf.filter((group) => group === name).length,
        genuinePairs,
        fnmr: genuinePairs === 0 ? null : missed / genuinePairs,
        fnmrLimits: genuinePairs === 0 ? null : wilson(missed, genuinePairs),
        impostorPairs: inside.count,
        fmr: inside.count === 0 ? null : fmrAbove(inside, threshold),
      };
    });
    const all = scores.genuine.scores.filter((score) => score <= threshold).length / scores.genuine.scores.length;
    return {
      attribute,
      fmr: GROUP_FMR,
      threshold,
      groups,
      worstFnmr: worst(groups, ({ fnmr }) => fnmr, all),
      worstFmr: worst(groups, ({ fmr }) => fmr, fmrAbove(scores.impostors, threshold)),
    };
  });
}

function worst(groups: readonly Group[], rateOf: (group: Group) => number | null, all: number) {
  let highest: { group: string; rate: number } | null = null;
  for (const group of groups) {
    const rate = rateOf(group);
    if (rate !== null && (!highest || rate > highest.rate)) highest = { group: group.name, rate };
  }
  return highest && { group: highest.group, ratio: all > 0 ? highest.rate / all : null };
}
