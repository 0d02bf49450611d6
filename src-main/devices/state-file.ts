/**
 * What a device or its driver remembers without power: one JSON file, replaced as a whole. A new content is written beside the
 * old one, flushed, and renamed over it, and then the folder is flushed (rename is atomic on POSIX file systems), so a kill
 * at any moment leaves either the old content or the new one. A file that does not parse is never replaced by a fresh one:
 * it may be the only record of where notes are.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { TerminalError } from '../errors.ts';

export class StateFile<Value> {
  #value: Value;
  readonly #path: string;

  private constructor(path: string, value: Value) {
    this.#path = path;
    this.#value = value;
  }

  /** Reads the file, or makes it from `initial` when there is none. Throws DEVICE_FAILED naming the file and the field. */
  static open<Value>(path: string, schema: z.ZodType<Value>, initial: () => Value): StateFile<Value> {
    mkdirSync(dirname(path), { recursive: true });
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new TerminalError('DEVICE_FAILED', `${path} can't be read`, { cause });
      }
      const file = new StateFile(path, initial());
      file.#write(file.#value);
      return file;
    }
    return new StateFile(path, parse(path, text, schema));
  }

  get value(): Value {
    return this.#value;
  }

  /** The new content is durable when this returns. On a failed write the old one stands, in memory and on disk. */
  set(value: Value): void {
    this.#write(value);
    this.#value = value;
  }

  #write(value: Value): void {
    try {
      replaceFile(this.#path, `${JSON.stringify(value, null, 1)}\n`);
    } catch (cause) {
      throw new TerminalError('DEVICE_FAILED', `${this.#path} can't be written`, { cause });
    }
  }
}

/** A kill at any moment leaves the old content or the new one, and the new one is durable when this returns. Readable by its owner alone. */
export function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`;
  const handle = openSync(beside, 'w', 0o600);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, path);
  flushFolder(dirname(path));
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
    throw new TerminalError('DEVICE_FAILED', `${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new TerminalError('DEVICE_FAILED', `${path}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
