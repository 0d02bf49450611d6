/**
 * What a device remembers without power: one JSON file, replaced as a whole. A new content is written beside the old one,
 * flushed and renamed over it, and the folder is flushed, so that a kill at any moment leaves the old content or the new one.
 * A file that does not parse is never replaced by a fresh one: it may be the only record of where notes are.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export class StateFile<Value> {
  #value: Value;
  readonly #folder: string;
  readonly #path: string;
  readonly #flush: boolean;

  private constructor(folder: string, path: string, value: Value, flush: boolean) {
    this.#folder = folder;
    this.#flush = flush;
    this.#path = path;
    this.#value = value;
  }

  /**
   * Reads `<folder>/<name>.json`, or makes it from `initial`. Throws an Error naming the file, and the field that is wrong.
   * Without `flush` a content survives the process and not the computer's power: for tests, that write a lot.
   */
  static open<Value>(
    folder: string,
    name: string,
    schema: z.ZodType<Value>,
    initial: () => Value,
    { flush = true }: { readonly flush?: boolean } = {},
  ): StateFile<Value> {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name}.json`);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw new Error(`${path} can't be read`, { cause });
      const file = new StateFile(folder, path, initial(), flush);
      file.set(file.#value);
      return file;
    }
    return new StateFile(folder, path, parse(path, text, schema), flush);
  }

  get value(): Value {
    return this.#value;
  }

  /** The new content is durable when this returns. Throws an Error naming the file; the old content then stands. */
  set(value: Value): void {
    const beside = `${this.#path}.new`;
    try {
      const handle = openSync(beside, 'w', 0o600);
      try {
        writeFileSync(handle, `${JSON.stringify(value)}\n`);
        if (this.#flush) fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(beside, this.#path);
      if (this.#flush) flushFolder(this.#folder);
    } catch (cause) {
      throw new Error(`${this.#path} can't be written`, { cause });
    }
    this.#value = value;
  }
}

/** Makes a rename durable. Windows can't open a folder, and its file system journals renames by itself. */
function flushFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function parse<Value>(path: string, text: string, schema: z.ZodType<Value>): Value {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is damaged: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new Error(`${path} is damaged: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
