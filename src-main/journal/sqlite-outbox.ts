import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { Uuid } from '../../src-contract/primitives.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Alarm } from './journal.ts';
import { type Outbox, OutboxMessage, type QueuedMessage, type QueuedResult, ResultMessage } from './outbox.ts';
import type { CommittingStorage } from './storage.ts';

interface Row {
  readonly id: number;
  readonly kind: string;
  readonly idempotency_key: string;
  readonly body: string;
  readonly attempts: number;
  readonly next_attempt_at: number;
  readonly last_error: string | null;
}

const DeadLetterRow = z.strictObject({
  id: z.int(),
  kind: z.string(),
  idempotencyKey: Uuid,
  reason: z.string(),
  at: z.int(),
});

/** Longest text of an error that is kept with a row. */
const ERROR_LENGTH_MAX = 500;

export interface SqliteOutbox extends Outbox {
  /** Queues within the caller's SQL transaction. Throws, and so undoes it, when a message does not fit its schema.
   *  @param transactionId what it is about; null for what is about none. */
  enqueue(message: OutboxMessage | ResultMessage, transactionId: Uuid | null): void;
}

export function sqliteOutbox(
  db: Database,
  path: string,
  { clock, onAlarm, commit }: { clock: Clock; onAlarm: (alarm: Alarm) => void; commit: CommittingStorage['commit'] },
): SqliteOutbox {
  const insert = db.prepare(
    'INSERT INTO outbox (kind, idempotency_key, body, queued_at, next_attempt_at, transaction_id) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const waiting = (which: string) =>
    db.prepare<[number], Row>(
      `SELECT id, kind, idempotency_key, body, attempts, next_attempt_at, last_error
       FROM outbox WHERE state = 'waiting' AND kind ${which} ORDER BY id LIMIT ?`,
    );
  const waitingResults = waiting("= 'result'");
  const waitingMessages = waiting("<> 'result'");
  const count = db.prepare<[], number>("SELECT count(*) FROM outbox WHERE state = 'waiting'").pluck();
  const isWaiting = db
    .prepare<[string], number>("SELECT 1 FROM outbox WHERE idempotency_key = ? AND state = 'waiting'")
    .pluck();
  const settle = db.prepare<['delivered' | 'dead', number, number]>(
    "UPDATE outbox SET state = ?, settled_at = ? WHERE id = ? AND state = 'waiting'",
  );
  const postpone = db.prepare<[number, string, number]>(
    "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?, last_error = ? WHERE id = ? AND state = 'waiting'",
  );
  const bury = db.prepare<[number, string, number]>(
    'INSERT INTO dead_letters (outbox_id, reason, at) VALUES (?, ?, ?)',
  );
  const kindOf = db.prepare<[number], string>("SELECT kind FROM outbox WHERE id = ? AND state = 'waiting'").pluck();
  const buried = db.prepare(
    `SELECT d.outbox_id AS id, o.kind, o.idempotency_key AS idempotencyKey, d.reason, d.at
     FROM dead_letters d JOIN outbox o ON o.id = d.outbox_id ORDER BY d.outbox_id`,
  );

  const deadLetter = (id: number, reason: string): void => {
    const kind = kindOf.get(id);
    if (kind === undefined) return;
    if (kind === 'result') throw new Error('a match result is never set aside: the chain would have a gap');
    const at = clock.now();
    commit('keeps-books', () => {
      settle.run('dead', at, id);
      bury.run(id, reason.slice(0, ERROR_LENGTH_MAX), at);
    });
    onAlarm({
      kind: 'dead-letter',
      message: `a ${kind} (outbox ${id}) could not be delivered and was set aside: ${reason}`,
    });
  };

  return {
    enqueue: (message, transactionId) => {
      const { kind, body } = (message.kind === 'result' ? ResultMessage : OutboxMessage).parse(message);
      const key =
        'resultId' in body && kind === 'result' ? body.resultId : 'idempotencyKey' in body && body.idempotencyKey;
      const now = clock.now();
      insert.run(kind, key, JSON.stringify(body), now, now, transactionId);
    },
    size: () => count.get() ?? 0,
    results: (limit) =>
      waitingResults.all(limit).map((row): QueuedResult => {
        const parsed = ResultMessage.safeParse(messageOf(row));
        if (parsed.success) return { ...parsed.data, ...stateOf(row) };
        // Not to be stepped over: the ones behind it would be refused by the bank as a gap.
        throw new TerminalError(
          'DATABASE_CORRUPT',
          `the database ${path}: outbox row ${row.id} is no match result any more`,
        );
      }),
    messages: (limit) =>
      waitingMessages.all(limit).flatMap((row): QueuedMessage[] => {
        const parsed = OutboxMessage.safeParse(messageOf(row));
        if (parsed.success) return [{ ...parsed.data, ...stateOf(row) }];
        deadLetter(row.id, `does not fit its schema any more at "${parsed.error.issues[0]?.path.join('.') ?? ''}"`);
        return [];
      }),
    isWaiting: (idempotencyKey) => isWaiting.get(idempotencyKey) !== undefined,
    delivered: (ids) => commit('keeps-books', () => void ids.map((id) => settle.run('delivered', clock.now(), id))),
    failed: (ids, { error, nextAttemptAt }) =>
      commit(
        'keeps-books',
        () => void ids.map((id) => postpone.run(nextAttemptAt, error.slice(0, ERROR_LENGTH_MAX), id)),
      ),
    deadLetter,
    deadLetters: () => z.array(DeadLetterRow).parse(buried.all()),
  };
}

function messageOf(row: Row): unknown {
  try {
    return { kind: row.kind, body: JSON.parse(row.body) };
  } catch {
    return null;
  }
}

function stateOf(row: Row) {
  return {
    id: row.id,
    idempotencyKey: row.idempotency_key,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    lastError: row.last_error,
  };
}
