/**
 * A SQLite file opened so that a commit is on disk when it returns: write-ahead log, synchronous=FULL
 * (https://sqlite.org/pragma.html#pragma_synchronous: "FULL" in WAL mode syncs the log after each transaction), foreign
 * keys on. Checked before it is used and migrated step by step. Nothing is ever deleted to make a file usable.
 *
 * All checks are made through a connection that cannot write. A log that a power cut left behind is read with the file, as SQLite
 * does, but nothing of it reaches the file before the two together were found whole: a refused file and its log stay as they were.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { type ErrorCode, TerminalError } from '../errors.ts';

export interface Migration {
  /** 1, 2, 3 … without gaps; the file's number. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export interface DatabaseOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Marks what kind of file this is (PRAGMA application_id), so that one is never taken for another. */
  readonly applicationId: number;
  /** The code of a file that cannot be used. */
  readonly unusable: Extract<ErrorCode, 'DATABASE_CORRUPT' | 'GALLERY_UNREADABLE'>;
  readonly now: () => number;
  /** Largest file, with its log, of which every page is checked before it is used, bytes. Any, when not given. */
  readonly checkedWholeUpTo?: number;
  /** Of a new file; an old one keeps what it has. SQLite's own choice, when not given. */
  readonly pageBytes?: number;
  /** Further checks, before anything can be written; throws what it finds. `whole`: every page was checked. */
  readonly examine?: (db: Database.Database, whole: boolean) => void;
}

/** Longest wait for another process (a technician's `kaopass status`) that holds the file, ms. */
const BUSY_TIMEOUT_MS = 2_000;

/** Opens, checks and migrates. Throws `unusable` or DATABASE_NEWER, naming the file; then file and log are as they were. */
export function openDatabase(options: DatabaseOptions): Database.Database {
  const { path, unusable } = options;
  let db: Database.Database | undefined;
  try {
    const examined = examineUntouched(options);
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    if (!examined) examine(db, options);
    if (options.pageBytes) db.pragma(`page_size = ${options.pageBytes}`);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    migrate(db, options);
    return db;
  } catch (cause) {
    db?.close();
    const known = translated(cause, path, unusable);
    if (!(known instanceof Database.SqliteError) || known.code.startsWith('SQLITE_BUSY')) throw known;
    throw new TerminalError(
      unusable,
      `the database ${path} is not what it should be: ${known.message}; keep the file`,
      {
        cause,
      },
    );
  }
}

/** Bytes of file and log together. */
export function databaseBytes(path: string): number {
  return [path, logOf(path)].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Opens to look only; null when the file is not there. Throws `unusable` when it is no such database. */
export function openReadOnly(options: Pick<DatabaseOptions, 'path' | 'unusable'>): Database.Database | null {
  if (!existsSync(options.path)) return null;
  try {
    const db = new Database(options.path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    db.pragma('schema_version');
    return db;
  } catch (cause) {
    throw translated(cause, options.path, options.unusable);
  }
}

/** SQLite's word for a damaged file, or for a disk that will not have it, becomes the terminal's; anything else stays what it is. */
export function translated(cause: unknown, path: string, unusable: DatabaseOptions['unusable']): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  const { code } = cause;
  const told = (as: ErrorCode, what: string) => new TerminalError(as, `${path} ${what}`, { cause });
  if (code === 'SQLITE_FULL') return told('DISK_FULL', 'cannot be written, the disk is full: nothing was changed');
  // https://sqlite.org/rescode.html: what goes wrong while writing says nothing against what is there already.
  if (/^SQLITE_(READONLY|IOERR_(WRITE|FSYNC|DIR_FSYNC|TRUNCATE|LOCK|UNLOCK|RDLOCK|DELETE|SHM))/.test(code)) {
    return told('DISK_FAILED', `cannot be written (${code}): the disk is read-only, or it fails`);
  }
  if (!/^SQLITE_(CORRUPT|NOTADB|CANTOPEN|IOERR)/.test(code)) return cause;
  return new TerminalError(
    unusable,
    `the database ${path} cannot be used (${code}): nothing was changed; keep the file for whoever looks into it`,
    { cause },
  );
}

/** False when there was nothing to look at yet, or only who may write can look: the file was cut off while it was made. */
function examineUntouched(options: DatabaseOptions): boolean {
  if (!existsSync(options.path)) return false;
  const db = new Database(options.path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    examine(db, options);
    return true;
  } catch (cause) {
    // Before it is in WAL mode a new file has a rollback journal, which must be played back first.
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_READONLY_ROLLBACK') return false;
    throw cause;
  } finally {
    db.close();
  }
}

function examine(db: Database.Database, options: DatabaseOptions): void {
  const { path, applicationId, unusable, migrations, checkedWholeUpTo = Number.POSITIVE_INFINITY } = options;
  const refuse = (what: string) =>
    new TerminalError(unusable, `the database ${path} ${what}; nothing was changed: keep it and ${logOf(path)}`);
  const missing = missingPages(db, path);
  if (missing > 0) throw refuse(`is cut short: ${missing} of its pages are in neither file nor log`);
  const whole = databaseBytes(path) <= checkedWholeUpTo;
  if (whole) {
    const found = db.pragma('integrity_check(1)', { simple: true });
    if (found !== 'ok') throw refuse(`is damaged: ${String(found)}`);
  }
  if (db.pragma('schema_version', { simple: true }) === 0) return;
  const id = db.pragma('application_id', { simple: true });
  if (id !== applicationId) throw refuse(`is of another kind (application id ${String(id)})`);
  const applied = appliedMigration(db);
  const newest = migrations.at(-1)?.number ?? 0;
  if (applied > newest) {
    throw new TerminalError(
      'DATABASE_NEWER',
      `the database ${path} was written by a newer Kaopass (schema ${applied}, this one knows ${newest}): install that one`,
    );
  }
  if (applied > 0) options.examine?.(db, whole);
}

function appliedMigration(db: Database.Database): number {
  return db.prepare<[], number>('SELECT max(number) FROM schema_migrations').pluck().get() ?? 0;
}

function logOf(path: string): string {
  return `${path}-wal`;
}

/**
 * Pages that the database counts and nobody holds. SQLite itself refuses a file that is shorter than its header says, but not when a
 * log says how long the whole is: then what the file lacks reads as zeros until something stumbles over it.
 */
function missingPages(db: Database.Database, path: string): number {
  const pageSize = Number(db.pragma('page_size', { simple: true }));
  const pageCount = Number(db.pragma('page_count', { simple: true }));
  const inFile = Math.floor(statSync(path).size / pageSize);
  if (inFile >= pageCount) return 0;
  const inLog = pagesInLog(logOf(path), pageSize);
  let missing = 0;
  for (let page = inFile + 1; page <= pageCount; page++) if (!inLog.has(page)) missing++;
  return missing;
}

/** Numbers of the pages in a write-ahead log (https://sqlite.org/fileformat.html#walformat): a header of 32 bytes, then frames of 24
 *  bytes and a page. Frames of an earlier use of the file have another salt. */
function pagesInLog(path: string, pageSize: number): ReadonlySet<number> {
  const pages = new Set<number>();
  if (!existsSync(path)) return pages;
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(32);
    if (readSync(file, header, 0, 32, 0) < 32) return pages;
    const frame = Buffer.alloc(24);
    for (let at = 32; readSync(file, frame, 0, 24, at) === 24; at += 24 + pageSize) {
      if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
      pages.add(frame.readUInt32BE(0));
    }
    return pages;
  } finally {
    closeSync(file);
  }
}

function migrate(db: Database.Database, { migrations, applicationId, now }: DatabaseOptions): void {
  if (db.pragma('schema_version', { simple: true }) === 0) {
    // The application id travels in the same commit as the first table: a file has both or neither.
    db.transaction(() => {
      db.pragma(`application_id = ${applicationId}`);
      db.exec(`CREATE TABLE schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
    }).immediate();
  }
  const applied = appliedMigration(db);
  for (const migration of migrations.filter(({ number }) => number > applied)) {
    db.transaction(() => {
      db.exec(migration.sql);
      db.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?)').run(migration.number, migration.name, now());
    }).immediate();
  }
}
