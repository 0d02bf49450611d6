/** The people of an evaluation: one folder of photographs each, as Labeled Faces in the Wild is laid out. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EvaluationError } from './problem.ts';

export interface Photograph {
  /** Index into `people`. */
  readonly person: number;
  /** Below the folder of images: person/file. */
  readonly name: string;
}

export interface People {
  readonly people: readonly string[];
  readonly photographs: readonly Photograph[];
}

const IMAGE = /\.(jpe?g|png|webp|tiff?|avif)$/i;

/** What is in a folder, in the order of names. Throws EvaluationError naming the folder where it cannot be read. */
export async function entriesOf(folder: string): Promise<{ images: string[]; folders: string[] }> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const names = (which: (typeof entries)[number][]) => which.map(({ name }) => name);
    return {
      images: names(entries.filter((entry) => !entry.isDirectory() && IMAGE.test(entry.name))),
      folders: names(entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))),
    };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'no such folder' : code === 'ENOTDIR' ? 'is a file, not a folder' : String(code);
    throw new EvaluationError(`${folder}: ${why}`, { cause });
  }
}

/** Every photograph below the folder. Throws EvaluationError where there is no folder of a person with an image in it. */
export async function peopleIn(folder: string): Promise<People> {
  const { images, folders } = await entriesOf(folder);
  const people: string[] = [];
  const photographs: Photograph[] = [];
  for (const name of folders) {
    const found = (await entriesOf(join(folder, name))).images;
    if (found.length === 0) continue;
    for (const file of found) photographs.push({ person: people.length, name: `${name}/${file}` });
    people.push(name);
  }
  if (people.length < 2) {
    const hint =
      images.length > 0 ? `; ${images.length} images lie in it directly, and nothing says whose they are` : '';
    throw new EvaluationError(
      `${folder}: found ${people.length} folders of a person with images, two are needed${hint}`,
    );
  }
  return { people, photographs };
}
