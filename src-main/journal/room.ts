/**
 * Room on the disk for what has begun to end. A file of real bytes lies beside the journal and is given up when the disk is full: what
 * a transaction under way still has to write fits into the space that it leaves. A port, so that a test can fill a disk.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { Chance } from '../clock.ts';

export interface Room {
  /** Whether the reserve lies there. */
  readonly held: boolean;
  /** Gives the reserve up. `db` is the journal's own connection, null while it cannot be opened. */
  release(db: Database | null): void;
  /** Lays the reserve by again; false where there is no space for it. */
  take(db: Database): boolean;
}

/** For a journal whose disk cannot be full, such as one of a simulation: nothing is reserved. */
export const NO_RESERVE: Room = { held: true, release: () => {}, take: () => true };

/** A transaction's last events and messages are some ten commits of a few pages each, well below a megabyte, and few transactions are
 *  under way at once; the rest is for a log that cannot be folded into the file while the disk is full. */
export const RESERVE_BYTES = 8 * 2 ** 20;
const CHUNK_BYTES = 64 * 1024;
/** Free beside the reserve before it is laid by again, bytes: less, and it would be given up with the next few commits. */
const MARGIN_BYTES = 4 * 2 ** 20;

/** The reserve of the journal at this path. Takes nothing until take() is called. */
export function reserveFile(journalPath: string, chance: Pick<Chance, 'bytes'>, bytes = RESERVE_BYTES): Room {
  const path = reservePath(journalPath);
  return {
    get held() {
      return statSync(path, { throwIfNoEntry: false })?.size === bytes;
    },
    release: () => rmSync(path, { force: true }),
    take: () => {
      if (statSync(path, { throwIfNoEntry: false })?.size === bytes) return true;
      return lay(path, bytes, chance);
    },
  };
}

export function reservePath(journalPath: string): string {
  return `${journalPath}-reserve`;
}

/** Whether a journal was kept here before: the reserve is laid by once there is a journal, and outlives the loss of it. */
export function hadJournal(journalPath: string): boolean {
  return existsSync(reservePath(journalPath));
}

function lay(path: string, bytes: number, chance: Pick<Chance, 'bytes'>): boolean {
  // Zeros would be no reserve on a file system that stores them as a hole, nor text on one that compresses.
  const chunk = chance.bytes(CHUNK_BYTES);
  let file: number | undefined;
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    if (bavail * bsize < bytes + MARGIN_BYTES) return false;
    file = openSync(path, 'w', 0o600);
    for (let left = bytes; left > 0; left -= chunk.length) writeSync(file, chunk, 0, Math.min(left, chunk.length));
    fsyncSync(file);
    return true;
  } catch {
    // Whatever the reason, there is no reserve; half of one would only be in the way.
    rmSync(path, { force: true });
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
