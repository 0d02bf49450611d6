/**
 * A SQLite file opened so that a commit is on disk when it returns: write-ahead log, synchronous=FULL
 * (https://sqlite.org/pragma.html#pragma_synchronous: "FULL" in WAL mode syncs the log after each transaction), foreign
 * keys on. Checked before it is used and migrated step by step. Nothing is ever deleted to make a file usable.
 */
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
}

/** Longest wait for another process (a technician's `kaopass status`) that holds the file, ms. */
const BUSY_TIMEOUT_MS = 2_000;

/** Opens, checks and migrates. Throws `unusable` or DATABASE_NEWER, naming the file; then the file is as it was. */
export function openDatabase(options: DatabaseOptions): Database.Database {
  const { path, unusable } = options;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    checkIntegrity(db, options);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    migrate(db, options);
    return db;
  } catch (cause) {
    db?.close();
    throw translated(cause, path, unusable);
  }
}

/** Opens to look only; null when the file is not there. Throws `unusable` when it is no such database. */
export function openReadOnly(options: Pick<DatabaseOptions, 'path' | 'unusable'>): Database.Database | null {
  try {
    const db = new Database(options.path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    db.pragma('schema_version');
    return db;
  } catch (cause) {
    if (cause instanceof Database.SqliteError && cause.code === 'SQLITE_CANTOPEN') return null;
    throw translated(cause, options.path, options.unusable);
  }
}

/** SQLite's word for a damaged file becomes the terminal's; anything else stays what it is. */
export function translated(cause: unknown, path: string, unusable: DatabaseOptions['unusable']): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause;
  if (!/^SQLITE_(CORRUPT|NOTADB|CANTOPEN|IOERR)/.test(cause.code)) return cause;
  return new TerminalError(
    unusable,
    `the database ${path} cannot be used (${cause.code}): nothing was changed; keep the file for whoever looks into it`,
    { cause },
  );
}

function checkIntegrity(db: Database.Database, { path, applicationId, unusable }: DatabaseOptions): void {
  const found = db.pragma('integrity_check(1)', { simple: true });
  if (found !== 'ok') {
    throw new TerminalError(unusable, `the database ${path} is damaged: ${String(found)}; nothing was changed`);
  }
  const id = db.pragma('application_id', { simple: true });
  const empty = db.pragma('schema_version', { simple: true }) === 0;
  if (!empty && id !== applicationId) {
    throw new TerminalError(unusable, `the database ${path} is of another kind (application id ${String(id)})`);
  }
}

function migrate(db: Database.Database, { path, migrations, applicationId, now }: DatabaseOptions): void {
  if (db.pragma('schema_version', { simple: true }) === 0) {
    // The application id travels in the same commit as the first table: a file has both or neither.
    db.transaction(() => {
      db.pragma(`application_id = ${applicationId}`);
      db.exec(`CREATE TABLE schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
    }).immediate();
  }
  const applied = db.prepare<[], number>('SELECT max(number) FROM schema_migrations').pluck().get() ?? 0;
  const newest = migrations.at(-1)?.number ?? 0;
  if (applied > newest) {
    throw new TerminalError(
      'DATABASE_NEWER',
      `the database ${path} was written by a newer Kaopass (schema ${applied}, this one knows ${newest}): install that one`,
    );
  }
  for (const migration of migrations.filter(({ number }) => number > applied)) {
    db.transaction(() => {
      db.exec(migration.sql);
      db.prepare('INSERT INTO schema_migrations VALUES (?, ?, ?)').run(migration.number, migration.name, now());
    }).immediate();
  }
}
