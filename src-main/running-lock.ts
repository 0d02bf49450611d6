/**
 * One process per data directory: two would share a journal, a dispenser and a chain of results. SQLite's lock on a file ends
 * with its process however that ends; a process id in a file outlives a power cut, and after it may name another program.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { TerminalError } from './errors.ts';

/** Beside the lock, for the technician only: which process holds it. */
const HOLDER_FILE = 'running.pid';
/** A database that nothing refers to is collected, and its lock with it. */
const held = new Set<Database.Database>();

/** Returns how to release. Throws ALREADY_RUNNING naming directory and process, or CONFIG_INVALID naming a directory that
 *  cannot be written. */
export function lockData(path: string): () => void {
  const directory = dirname(path);
  const holder = join(directory, HOLDER_FILE);
  let lock: Database.Database | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = new Database(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    writeFileSync(holder, String(process.pid));
    held.add(lock);
  } catch (cause) {
    lock?.close();
    const { code } = cause as { code?: unknown };
    if (code === 'SQLITE_BUSY') {
      throw new TerminalError('ALREADY_RUNNING', `${directory} is in use by process ${holderIn(holder)}`, { cause });
    }
    throw new TerminalError('CONFIG_INVALID', `the data directory ${directory} cannot be locked (${String(code)})`, {
      cause,
    });
  }
  return () => {
    rmSync(holder, { force: true });
    lock.close();
    held.delete(lock);
  };
}

/** The lock is taken before the note is written, so for a moment there is none. */
function holderIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return 'unknown';
  }
}
