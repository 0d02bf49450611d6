/** What a technician may see of a journal without opening it for work: read-only, while the terminal runs or not. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { openReadOnly, translated } from './database.ts';

const Inspection = z.strictObject({
  terminalId: z.string().nullable(),
  /** As it was taken, not verified here; null before the first. */
  signedPolicy: z.string().nullable(),
  /** What the terminal keeps of the time (TrustedTime), as it was written; null before the first. */
  times: z.string().nullable(),
  /** Sequence of the last match result; 0 before the first. */
  headSequence: z.int(),
  outbox: z.strictObject({
    waiting: z.int(),
    deadLetters: z.int(),
    /** UTC ms; null when nothing waits. */
    oldestQueuedAt: z.int().nullable(),
    /** Of the oldest that has failed. */
    lastError: z.string().nullable(),
  }),
  openTransactions: z.array(
    z.strictObject({
      transactionId: z.string(),
      service: z.string(),
      state: z.string(),
      begunAt: z.int(),
      /** Why nobody knows how it ended, as was written down when that was found; null for others. */
      why: z.string().nullable(),
    }),
  ),
});
export type Inspection = z.infer<typeof Inspection>;

/** Null when there is no journal yet. Throws DATABASE_CORRUPT naming the file. */
export function inspectJournal(path: string): Inspection | null {
  const db = openReadOnly({ path, unusable: 'DATABASE_CORRUPT' });
  if (!db) return null;
  try {
    const meta = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck();
    return Inspection.parse({
      terminalId: meta.get('terminalId') ?? null,
      signedPolicy: meta.get('signedPolicy') ?? null,
      times: meta.get('times') ?? null,
      headSequence: db.prepare('SELECT coalesce(max(sequence), 0) FROM match_results').pluck().get(),
      outbox: {
        ...(db
          .prepare("SELECT count(*) AS waiting, min(queued_at) AS oldestQueuedAt FROM outbox WHERE state = 'waiting'")
          .get() as object),
        deadLetters: db.prepare('SELECT count(*) FROM dead_letters').pluck().get(),
        lastError:
          db
            .prepare(
              "SELECT last_error FROM outbox WHERE state = 'waiting' AND last_error IS NOT NULL ORDER BY id LIMIT 1",
            )
            .pluck()
            .get() ?? null,
      },
      openTransactions: db
        .prepare(
          `SELECT t.transaction_id AS transactionId, t.service, t.begun_at AS begunAt,
             (SELECT state FROM transaction_events e WHERE e.transaction_id = t.transaction_id ORDER BY number DESC LIMIT 1) AS state,
             (SELECT detail ->> 'why' FROM transaction_events e WHERE e.transaction_id = t.transaction_id AND detail ->> 'why' IS NOT NULL
              ORDER BY number DESC LIMIT 1) AS why
           FROM ${openOf(db)} t ORDER BY t.begun_at, t.transaction_id`,
        )
        .all(),
    });
  } catch (cause) {
    throw translated(cause, path, 'DATABASE_CORRUPT');
  } finally {
    db.close();
  }
}

/** The open ones; found the long way in a journal that an older Kaopass wrote and no newer one has opened yet. */
function openOf(db: Database): string {
  const kept = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'open_transactions'").get() !== undefined;
  return kept
    ? '(SELECT t.* FROM open_transactions CROSS JOIN transactions t USING (transaction_id))'
    : '(SELECT * FROM transactions WHERE transaction_id NOT IN (SELECT transaction_id FROM transaction_events WHERE final = 1))';
}
