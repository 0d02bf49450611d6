/**
 * A journal read from outside, while its terminal runs or not: read-only, row by row, so that a million transactions take no more
 * memory than one. Rows are parsed on their way out; what does not fit is said with its place, not passed on.
 */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { Service, Uuid } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import { openReadOnly, translated } from './database.ts';
import { journalMigrations } from './migrations/migrations.ts';

export interface ListFilter {
  /** UTC ms, of the beginning; from this one on, and before that one. */
  readonly since?: number;
  readonly until?: number;
  readonly service?: Service;
  /** Of the last event. */
  readonly state?: string;
  /** Without a final event. */
  readonly open?: boolean;
  /** Open, and last "suspect". */
  readonly suspect?: boolean;
}

const TransactionRow = z.strictObject({
  transactionId: Uuid,
  service: Service,
  personId: Uuid.nullable(),
  amountMinor: z.int().nonnegative().nullable(),
  currency: z.string().nullable(),
  begunAt: z.int(),
  /** Of the last event. */
  state: z.string(),
  final: z.boolean(),
  /** Of the last event, UTC ms. */
  at: z.int(),
  events: z.int().positive(),
});
export type TransactionRow = z.infer<typeof TransactionRow>;

const EventRow = z.strictObject({
  transactionId: Uuid,
  number: z.int().positive(),
  state: z.string(),
  final: z.boolean(),
  at: z.int(),
  detail: z.record(z.string(), z.unknown()),
});
export type EventRow = z.infer<typeof EventRow>;

const MessageRow = z.strictObject({
  id: z.int(),
  kind: z.string(),
  idempotencyKey: Uuid,
  transactionId: Uuid.nullable(),
  state: z.enum(['waiting', 'delivered', 'dead']),
  queuedAt: z.int(),
  attempts: z.int().nonnegative(),
  /** Why the last attempt failed, or why it was set aside; null where nothing failed. */
  lastError: z.string().nullable(),
  settledAt: z.int().nullable(),
  body: z.record(z.string(), z.unknown()),
});
export type MessageRow = z.infer<typeof MessageRow>;

const ResultRow = z.strictObject({ sequence: z.int().positive(), resultId: Uuid, jws: z.string(), at: z.int() });
export type ResultRow = z.infer<typeof ResultRow>;

/** A row that does not fit what this version writes. */
export interface UnfitRow {
  readonly unfit: string;
}
export type Read<Row> = Row | UnfitRow;

export interface JournalReading {
  readonly db: Database;
  /** Null before the terminal was activated. */
  readonly terminalId: string | null;
  list(filter: ListFilter, limit: number | null): IterableIterator<Read<TransactionRow>>;
  transaction(transactionId: string): Read<TransactionRow> | null;
  /** Of one transaction, or of all in the order of the transactions' beginning. */
  events(transactionId?: string): IterableIterator<Read<EventRow>>;
  messages(transactionId?: string): IterableIterator<Read<MessageRow>>;
  results(transactionId?: string): IterableIterator<Read<ResultRow>>;
  close(): void;
}

const EVENT_COLUMNS = 'transaction_id AS transactionId, number, state, detail, final, at';
const MESSAGE_COLUMNS = `o.id, o.kind, o.idempotency_key AS idempotencyKey, o.transaction_id AS transactionId, o.state, o.queued_at AS queuedAt,
  o.attempts, coalesce(d.reason, o.last_error) AS lastError, o.settled_at AS settledAt, o.body`;
const RESULT_COLUMNS = 'm.sequence, m.result_id AS resultId, m.jws, m.at';

/** Null when there is no journal at this path. Throws DATABASE_CORRUPT naming the file; for one that this version's terminal has not
 *  yet opened, CONFIG_INVALID. */
export function readJournal(path: string): JournalReading | null {
  const db = openReadOnly({ path, unusable: 'DATABASE_CORRUPT' });
  if (!db) return null;
  try {
    ofThisVersion(db, path);
    return readingOver(db, path);
  } catch (cause) {
    db.close();
    throw translated(cause, path, 'DATABASE_CORRUPT');
  }
}

function ofThisVersion(db: Database, path: string): void {
  const kind = db.prepare("SELECT count(*) FROM sqlite_schema WHERE name IN ('schema_migrations', 'match_results')");
  if (kind.pluck().get() !== 2) throw new TerminalError('DATABASE_CORRUPT', `the database ${path} is no journal`);
  const applied = db.prepare<[], number>('SELECT max(number) FROM schema_migrations').pluck().get() ?? 0;
  const known = journalMigrations.length;
  if (applied > known) {
    throw new TerminalError('DATABASE_NEWER', `the journal ${path} was written by a newer Kaopass: use that one's`);
  }
  if (applied < known) {
    throw new TerminalError(
      'CONFIG_INVALID',
      `the journal ${path} was written by an older Kaopass (schema ${applied} of ${known}): use that one's, or start the terminal once`,
    );
  }
}

function readingOver(db: Database, path: string): JournalReading {
  const rows = function* <Row>(
    schema: z.ZodType<Row>,
    named: string,
    sql: string,
    values: readonly unknown[] = [],
  ): IterableIterator<Read<Row>> {
    try {
      for (const row of db.prepare(sql).iterate(...values))
        yield fitting(schema, named, row as Record<string, unknown>);
    } catch (cause) {
      throw translated(cause, path, 'DATABASE_CORRUPT');
    }
  };
  const one = `SELECT t.transaction_id AS transactionId, t.service, t.person_id AS personId, t.amount_minor AS amountMinor, t.currency,
      t.begun_at AS begunAt, e.state, e.final, e.at, e.number AS events
    FROM transactions t JOIN transaction_events e ON e.transaction_id = t.transaction_id
      AND e.number = (SELECT max(number) FROM transaction_events WHERE transaction_id = t.transaction_id)`;
  return {
    db,
    terminalId: db.prepare<[], string>("SELECT value FROM meta WHERE key = 'terminalId'").pluck().get() ?? null,
    list: (filter, limit) => {
      const [where, values] = conditions(filter);
      const sql = `${one} ${where} ORDER BY t.begun_at DESC, t.transaction_id DESC LIMIT ?`;
      return rows(TransactionRow, 'transaction', sql, [...values, limit ?? -1]);
    },
    transaction: (transactionId) => {
      const [found] = rows(TransactionRow, 'transaction', `${one} WHERE t.transaction_id = ?`, [transactionId]);
      return found ?? null;
    },
    events: (transactionId) =>
      transactionId === undefined
        ? rows(EventRow, 'event', `SELECT ${EVENT_COLUMNS} FROM transaction_events ORDER BY transaction_id, number`)
        : rows(
            EventRow,
            'event',
            `SELECT ${EVENT_COLUMNS} FROM transaction_events WHERE transaction_id = ? ORDER BY number`,
            [transactionId],
          ),
    messages: (transactionId) => {
      const from = `SELECT ${MESSAGE_COLUMNS} FROM outbox o LEFT JOIN dead_letters d ON d.outbox_id = o.id WHERE o.kind <> 'result'`;
      return transactionId === undefined
        ? rows(MessageRow, 'message', `${from} ORDER BY o.id`)
        : rows(MessageRow, 'message', `${from} AND o.transaction_id = ? ORDER BY o.id`, [transactionId]);
    },
    results: (transactionId) =>
      transactionId === undefined
        ? rows(ResultRow, 'result', `SELECT ${RESULT_COLUMNS} FROM match_results m ORDER BY sequence`)
        : rows(
            ResultRow,
            'result',
            `SELECT ${RESULT_COLUMNS} FROM outbox o JOIN match_results m ON m.result_id = o.idempotency_key
             WHERE o.transaction_id = ? AND o.kind = 'result' ORDER BY sequence`,
            [transactionId],
          ),
    close: () => void db.close(),
  };
}

function conditions({ since, until, service, state, open, suspect }: ListFilter): [where: string, values: unknown[]] {
  const given: [condition: string, value?: unknown][] = [];
  if (since !== undefined) given.push(['t.begun_at >= ?', since]);
  if (until !== undefined) given.push(['t.begun_at < ?', until]);
  if (service !== undefined) given.push(['t.service = ?', service]);
  if (state !== undefined) given.push(['e.state = ?', state]);
  if (suspect) given.push(["e.state = 'suspect'"]);
  if (open || suspect) given.push(['t.transaction_id IN (SELECT transaction_id FROM open_transactions)']);
  const where = given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`;
  return [where, given.flatMap(([, ...value]) => value)];
}

/** SQLite has no truth values and no JSON: they are made of what it has. */
function fitting<Row>(schema: z.ZodType<Row>, named: string, row: Record<string, unknown>): Read<Row> {
  const { final, detail, body, ...rest } = row;
  const parsed = schema.safeParse({
    ...rest,
    ...(final === undefined ? {} : { final: final === 1 }),
    ...(detail === undefined ? {} : { detail: json(detail) }),
    ...(body === undefined ? {} : { body: json(body) }),
  });
  if (parsed.success) return parsed.data;
  const where = row['transactionId'] ?? row['sequence'] ?? row['id'] ?? 'unknown';
  const field = parsed.error.issues[0]?.path.join('.') || 'row';
  return {
    unfit: `${named} ${String(where)}${row['number'] ? ` number ${row['number']}` : ''}: ${field} does not fit`,
  };
}

function json(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
