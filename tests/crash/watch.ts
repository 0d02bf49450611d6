/**
 * The terminal's journal while it is written: looked at through a connection of its own that can only read, every millisecond, so
 * that a process can be killed right after a state was reached. The connection is closed before the terminal starts again: as after
 * a real crash, nobody but the terminal brings the file in order.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { readJournal, type Transaction } from './observe.ts';

/** A moment's name for a match result, which belongs to no transaction yet. */
const RESULT_RECORDED = 'result';

/** Calls back with each state that a transaction reaches from now on, and for each match result. Returns how to stop. */
export function watchJournal(path: string, onState: (state: string) => void): () => void {
  const db = new Database(path, { readonly: true, timeout: 2_000 });
  const newest = db
    .prepare<[], string>('SELECT transaction_id FROM transactions ORDER BY transaction_id DESC LIMIT 1')
    .pluck();
  const states = db
    .prepare<[string, number], string>(
      'SELECT state FROM transaction_events WHERE transaction_id = ? AND number > ? ORDER BY number',
    )
    .pluck();
  const results = db.prepare<[], number>('SELECT coalesce(max(sequence), 0) FROM match_results').pluck();
  const before = newest.get() ?? null;
  let known = { transactionId: before, events: Number.POSITIVE_INFINITY, results: results.get() ?? 0 };
  let version = -1;
  const timer = setInterval(() => {
    const now = db.pragma('data_version', { simple: true }) as number;
    if (now === version) return;
    version = now;
    const head = results.get() ?? 0;
    const transactionId = newest.get() ?? null;
    if (transactionId !== known.transactionId) known = { ...known, transactionId, events: 0 };
    const reached =
      transactionId === null || known.events === Number.POSITIVE_INFINITY
        ? []
        : states.all(transactionId, known.events);
    const decided = head > known.results;
    known = { ...known, events: known.events + reached.length, results: head };
    if (decided) onState(RESULT_RECORDED);
    for (const state of reached) onState(state);
  }, 1);
  return () => {
    clearInterval(timer);
    db.close();
  };
}

/** The newest transaction of a journal whose writer is dead, read from a copy of the files as they lie there. */
export function readLeftBehind(path: string): Transaction | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kaopass-left-'));
  try {
    const copy = join(folder, 'journal.sqlite');
    copyFileSync(path, copy);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
    return readJournal(copy).transactions.at(-1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
