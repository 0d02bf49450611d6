/**
 * Lists of comparisons in the formats of Labeled Faces in the Wild (G. Huang et al., UMass Amherst TR 07-49, 2007): pairsDevTrain.txt
 * ("n", then n lines of one person and n of two) and pairs.txt ("folds n", then as much for each fold). A line is "name i j" for two
 * photographs of one person, "name i name j" for two people; photograph i of a name is name/name_000i.jpg.
 */
import { readFile } from 'node:fs/promises';
import { entriesOf, type People, type Photograph } from './people.ts';
import { EvaluationError } from './problem.ts';

interface Named {
  readonly person: string;
  readonly photograph: number;
}

export interface NamedPair {
  readonly fold: number;
  readonly same: boolean;
  readonly one: Named;
  readonly other: Named;
  /** Of the file, from 1. */
  readonly line: number;
}

export interface PairList {
  readonly folds: number;
  readonly pairs: readonly NamedPair[];
}

/** A comparison between two of the photographs, by index. */
export interface Pair {
  readonly fold: number;
  readonly same: boolean;
  readonly one: number;
  readonly other: number;
}

/** Throws EvaluationError naming file and line. */
export function parsePairs(text: string, file: string): PairList {
  const lines = text.split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const wrong = (at: number, what: string) => new EvaluationError(`${file}, line ${at + 1}: ${what}`);
  if (lines.length === 0) throw new EvaluationError(`${file}: is empty`);
  const head = lines[0]!.trim().split(/\s+/);
  if (head.length > 2 || !head.every((field) => /^[1-9]\d{0,6}$/.test(field)))
    throw wrong(0, `"${lines[0]}" is neither "pairs" nor "folds pairs"`);
  const [folds, each] = head.length === 2 ? [Number(head[0]), Number(head[1])] : [1, Number(head[0])];
  const wanted = 1 + folds * 2 * each;
  if (lines.length !== wanted)
    throw new EvaluationError(`${file}: has ${lines.length} lines, its first line promises ${wanted}`);
  const number = (field: string, at: number) => {
    if (!/^\d{1,6}$/.test(field)) throw wrong(at, `"${field}" is no number of a photograph`);
    return Number(field);
  };
  const pairs = lines.slice(1).map((line, i): NamedPair => {
    const same = i % (2 * each) < each;
    const fold = Math.floor(i / (2 * each));
    const at = i + 1;
    // Names are folders, which may have blanks in them where the fields are parted by tabs.
    const fields = line.includes('\t') ? line.split('\t').map((field) => field.trim()) : line.trim().split(/\s+/);
    if (fields.length !== (same ? 3 : 4))
      throw wrong(at, same ? 'expected "name i j", two photographs of one person' : 'expected "name i name j"');
    const [person = '', second = '', third = '', fourth = ''] = fields;
    const one = { person, photograph: number(second, at) };
    const other = same ? { person, photograph: number(third, at) } : { person: third, photograph: number(fourth, at) };
    if (!same && one.person === other.person) throw wrong(at, `compares ${one.person} with themselves as a stranger`);
    if (same && one.photograph === other.photograph) throw wrong(at, 'compares a photograph with itself');
    return { fold, same, one, other, line: at + 1 };
  });
  return { folds, pairs };
}

/** Reads and parses the list. Throws EvaluationError. */
export async function readPairs(file: string): Promise<PairList> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new EvaluationError(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  return parsePairs(text, file);
}

/** Only what the list names, found below the folder. Throws EvaluationError for an image that is not there. */
export async function findPairs(
  list: PairList,
  folder: string,
  file: string,
): Promise<People & { readonly pairs: readonly Pair[] }> {
  const people: string[] = [];
  const photographs: Photograph[] = [];
  const personAt = new Map<string, { index: number; images: ReadonlyMap<number, string> }>();
  const photographAt = new Map<string, number>();
  await entriesOf(folder);
  const personOf = async (name: string) => {
    const known = personAt.get(name);
    if (known) return known;
    if (name.includes('/') || name.includes('\\') || name.startsWith('.')) return null;
    const { images } = await entriesOf(`${folder}/${name}`).catch(() => ({ images: [] as string[] }));
    const numbered = images.flatMap((image): [number, string][] => {
      const number = /_(\d+)\.[a-z]+$/i.exec(image)?.[1];
      return number !== undefined && image.startsWith(`${name}_`) ? [[Number(number), image]] : [];
    });
    const found = { index: people.length, images: new Map(numbered) };
    people.push(name);
    personAt.set(name, found);
    return found;
  };
  const missing: string[] = [];
  const photographOf = async ({ person, photograph }: Named, line: number): Promise<number> => {
    const key = `${person}/${photograph}`;
    const known = photographAt.get(key);
    if (known !== undefined) return known;
    const found = await personOf(person);
    const image = found?.images.get(photograph);
    if (!found || image === undefined) {
      missing.push(`line ${line}: no ${person}/${person}_${String(photograph).padStart(4, '0')}.jpg`);
      return -1;
    }
    photographAt.set(key, photographs.length);
    return photographs.push({ person: found.index, name: `${person}/${image}` }) - 1;
  };
  const pairs: Pair[] = [];
  for (const { fold, same, one, other, line } of list.pairs)
    pairs.push({ fold, same, one: await photographOf(one, line), other: await photographOf(other, line) });
  if (missing.length > 0) {
    const more = missing.length > 5 ? ` … and ${missing.length - 5} more` : '';
    throw new EvaluationError(
      `${file} names images that are not below ${folder}: ${missing.slice(0, 5).join('; ')}${more}`,
    );
  }
  return { people, photographs, pairs };
}
