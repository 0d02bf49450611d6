/**
 * Kysely on PGlite. PGlite is one PostgreSQL session; Kysely's own dialect hands that session to everyone at once, so that
 * two transactions under way would share their BEGIN and COMMIT. Here a connection is held by one at a time, in order of
 * asking, and the line has an end.
 */
import type { PGlite } from '@electric-sql/pglite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import { PgliteSession } from './pglite-session.ts';

/** Requests that may wait for the one session. Beyond it the bank says it is unavailable rather than answer too late. */
export const PGLITE_QUEUE_MAX = 500;

/** SQLSTATE 53300, too_many_connections: what PostgreSQL says in the same situation. */
class TooManyWaitingError extends Error {
  readonly code = '53300';
}

export function pgliteDialect(pglite: PGlite): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PgliteDriver(pglite),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PgliteDriver implements Driver {
  readonly #pglite: PGlite;
  readonly #session: PgliteSession;
  readonly #connection: DatabaseConnection;
  readonly #waiting: (() => void)[] = [];
  #held = false;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
    const session = new PgliteSession(pglite);
    this.#session = session;
    this.#connection = {
      async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
        const { rows, affected } = await session.query(query.sql, query.parameters);
        return { rows: rows as R[], numAffectedRows: BigInt(affected) };
      },
      streamQuery() {
        throw new Error('PGlite cannot stream: read in pages');
      },
    };
  }

  async init(): Promise<void> {
    await this.#pglite.waitReady;
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (!this.#held) {
      this.#held = true;
      return this.#connection;
    }
    if (this.#waiting.length >= PGLITE_QUEUE_MAX) {
      throw new TooManyWaitingError(`${PGLITE_QUEUE_MAX} requests wait for the database already`);
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#held = false;
  }

  async beginTransaction(): Promise<void> {
    await this.#session.run('begin');
  }

  async commitTransaction(): Promise<void> {
    // COMMIT of a failed transaction rolls back and reports success; any other statement says 25P02 first, and ends the query.
    await this.#session.run('select 1; commit');
  }

  async rollbackTransaction(): Promise<void> {
    await this.#session.run('rollback');
  }

  async destroy(): Promise<void> {
    if (!this.#pglite.closed) await this.#pglite.close();
  }
}
