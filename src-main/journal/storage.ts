/**
 * The journal's way to the disk: every commit goes through here, and what a disk can do to it is told in one place.
 *
 * | the disk            | something new        | what has begun                          | afterwards                       |
 * |---------------------|----------------------|-----------------------------------------|----------------------------------|
 * | is full             | is refused           | ends: the reserve is given up for it    | serves once the reserve is back  |
 * | takes no writes     | is refused           | cannot be written down                  | serves when a write gets through |
 * | … of what has begun | is refused           | is settled by the restart               | needs a restart                  |
 * | failed at a sync    | is refused           | is settled by the restart               | needs a restart                  |
 * | gave back damage    | is refused           | is written, if it can be                | needs a technician               |
 *
 * What has begun and could not be written down stays open in the journal. Nobody is served beside it: the restart asks the devices what
 * happened, as after a power cut.
 */
import type { Database } from 'better-sqlite3';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { translated } from './database.ts';
import type { Room } from './room.ts';

export interface StorageTrouble {
  readonly kind: 'full' | 'unwritable' | 'failed' | 'damaged';
  /** One sentence for the technician. */
  readonly message: string;
}

/** What a commit is for. */
export type Use =
  /** Begins something: only on a sound disk, with the reserve in place. */
  | 'begins'
  /** Belongs to what has begun: the reserve is given up for it. */
  | 'goes-on'
  /** What can be done again: the outbox's own notes, a policy. */
  | 'keeps-books';

export interface Storage {
  /** Null while all is well. */
  readonly trouble: StorageTrouble | null;
  /** Told of every change of `trouble`. Returns how to stop. */
  onChange(listener: (trouble: StorageTrouble | null) => void): () => void;
  /** Tries the disk again, and lays the reserve by. True when something new may begin. */
  tryAgain(): boolean;
  /** Damage was found where nobody looked before. */
  foundDamage(problem: string): void;
}

export interface CommittingStorage extends Storage {
  /** One SQL transaction, taken for writing from its start; on disk when this returns, or undone when it throws. Throws DISK_FULL or
   *  DISK_FAILED for what the disk did, DATABASE_CORRUPT for what is damaged. */
  commit(use: Use, work: () => void): void;
  /** Looks at the disk no more. */
  close(): void;
}

/** Between two tries of a disk in trouble, ms. */
const TRY_AGAIN_MS = 10_000;
/** Troubles that pass by themselves. */
const PASSING: ReadonlySet<StorageTrouble['kind']> = new Set(['full', 'unwritable']);

export function storageOver(
  db: Database,
  { path, room, clock }: { path: string; room: Room; clock: Pick<Clock, 'after'> },
): CommittingStorage {
  const listeners = new Set<(trouble: StorageTrouble | null) => void>();
  let trouble: StorageTrouble | null = null;
  let callOff = () => {};
  const tell = (next: StorageTrouble | null) => {
    if (next?.kind === trouble?.kind) return;
    trouble = next;
    callOff();
    if (next && PASSING.has(next.kind)) callOff = clock.after(TRY_AGAIN_MS, look);
    for (const listener of listeners) listener(next);
  };
  const look = () => {
    if (!tryAgain() && trouble && PASSING.has(trouble.kind)) callOff = clock.after(TRY_AGAIN_MS, look);
  };
  const full = () =>
    tell({ kind: 'full', message: `the disk under ${path} is full: free some space; nothing new is begun until then` });
  if (!room.take(db)) full();

  const inOne = db.transaction((work: () => void) => work());
  const once = (work: () => void): void => {
    try {
      inOne.immediate(work);
    } catch (cause) {
      throw translated(cause, path, 'DATABASE_CORRUPT');
    }
  };
  /** Notes what the disk did, and hands the error on. */
  const noted = (error: unknown): unknown => {
    if (!(error instanceof TerminalError)) return error;
    if (error.code === 'DISK_FULL') full();
    if (error.code === 'DATABASE_CORRUPT') tell({ kind: 'damaged', message: error.message });
    if (error.code === 'DISK_FAILED') {
      // After a sync that failed nobody knows what is on the disk: the kernel may have dropped what it could not write.
      const lost = String((error.cause as { code?: unknown } | undefined)?.code).includes('FSYNC');
      tell({ kind: lost ? 'failed' : 'unwritable', message: error.message });
    }
    return error;
  };
  const refused = ({ kind, message }: StorageTrouble): TerminalError =>
    new TerminalError(kind === 'full' ? 'DISK_FULL' : kind === 'damaged' ? 'DATABASE_CORRUPT' : 'DISK_FAILED', message);

  return {
    get trouble() {
      return trouble;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    commit: (use, work) => {
      if (trouble && (use === 'begins' || trouble.kind === 'failed')) throw refused(trouble);
      try {
        once(work);
      } catch (error) {
        noted(error);
        if (use !== 'goes-on' || !(error instanceof TerminalError)) throw error;
        if (error.code === 'DISK_FULL' && room.held) {
          room.release(db);
          endInTheReserve(work);
        } else if (error.code === 'DISK_FULL' || error.code === 'DISK_FAILED') {
          throw leftOpen(error);
        } else throw error;
      }
    },
    tryAgain,
    foundDamage: (problem) =>
      tell({
        kind: 'damaged',
        message: `the journal ${path} is damaged: ${problem}; keep the file, it is evidence, and call the bank's engineer`,
      }),
    close: () => callOff(),
  };

  function endInTheReserve(work: () => void): void {
    try {
      once(work);
    } catch (error) {
      throw error instanceof TerminalError ? leftOpen(error) : error;
    }
  }

  function leftOpen(error: TerminalError): TerminalError {
    const message = `what has begun could not be written down (${error.message}): restart the terminal once the disk is mended, it settles what is open`;
    tell({ kind: 'failed', message });
    return error;
  }

  function tryAgain(): boolean {
    if (trouble === null) return true;
    if (!PASSING.has(trouble.kind)) return false;
    try {
      // The least that goes all the way to the disk.
      once(
        () => void db.prepare("INSERT INTO meta VALUES ('disk', '') ON CONFLICT (key) DO UPDATE SET value = ''").run(),
      );
    } catch (error) {
      if (!(noted(error) instanceof TerminalError)) throw error;
      return false;
    }
    if (!room.take(db)) {
      full();
      return false;
    }
    tell(null);
    return true;
  }
}
