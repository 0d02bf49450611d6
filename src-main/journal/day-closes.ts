/** What a business day is closed from, and the closes themselves. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { CloseTransaction, DayCloseAnswer, type DayCloseRequest } from '../../src-contract/day-close.ts';
import { Service, Uuid } from '../../src-contract/primitives.ts';
import type { Clock } from '../clock.ts';
import { resultHash } from './result-chain.ts';
import type { SqliteOutbox } from './sqlite-outbox.ts';
import type { CommittingStorage } from './storage.ts';

/** Notes in a cash unit, as its device counts them. */
export const CountedUnit = z.strictObject({
  id: z.string(),
  kind: z.enum(['cashOut', 'cashIn', 'recycle', 'reject', 'retract']),
  denominationMinor: z.int().nonnegative().nullable(),
  count: z.int(),
});
export type CountedUnit = z.infer<typeof CountedUnit>;

/** "mixed" or the denomination in minor units → notes. */
export const Notes = z.record(z.string(), z.int());
export type Notes = Readonly<z.infer<typeof Notes>>;

const Counts = z.strictObject({
  number: z.int().positive(),
  kind: z.enum(['first', 'seen', 'exchange', 'close']),
  units: z.array(CountedUnit),
  changed: Notes,
  endedNumber: z.int().nonnegative(),
  at: z.int(),
});
export type Counts = z.infer<typeof Counts>;

const StoredClose = z.strictObject({
  number: z.int().positive(),
  closeId: Uuid,
  jws: z.string(),
  hash: z.string(),
  transactions: z.array(CloseTransaction),
  at: z.int(),
  /** Null until the bank has answered. */
  answer: DayCloseAnswer.nullable(),
});
export type StoredClose = z.infer<typeof StoredClose>;

/** A transaction that has ended, by its last event. */
const Ended = z.strictObject({
  number: z.int().positive(),
  transactionId: Uuid,
  service: Service,
  state: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type Ended = z.infer<typeof Ended>;

export interface DayCloses {
  /** Newest first. */
  list(limit: number): readonly StoredClose[];
  last(): StoredClose | null;
  /** Number of the transaction that ended last; 0 before the first. */
  endedNumber(): number;
  /** Those that ended above `after`, up to `upTo`, oldest first. */
  ended(range: { readonly after: number; readonly upTo: number; readonly limit: number }): readonly Ended[];
  /** Of one transaction: its ending, or the state it is open in; null when the journal does not have it. */
  standing(
    transactionId: Uuid,
  ): { readonly service: Service; readonly state: string; readonly ended: Ended | null } | null;
  /** Open ones, oldest first. */
  open(): readonly Uuid[];
  /** Named as on their way by a close, and not named as posted since; as they were named. */
  pending(): readonly { readonly transactionId: Uuid; readonly standing: string }[];
  /** What was told to the bank of a transaction's money: the sum, and whether the bank has answered all of it. Null: nothing. */
  told(transactionId: Uuid): { readonly amountMinor: number; readonly posted: boolean } | null;
  /** Stores the close, its counts and its place in the outbox in one commit. */
  record(close: {
    readonly number: number;
    readonly request: DayCloseRequest;
    readonly units: readonly CountedUnit[] | null;
    readonly upTo: number;
  }): void;
  /** What the bank found; the first answer stands. */
  answered(closeId: Uuid, answer: DayCloseAnswer): void;
  counts: {
    last(): Counts | null;
    /** The counts that the next close opens with: those of the last close, or the first ever. */
    opening(): Counts | null;
    /** All after this one, oldest first. */
    since(number: number): readonly Counts[];
    record(counts: Pick<Counts, 'kind' | 'units' | 'changed' | 'endedNumber'>): void;
  };
}

/** Closes of this journal, newest first; -1 for all. */
export function storedCloses(db: Database): (limit: number) => StoredClose[] {
  const closes = db.prepare<[number], Row>(
    `SELECT c.number, c.close_id AS closeId, c.jws, c.hash, c.transactions, c.at, a.answer
     FROM day_closes c LEFT JOIN day_close_answers a USING (close_id) ORDER BY c.number DESC LIMIT ?`,
  );
  return (limit) =>
    closes.all(limit).map((row) =>
      StoredClose.parse({
        ...row,
        transactions: JSON.parse(String(row['transactions'])),
        answer: row['answer'] === null ? null : JSON.parse(String(row['answer'])),
      }),
    );
}

export function dayCloses(
  db: Database,
  { clock, outbox, commit }: { clock: Clock; outbox: SqliteOutbox; commit: CommittingStorage['commit'] },
): DayCloses {
  const insertClose = db.prepare<unknown[]>('INSERT INTO day_closes VALUES (?, ?, ?, ?, ?, ?)');
  const insertAnswer = db.prepare<unknown[]>('INSERT OR IGNORE INTO day_close_answers VALUES (?, ?, ?)');
  const insertCounts = db.prepare<unknown[]>(
    'INSERT INTO cash_counts (kind, units, changed, ended_number, at) VALUES (?, ?, ?, ?, ?)',
  );
  const countColumns = 'number, kind, units, changed, ended_number AS endedNumber, at';
  const lastCounts = db.prepare<[], Row>(`SELECT ${countColumns} FROM cash_counts ORDER BY number DESC LIMIT 1`);
  const openingCounts = db.prepare<[], Row>(
    `SELECT ${countColumns} FROM cash_counts WHERE kind IN ('first', 'close') ORDER BY number DESC LIMIT 1`,
  );
  const countsSince = db.prepare<[number], Row>(
    `SELECT ${countColumns} FROM cash_counts WHERE number > ? ORDER BY number`,
  );
  const endedNumber = db.prepare<[], number>('SELECT coalesce(max(number), 0) FROM ended_transactions').pluck();
  const endedColumns = `n.number, t.transaction_id AS transactionId, t.service, e.state, e.detail
    FROM ended_transactions n CROSS JOIN transactions t USING (transaction_id)
    CROSS JOIN transaction_events e ON e.transaction_id = t.transaction_id AND e.final = 1`;
  const endedIn = db.prepare<[number, number, number], Row>(
    `SELECT ${endedColumns} WHERE n.number > ? AND n.number <= ? ORDER BY n.number LIMIT ?`,
  );
  const endedOne = db.prepare<[string], Row>(`SELECT ${endedColumns} WHERE n.transaction_id = ?`);
  const lastState = db.prepare<[string], { service: string; state: string }>(
    `SELECT t.service, e.state FROM transactions t JOIN transaction_events e USING (transaction_id)
     WHERE transaction_id = ? ORDER BY e.number DESC LIMIT 1`,
  );
  const pending = db.prepare<[], { transactionId: string; standing: string }>(
    'SELECT transaction_id AS transactionId, standing FROM day_close_pending ORDER BY transaction_id',
  );
  const remember = db.prepare<[string, string]>(
    'INSERT INTO day_close_pending VALUES (?, ?) ON CONFLICT (transaction_id) DO UPDATE SET standing = excluded.standing',
  );
  const settle = db.prepare<[string]>('DELETE FROM day_close_pending WHERE transaction_id = ?');
  const openIds = db
    .prepare<[], string>(
      'SELECT transaction_id FROM open_transactions CROSS JOIN transactions USING (transaction_id) ORDER BY begun_at, transaction_id',
    )
    .pluck();
  const told = db.prepare<[string], { amount: number | null; told: number; waiting: number }>(
    `SELECT sum(json_extract(body, '$.amount.amountMinor')) AS amount, count(*) AS told, sum(state <> 'delivered') AS waiting
     FROM outbox WHERE transaction_id = ? AND kind IN ('capture', 'deposit', 'stand-in', 'count')`,
  );

  const list = storedCloses(db);
  const counts = (row: Row | undefined): Counts | null =>
    row
      ? Counts.parse({ ...row, units: JSON.parse(String(row['units'])), changed: JSON.parse(String(row['changed'])) })
      : null;
  const ended = (row: Row): Ended => Ended.parse({ ...row, detail: JSON.parse(String(row['detail'])) });

  return {
    list,
    last: () => list(1)[0] ?? null,
    endedNumber: () => endedNumber.get() ?? 0,
    ended: ({ after, upTo, limit }) => endedIn.all(after, upTo, limit).map(ended),
    standing: (transactionId) => {
      const state = lastState.get(transactionId);
      if (!state) return null;
      const row = endedOne.get(transactionId);
      return { service: Service.parse(state.service), state: state.state, ended: row ? ended(row) : null };
    },
    open: () => openIds.all().map((one) => Uuid.parse(one)),
    pending: () =>
      pending.all().map(({ transactionId, standing }) => ({ transactionId: Uuid.parse(transactionId), standing })),
    told: (transactionId) => {
      const row = told.get(transactionId);
      return row && row.told > 0 ? { amountMinor: row.amount ?? 0, posted: row.waiting === 0 } : null;
    },
    record: ({ number, request, units, upTo }) =>
      commit('begins', () => {
        const { idempotencyKey, close, transactions } = request;
        insertClose.run(number, idempotencyKey, close, resultHash(close), JSON.stringify(transactions), clock.now());
        for (const { transactionId, standing } of transactions) {
          if (standing === 'posted') settle.run(transactionId);
          else remember.run(transactionId, standing);
        }
        if (units) insertCounts.run('close', JSON.stringify(units), '{}', upTo, clock.now());
        outbox.enqueue({ kind: 'day-close', body: request }, null);
      }),
    answered: (closeId, answer) =>
      commit(
        'keeps-books',
        () => void insertAnswer.run(closeId, JSON.stringify(DayCloseAnswer.parse(answer)), clock.now()),
      ),
    counts: {
      last: () => counts(lastCounts.get()),
      opening: () => counts(openingCounts.get()),
      since: (number) => countsSince.all(number).flatMap((row) => counts(row) ?? []),
      record: ({ kind, units, changed, endedNumber: by }) =>
        commit(
          'keeps-books',
          () => void insertCounts.run(kind, JSON.stringify(units), JSON.stringify(changed), by, clock.now()),
        ),
    },
  };
}

type Row = Record<string, unknown>;
