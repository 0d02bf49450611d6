/**
 * A sync that fails at the end of a commit (SQLITE_IOERR_FSYNC). No file system here fails one when asked to, so the commit does what
 * SQLite does then: the transaction is rolled back and the error has this code (https://sqlite.org/rescode.html#ioerr_fsync).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { manualClock } from '../host/manual-clock.fixture.ts';
import { NO_RESERVE } from './room.ts';
import { storageOver } from './storage.ts';

let dir: string;
let db: Database.Database;
/** The code with which the next commit fails; null: none does. */
let failsWith: string | null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-sync-'));
  db = new Database(join(dir, 'journal.sqlite'));
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL); CREATE TABLE events (state TEXT)');
  failsWith = null;
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

/** The database, on a disk that fails at the end of a commit. */
const onFailingDisk = () =>
  new Proxy(db, {
    get: (target, name) => {
      if (name === 'transaction') {
        return (work: (...given: unknown[]) => void) => ({
          immediate: (...given: unknown[]) => {
            if (failsWith === null) return target.transaction(work).immediate(...given);
            target.exec('BEGIN IMMEDIATE');
            work(...given);
            target.exec('ROLLBACK');
            throw new Database.SqliteError('disk I/O error', failsWith);
          },
        });
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
const writes = (state: string) => () => void db.prepare('INSERT INTO events VALUES (?)').run(state);
const states = () => db.prepare('SELECT state FROM events').pluck().all();

test.each(['SQLITE_IOERR_FSYNC', 'SQLITE_IOERR_DIR_FSYNC'])(
  '%s is DISK_FAILED, and nothing is written any more until a restart, for nobody knows what the disk has',
  async (code) => {
    const clock = manualClock();
    const storage = storageOver(onFailingDisk(), { path: 'journal.sqlite', room: NO_RESERVE, clock });
    storage.commit('begins', writes('begun'));
    const told: (string | undefined)[] = [];
    storage.onChange((trouble) => told.push(trouble?.kind));
    failsWith = code;
    expect(() => storage.commit('begins', writes('lost'))).toThrowError(
      expect.objectContaining({ code: 'DISK_FAILED' }),
    );
    expect(storage.trouble).toMatchObject({ kind: 'failed', message: expect.stringContaining(code) });
    failsWith = null;
    // The disk takes writes again, and that proves nothing of what it took before.
    await clock.advance(600_000);
    expect(storage.tryAgain()).toBe(false);
    for (const use of ['begins', 'goes-on', 'keeps-books'] as const) {
      expect(() => storage.commit(use, writes(use))).toThrowError(expect.objectContaining({ code: 'DISK_FAILED' }));
    }
    expect(states()).toEqual(['begun']);
    expect(told).toEqual(['failed']);
    storage.close();
  },
);

test('a write that fails is tried again, and passes', async () => {
  const clock = manualClock();
  const storage = storageOver(onFailingDisk(), { path: 'journal.sqlite', room: NO_RESERVE, clock });
  failsWith = 'SQLITE_IOERR_WRITE';
  expect(() => storage.commit('begins', writes('lost'))).toThrowError(expect.objectContaining({ code: 'DISK_FAILED' }));
  expect(storage.trouble).toMatchObject({ kind: 'unwritable' });
  failsWith = null;
  await clock.advance(60_000);
  expect(storage.trouble).toBeNull();
  storage.commit('begins', writes('begun'));
  expect(states()).toEqual(['begun']);
  storage.close();
});
