/**
 * One SQL database: PGlite in the bank's own process by default, PostgreSQL by one setting. Both speak the same SQL, so
 * nothing else in the bank knows which it is. PGlite does not fsync: it survives the end of the process, not of the power.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import Sqlite from 'better-sqlite3';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Chance, Clock } from '../clock.ts';
import { StartError } from '../problem.ts';
import { isTransient } from './failures.ts';
import { pgliteDialect } from './pglite-dialect.ts';
import type { Tables } from './tables.ts';

export type DatabaseSettings =
  /** directory null: in memory, gone at close; or `opened`, a PGlite of the caller's that the bank closes. */
  | { readonly kind: 'pglite'; readonly directory: string | null; readonly opened?: PGlite }
  | { readonly kind: 'postgresql'; readonly url: string };

export type DbTransaction = Transaction<Tables>;

export interface Database {
  readonly kind: DatabaseSettings['kind'];
  readonly db: Kysely<Tables>;
  /**
   * Runs the body in one db transaction; what it throws rolls everything back. A deadlock or serialisation failure runs
   * it again from the start, at most {@link ATTEMPTS} times in all: the body must have no effect outside the database.
   */
  transact<T>(body: (tx: DbTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const ATTEMPTS = 5;
/** Grows linearly: 20, 40, 60, 80 ms and up to as much again by chance, 400 ms in all at most. */
const RETRY_DELAY_MS = 20;
/** PostgreSQL: longest wait for a connection, for a lock and for one statement. Together under the 15 s a request may take. */
const CONNECT_TIMEOUT_MS = 3_000;
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const POOL_MAX = 10;
const INT8_OID = 20;

function int8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an int8 beyond 2^53 in the database');
  return value;
}

/** How a PGlite must read int8 to be the bank's. */
export const PGLITE_PARSERS = { [INT8_OID]: int8 };

/** Opens without migrating. Throws a StartError that says what is wrong with the database. */
export async function openDatabase(
  settings: DatabaseSettings,
  { clock, chance, onIdleError }: { clock: Clock; chance: Chance; onIdleError: (error: Error) => void },
): Promise<Database> {
  const opened =
    settings.kind === 'pglite' ? await openPglite(settings) : await openPostgres(settings.url, onIdleError);
  const { db } = opened;
  return {
    kind: settings.kind,
    db,
    async transact(body) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await db.transaction().setIsolationLevel('read committed').execute(body);
        } catch (error) {
          if (attempt >= ATTEMPTS || !isTransient(error)) throw error;
          const spread = (chance.bytes(1)[0] ?? 0) / 256;
          await clock.sleep(RETRY_DELAY_MS * attempt * (1 + spread));
        }
      }
    },
    async close() {
      await db.destroy();
      opened.release();
    },
  };
}

interface Opened {
  readonly db: Kysely<Tables>;
  /** After the database is closed. */
  release(): void;
}

async function openPglite({ directory, opened }: Extract<DatabaseSettings, { kind: 'pglite' }>): Promise<Opened> {
  const release = directory === null ? () => {} : lockDirectory(directory);
  let pglite: PGlite | undefined;
  try {
    pglite =
      opened ??
      (await PGlite.create({
        ...(directory === null ? {} : { dataDir: join(directory, 'pglite') }),
        parsers: PGLITE_PARSERS,
      }));
    await pglite.query('select 1');
  } catch (error) {
    release();
    throw new StartError(
      `the database in ${directory} cannot be opened, it is damaged or of another version: restore it from a backup (${firstLine(error)})`,
      { cause: error },
    );
  }
  return { db: new Kysely<Tables>({ dialect: pgliteDialect(pglite) }), release };
}

/**
 * PGlite has no lock of its own, and two processes in one directory destroy it. SQLite's lock on a file ends with the
 * process however that ends, which a file with a process id in it does not.
 */
function lockDirectory(directory: string): () => void {
  let lock: Sqlite.Database | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    lock = new Sqlite(join(directory, 'bank.lock'), { timeout: 0 });
    lock.exec('begin exclusive');
  } catch (error) {
    lock?.close();
    const taken = (error as { code?: unknown }).code === 'SQLITE_BUSY';
    const reason = taken ? 'is in use by another bank' : `cannot be written: ${firstLine(error)}`;
    throw new StartError(`the data directory ${directory} ${reason}`, { cause: error });
  }
  return () => lock.close();
}

async function openPostgres(url: string, onIdleError: (error: Error) => void): Promise<Opened> {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    application_name: 'kaopass-bank',
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID ? int8 : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  });
  // Without a listener an idle connection that breaks ends the process.
  pool.on('error', onIdleError);
  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw new StartError(`the PostgreSQL database cannot be reached: ${firstLine(error)}`, { cause: error });
  }
  return { db: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }), release: () => {} };
}

function firstLine(error: unknown): string {
  const text =
    error instanceof Error ? error.message || ((error as { code?: string }).code ?? error.name) : String(error);
  return text.split('\n')[0] ?? '';
}
