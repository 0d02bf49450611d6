import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Uuid } from '../../../src-contract/primitives.ts';
import { openDatabase } from '../database.ts';
import { standIns } from '../stand-ins.ts';
import { journalMigrations } from './migrations.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-migrations-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The journal as the version with this many steps left it. */
const openAt = (steps: number): Database =>
  openDatabase({
    path: join(directory, 'journal.sqlite'),
    migrations: journalMigrations.slice(0, steps),
    applicationId: 1,
    unusable: 'DATABASE_CORRUPT',
    now: () => 7,
  });

test('are numbered from 1 without gaps', () => {
  expect(journalMigrations.map(({ number }) => number)).toEqual(journalMigrations.map((_, index) => index + 1));
});

test('0006 goes on counting what was spent, until the bank has heard of everything', () => {
  const before = openAt(5);
  before.exec("INSERT INTO stand_in_totals VALUES ('ada', 800), ('bob', 1200)");
  before.close();
  const after = openAt(6);
  const totals = standIns(after);
  expect([totals.spent('ada' as Uuid), totals.spentInAll(), totals.periodNumber()]).toEqual([800, 2_000, 1]);
  totals.settle();
  expect([totals.spentInAll(), totals.periodNumber()]).toEqual([0, 2]);
  after.close();
});

test('0002 keeps every message and dead letter, and goes on counting where it was', () => {
  const before = openAt(1);
  before.exec(`
    INSERT INTO outbox VALUES
      (1, 'result', 'a', '{"n":1}', 10, 2, 11, 'away', 'delivered', 12),
      (2, 'capture', 'b', '{"n":2}', 20, 0, 20, NULL, 'waiting', NULL),
      (5, 'deposit', 'c', '{"n":3}', 30, 9, 31, 'no', 'dead', 32);
    INSERT INTO dead_letters VALUES (5, 'no', 32);`);
  const rows = (db: Database) => ['outbox', 'dead_letters'].map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  const kept = rows(before);
  before.close();

  const after = openAt(2);
  expect(rows(after)).toEqual(kept);
  after.exec(
    "INSERT INTO outbox (kind, idempotency_key, body, queued_at, next_attempt_at) VALUES ('new', 'd', '{}', 1, 1)",
  );
  expect(after.prepare("SELECT id FROM outbox WHERE kind = 'new'").pluck().get()).toBe(6);
  expect(() => after.exec('DELETE FROM outbox')).toThrow('forgets nothing');
  expect(() => after.exec("INSERT INTO dead_letters VALUES (99, 'of nothing', 1)")).toThrow('FOREIGN KEY');
  after.close();
});

test('0003 finds what is open and the order in which the rest ended, and keeps both from then on', () => {
  const before = openAt(2);
  before.exec(`
    INSERT INTO transactions VALUES ('a', 'withdraw', NULL, NULL, NULL, '{}', 1), ('b', 'withdraw', NULL, NULL, NULL, '{}', 2),
      ('c', 'deposit', NULL, NULL, NULL, '{}', 3);
    INSERT INTO transaction_events VALUES ('a', 1, 'begun', '{}', 0, 1), ('a', 2, 'paid', '{}', 1, 9),
      ('b', 1, 'begun', '{}', 0, 2), ('c', 1, 'begun', '{}', 0, 3), ('c', 2, 'credited', '{}', 1, 4);`);
  before.close();

  const after = openAt(3);
  const open = () => after.prepare('SELECT transaction_id FROM open_transactions').pluck().all();
  const ended = () => after.prepare('SELECT transaction_id FROM ended_transactions ORDER BY number').pluck().all();
  expect([open(), ended()]).toEqual([['b'], ['c', 'a']]);
  after.exec(`INSERT INTO transactions VALUES ('d', 'purchase', NULL, NULL, NULL, '{}', 5);
    INSERT INTO transaction_events VALUES ('b', 2, 'not-paid', '{}', 1, 10)`);
  expect([open(), ended()]).toEqual([['d'], ['c', 'a', 'b']]);
  expect(() => after.exec('DELETE FROM ended_transactions')).toThrow('append-only');
  after.close();
});
