/**
 * The one session of a PGlite, spoken to as fast as it can answer. PGlite's own `query` sends each message of the extended query
 * protocol by itself and has every statement parsed and planned anew; here a statement that changes or reads rows is prepared once,
 * and from then on runs by one round of messages (PostgreSQL manual, "Frontend/Backend Protocol", extended query). Measured: a
 * third to a fifth of the time.
 */
import { type PGlite, protocol } from '@electric-sql/pglite';

const { serialize } = protocol;
/** Statements kept prepared; the one used longest ago gives way. Some 20 KiB each. */
export const PREPARED_MAX = 300;
/** What is worth preparing, and what changes the tables under prepared statements. */
const ROWS = /^\s*(select|insert|update|delete|with)\b/i;
const TABLES = /^\s*(create|alter|drop)\b/i;

export interface Rows {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows an insert, update or delete touched, or a select returned. */
  readonly affected: number;
}

type Messages = Awaited<ReturnType<PGlite['execProtocolStream']>>;
type Field = { readonly name: string; readonly dataTypeID: number };

interface Prepared {
  readonly name: string;
  readonly parameterTypes: readonly number[];
  /** PostgreSQL refuses to run it once the tables give other columns. */
  readonly fields: readonly Field[];
}

export class PgliteSession {
  readonly #pglite: PGlite;
  /** By their text, the one used last at the end. */
  readonly #prepared = new Map<string, Prepared>();
  #named = 0;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  /**
   * One statement with its parameters. Whoever calls it holds the session: nothing else is under way in it.
   *
   * @throws the database's error, with its SQLSTATE as `code`; the session goes on, a db transaction in it has failed.
   */
  async query(text: string, parameters: readonly unknown[]): Promise<Rows> {
    if (!ROWS.test(text)) {
      if (TABLES.test(text)) await this.#forgetAll();
      const { rows, affectedRows } = await this.#pglite.query<Record<string, unknown>>(text, [...parameters]);
      return { rows, affected: affectedRows ?? 0 };
    }
    return this.#pglite.runExclusive(async () => {
      const { name, parameterTypes, fields } = await this.#prepare(text);
      const values = parameters.map((value, at) => this.#written(value, parameterTypes[at]));
      return this.#read(fields, await this.#send(serialize.bind({ statement: name, values }), serialize.execute({})));
    });
  }

  /**
   * Statements without parameters whose rows nobody wants, as one simple query: PGlite's own `exec` takes half as long again, and
   * four times as long in a young process. Whoever calls it holds the session.
   *
   * @throws the first error of the database; what comes after the statement that failed has not run.
   */
  async run(text: string): Promise<void> {
    // PGlite itself looks only in `query` and `exec`, and a statement sent to one that is closed says nothing sensible.
    if (this.#pglite.closed) throw new Error('PGlite is closed');
    await this.#pglite.runExclusive(() => this.#pglite.execProtocolStream(serialize.query(text), { syncToFs: false }));
  }

  async #prepare(text: string): Promise<Prepared> {
    const known = this.#prepared.get(text);
    if (known) {
      this.#prepared.delete(text);
      this.#prepared.set(text, known);
      return known;
    }
    const [oldest] = this.#prepared;
    if (oldest && this.#prepared.size >= PREPARED_MAX) {
      this.#prepared.delete(oldest[0]);
      await this.#send(serialize.close({ type: 'S', name: oldest[1].name }));
    }
    // Never the same name twice: one whose description failed may still be there.
    this.#named += 1;
    const name = `s${this.#named}`;
    const messages = await this.#send(serialize.parse({ name, text }), serialize.describe({ type: 'S', name }));
    const parameters = messages.find((message) => message instanceof protocol.messages.ParameterDescriptionMessage);
    const rows = messages.find((message) => message instanceof protocol.messages.RowDescriptionMessage);
    const prepared = { name, parameterTypes: parameters?.dataTypeIDs ?? [], fields: rows?.fields ?? [] };
    this.#prepared.set(text, prepared);
    return prepared;
  }

  async #forgetAll(): Promise<void> {
    if (this.#prepared.size === 0) return;
    this.#prepared.clear();
    await this.#pglite.exec('deallocate all');
  }

  /** The messages and a Sync as one, so that an error in the middle leaves the session ready for the next. */
  async #send(...messages: readonly Uint8Array[]): Promise<Messages> {
    const bytes = Buffer.concat([...messages, serialize.sync()]);
    return this.#pglite.execProtocolStream(bytes, { syncToFs: false });
  }

  #written(value: unknown, type: number | undefined): string | null {
    if (value === null || value === undefined) return null;
    const write = type === undefined ? undefined : this.#pglite.serializers[type];
    return write ? write(value) : String(value);
  }

  #read(fields: readonly Field[], messages: Messages): Rows {
    const rows: Record<string, unknown>[] = [];
    let affected = 0;
    for (const message of messages) {
      if (message instanceof protocol.messages.DataRowMessage) rows.push(this.#row(fields, message.fields));
      else if (message instanceof protocol.messages.CommandCompleteMessage) {
        affected = Number(/\d+$/.exec(message.text)?.[0] ?? 0);
      }
    }
    return { rows, affected };
  }

  #row(fields: readonly Field[], texts: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    fields.forEach(({ name, dataTypeID }, at) => {
      const text = texts[at] ?? null;
      const read = this.#pglite.parsers[dataTypeID];
      row[name] = text === null || !read ? text : read(text, dataTypeID);
    });
    return row;
  }
}
