/**
 * Whether a journal is whole and what it should be, from the file and the terminal's public key alone: what a bank's auditor asks of a
 * disk on the table. Reads each row once, in bounded memory. Proves what was recorded, not that nothing was cut off its end: only the
 * bank, which has the results and closes, knows how long it was.
 */
import { createHash, type KeyObject } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { DAY_CLOSE_TYP, DayClose } from '../../src-contract/day-close.ts';
import { MATCH_RESULT_TYP, MatchResult } from '../../src-contract/match-result.ts';
import { verifyJws } from '../identity/verify-jws.ts';
import { OutboxMessage } from './outbox.ts';
import type { EventRow, JournalReading, MessageRow, ResultRow } from './reading.ts';
import { resultHash } from './result-chain.ts';

/** What a finding is about. */
export type Area = 'pages' | 'results' | 'events' | 'outbox' | 'totals' | 'closes';

export interface Finding {
  readonly area: Area;
  /** Sequence, transaction or row. */
  readonly where: string;
  readonly what: string;
}

/** Rows that were looked at; filled while the findings are read. */
export interface Counts {
  transactions: number;
  events: number;
  results: number;
  messages: number;
}

/** Everything wrong, as it is found. Without a key signatures are not checked. */
export function* verifyJournal(
  reading: JournalReading,
  key: KeyObject | null,
  counts: Counts,
): IterableIterator<Finding> {
  yield* pages(reading.db);
  yield* results(reading, key, counts);
  yield* events(reading, counts);
  yield* messages(reading, counts);
  yield* totals(reading.db);
  yield* closes(reading, key);
}

function* pages(db: Database): IterableIterator<Finding> {
  for (const line of db.prepare<[], string>('PRAGMA integrity_check(100)').pluck().iterate()) {
    if (line !== 'ok') yield { area: 'pages', where: 'file', what: line };
  }
  for (const row of db.prepare('PRAGMA foreign_key_check').iterate()) {
    const { table, rowid, parent } = row as { table: string; rowid: number | null; parent: string };
    yield { area: 'pages', where: `${table} ${rowid ?? ''}`.trim(), what: `refers to what is not in ${parent}` };
  }
}

function* results(
  { db, results: all, terminalId }: JournalReading,
  key: KeyObject | null,
  counts: Counts,
): IterableIterator<Finding> {
  let sequence = 0;
  let hash: string | null = null;
  const stored = db.prepare<[number], string>('SELECT hash FROM match_results WHERE sequence = ?').pluck();
  const queued = db
    .prepare<[string], string>("SELECT body FROM outbox WHERE idempotency_key = ? AND kind = 'result'")
    .pluck();
  for (const row of all()) {
    counts.results += 1;
    if ('unfit' in row) {
      yield { area: 'results', where: row.unfit, what: 'cannot be read' };
      sequence += 1;
      hash = stored.get(sequence) ?? null;
      continue;
    }
    const finding = (what: string): Finding => ({ area: 'results', where: `result ${row.sequence}`, what });
    if (row.sequence !== sequence + 1) {
      yield finding(`comes after ${sequence}: what should be between is missing`);
      hash = stored.get(row.sequence - 1) ?? null;
    }
    if (stored.get(row.sequence) !== resultHash(row.jws)) yield finding('is not the one its hash was taken of');
    for (const what of contents(row, { key, terminalId, previousHash: hash })) yield finding(what);
    const body = queued.get(row.resultId);
    if (body === undefined) yield finding('is not in the outbox: the bank never hears of it');
    else if (!body.includes(`"${row.jws}"`)) yield finding('is another one in the outbox');
    sequence = row.sequence;
    hash = resultHash(row.jws);
  }
  const strays = db
    .prepare<[], string>(
      "SELECT idempotency_key FROM outbox WHERE kind = 'result' AND idempotency_key NOT IN (SELECT result_id FROM match_results)",
    )
    .pluck();
  for (const resultId of strays.iterate()) {
    yield { area: 'outbox', where: `result ${resultId}`, what: 'is in the outbox and not among the results' };
  }
}

function* contents(
  row: ResultRow,
  expected: { key: KeyObject | null; terminalId: string | null; previousHash: string | null },
): IterableIterator<string> {
  const { key, terminalId, previousHash } = expected;
  const opened = key
    ? verifyJws(row.jws, { key, typ: MATCH_RESULT_TYP, kid: terminalId })
    : { payload: unverified(row.jws) };
  if ('wrong' in opened) return yield opened.wrong;
  const parsed = MatchResult.safeParse(opened.payload);
  if (!parsed.success) return yield `does not fit its schema at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`;
  const result = parsed.data;
  if (result.sequence !== row.sequence) yield `says that it is result ${result.sequence}`;
  if (result.resultId !== row.resultId) yield `says that its id is ${result.resultId}, and stands under another`;
  if (terminalId !== null && result.terminalId !== terminalId) yield `is of terminal ${result.terminalId}`;
  if (result.at !== row.at) yield 'has another time than it was stored with';
  if (result.previousHash !== previousHash) yield 'does not name the one before it';
}

function unverified(jws: string): unknown {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function* events({ db, events: all }: JournalReading, counts: Counts): IterableIterator<Finding> {
  let last: EventRow | null = null;
  for (const row of all()) {
    counts.events += 1;
    if ('unfit' in row) {
      yield { area: 'events', where: row.unfit, what: 'cannot be read' };
      continue;
    }
    const finding = (what: string): Finding => ({
      area: 'events',
      where: `transaction ${row.transactionId} event ${row.number}`,
      what,
    });
    const before: EventRow | null = last?.transactionId === row.transactionId ? last : null;
    if (row.number !== (before?.number ?? 0) + 1) yield finding(`comes after number ${before?.number ?? 0}`);
    if (!before && row.state !== 'begun') yield finding(`is "${row.state}", and a transaction starts as "begun"`);
    if (before?.final) yield finding(`comes after the final event "${before.state}"`);
    last = row;
  }
  counts.transactions = db.prepare<[], number>('SELECT count(*) FROM transactions').pluck().get() ?? 0;
  const lists: [sql: string, what: string][] = [
    [
      'SELECT transaction_id FROM transactions EXCEPT SELECT transaction_id FROM transaction_events',
      'has no event at all',
    ],
    [
      `SELECT transaction_id FROM open_transactions
         INTERSECT SELECT transaction_id FROM transaction_events WHERE final = 1`,
      'is listed as open, and has ended',
    ],
    [
      `SELECT transaction_id FROM transactions EXCEPT SELECT transaction_id FROM open_transactions
         EXCEPT SELECT transaction_id FROM transaction_events WHERE final = 1`,
      'has not ended, and is not listed as open',
    ],
    [
      `SELECT transaction_id FROM transaction_events WHERE final = 1 EXCEPT SELECT transaction_id FROM ended_transactions`,
      'has ended, and is not listed so',
    ],
    [
      `SELECT transaction_id FROM ended_transactions EXCEPT SELECT transaction_id FROM transaction_events WHERE final = 1`,
      'is listed as ended, and has not',
    ],
  ];
  for (const [sql, what] of lists) {
    for (const transactionId of db.prepare<[], string>(sql).pluck().iterate()) {
      yield { area: 'events', where: `transaction ${transactionId}`, what };
    }
  }
}

function* messages({ db, messages: all }: JournalReading, counts: Counts): IterableIterator<Finding> {
  const amountOf = db
    .prepare<[string], number | null>('SELECT amount_minor FROM transactions WHERE transaction_id = ?')
    .pluck();
  for (const row of all()) {
    counts.messages += 1;
    if ('unfit' in row) {
      yield { area: 'outbox', where: row.unfit, what: 'cannot be read' };
      continue;
    }
    for (const what of misfits(row, amountOf)) yield { area: 'outbox', where: `message ${row.id} (${row.kind})`, what };
  }
  // What really moved is told to the bank in the commit that says so.
  const untold: [service: string, state: string, kind: string][] = [
    ['withdraw', 'paid', 'capture'],
    ['purchase', 'paid', 'capture'],
    ['deposit', 'stored', 'deposit'],
    ['withdraw', 'settled-by-count', 'count'],
    ['deposit', 'settled-by-count', 'count'],
    ['purchase', 'stood-in', 'stand-in'],
  ];
  const missing = db
    .prepare<[string, string, string], string>(
      `SELECT e.transaction_id FROM transaction_events e JOIN transactions t USING (transaction_id)
       WHERE e.final = 1 AND t.service = ? AND e.state = ? AND NOT EXISTS
         (SELECT 1 FROM outbox o WHERE o.transaction_id = e.transaction_id AND o.kind = ?)`,
    )
    .pluck();
  for (const [service, state, kind] of untold) {
    for (const transactionId of missing.iterate(service, state, kind)) {
      yield {
        area: 'outbox',
        where: `transaction ${transactionId}`,
        what: `ended "${state}", and no ${kind} is in the outbox`,
      };
    }
  }
  const both = db
    .prepare<[], string>(
      `SELECT json_extract(body, '$.authorisationKey') AS key FROM outbox WHERE kind IN ('capture', 'reversal') AND json_valid(body)
       GROUP BY key HAVING count(DISTINCT kind) > 1`,
    )
    .pluck();
  for (const key of both.iterate()) {
    yield { area: 'outbox', where: `authorisation ${key}`, what: 'is captured and reversed' };
  }
}

function* misfits(row: MessageRow, amountOf: { get(id: string): number | null | undefined }): IterableIterator<string> {
  const parsed = OutboxMessage.safeParse({ kind: row.kind, body: row.body });
  if (!parsed.success) return yield `does not fit its schema at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`;
  const { body } = parsed.data;
  if ('idempotencyKey' in body && body.idempotencyKey !== row.idempotencyKey)
    yield 'stands under another key than its own';
  if (parsed.data.kind === 'capture' && row.transactionId !== null) {
    const most = amountOf.get(row.transactionId);
    if (typeof most === 'number' && parsed.data.body.amount.amountMinor > most) {
      yield `captures ${parsed.data.body.amount.amountMinor} of a transaction over ${most}`;
    }
  }
}

/** What counts against the stand-in limits is what the messages say, or belongs to a transaction that goes on. */
function* totals(db: Database): IterableIterator<Finding> {
  const more = db.prepare<[], { transactionId: string; counted: number; told: number | null }>(
    `SELECT s.transaction_id AS transactionId, s.amount_minor AS counted,
       CASE WHEN json_valid(o.body) THEN json_extract(o.body, '$.amount.amountMinor') END AS told
     FROM stand_ins s LEFT JOIN outbox o ON o.idempotency_key = s.outbox_key AND o.kind = 'stand-in'
     WHERE s.state IN ('spent', 'settled') AND s.transaction_id NOT LIKE 'carried over: %' AND told IS NOT counted`,
  );
  for (const { transactionId, counted, told } of more.iterate()) {
    const what = `stands in for ${counted}, and the messages say ${told ?? 'nothing'}`;
    yield { area: 'totals', where: `transaction ${transactionId}`, what };
  }
  const kept = db.prepare<[], { transactionId: string }>(
    `SELECT transaction_id AS transactionId FROM stand_ins
     WHERE state = 'reserved' AND transaction_id NOT IN (SELECT transaction_id FROM open_transactions)`,
  );
  for (const { transactionId } of kept.iterate()) {
    yield {
      area: 'totals',
      where: `transaction ${transactionId}`,
      what: 'is over, and still reserves stand-in limits',
    };
  }
}

function* closes({ db, terminalId }: JournalReading, key: KeyObject | null): IterableIterator<Finding> {
  const rows = db.prepare<[], { number: number; closeId: string; jws: string; hash: string; transactions: string }>(
    'SELECT number, close_id AS closeId, jws, hash, transactions FROM day_closes ORDER BY number',
  );
  const queued = db
    .prepare<[string], number>("SELECT 1 FROM outbox WHERE idempotency_key = ? AND kind = 'day-close'")
    .pluck();
  let number = 0;
  let before: { hash: string; upTo: number } | null = null;
  for (const row of rows.iterate()) {
    const finding = (what: string): Finding => ({ area: 'closes', where: `close ${row.number}`, what });
    if (row.number !== number + 1) yield finding(`comes after ${number}: what should be between is missing`);
    number = row.number;
    if (resultHash(row.jws) !== row.hash) yield finding('is not the one its hash was taken of');
    if (queued.get(row.closeId) === undefined) yield finding('is not in the outbox: the bank never hears of it');
    const opened = key
      ? verifyJws(row.jws, { key, typ: DAY_CLOSE_TYP, kid: terminalId })
      : { payload: unverified(row.jws) };
    const close = 'wrong' in opened ? undefined : DayClose.safeParse(opened.payload).data;
    if (!close) {
      yield finding('wrong' in opened ? opened.wrong : 'does not fit its schema');
      before = { hash: row.hash, upTo: Number.NaN };
      continue;
    }
    if (close.number !== row.number || close.closeId !== row.closeId) yield finding('says that it is another one');
    if (close.previousHash !== (before?.hash ?? null)) yield finding('does not name the one before it');
    if (before && !Number.isNaN(before.upTo) && close.after !== before.upTo)
      yield finding('does not begin where the one before it ended');
    const sent = createHash('sha256').update(row.transactions).digest('base64url');
    if (sent !== close.transactionsSha256) yield finding('was made over other transactions');
    before = { hash: row.hash, upTo: close.upTo };
  }
}
