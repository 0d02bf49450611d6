/** Transactions as they were recorded, parsed again on their way out. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { Money, Service, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { JournaledTransaction } from './journal.ts';

const DetailJson = z.record(z.string(), z.unknown());

export function transactionReader(db: Database) {
  const columns = 'transaction_id, service, person_id, amount_minor, currency, detail, begun_at';
  const one = db.prepare<[string], TransactionRow>(`SELECT ${columns} FROM transactions WHERE transaction_id = ?`);
  // UUIDv7 sorts by time, but only to the millisecond: begun_at first, then the id.
  const newest = db.prepare<[number], TransactionRow>(
    `SELECT ${columns} FROM transactions ORDER BY begun_at DESC, transaction_id DESC LIMIT ?`,
  );
  // CROSS: SQLite would read all of history in the order that is asked for, and look each up among the few that are open.
  const open = db.prepare<[], TransactionRow>(
    `SELECT ${columns} FROM open_transactions CROSS JOIN transactions USING (transaction_id)
     ORDER BY begun_at, transaction_id`,
  );
  const events = db.prepare<[string], { number: number; state: string; detail: string; final: number; at: number }>(
    'SELECT number, state, detail, final, at FROM transaction_events WHERE transaction_id = ? ORDER BY number',
  );
  const whole = (row: TransactionRow): JournaledTransaction => {
    const recorded = events.all(row.transaction_id).map((event) => ({
      number: event.number,
      state: event.state,
      detail: DetailJson.parse(JSON.parse(event.detail)),
      final: event.final === 1,
      at: WallTimeMs.parse(event.at),
    }));
    const last = recorded.at(-1);
    return {
      transactionId: Uuid.parse(row.transaction_id),
      service: Service.parse(row.service),
      personId: Uuid.nullable().parse(row.person_id),
      amount: row.amount_minor === null ? null : Money.parse({ amountMinor: row.amount_minor, currency: row.currency }),
      detail: DetailJson.parse(JSON.parse(row.detail)),
      begunAt: WallTimeMs.parse(row.begun_at),
      state: last?.state ?? 'begun',
      final: last?.final ?? false,
      events: recorded,
    };
  };
  return {
    one: (transactionId: string): JournaledTransaction | null => {
      const row = one.get(transactionId);
      return row ? whole(row) : null;
    },
    newest: (limit: number): JournaledTransaction[] => newest.all(limit).map(whole),
    open: (): JournaledTransaction[] => open.all().map(whole),
  };
}

interface TransactionRow {
  readonly transaction_id: string;
  readonly service: string;
  readonly person_id: string | null;
  readonly amount_minor: number | null;
  readonly currency: string | null;
  readonly detail: string;
  readonly begun_at: number;
}
