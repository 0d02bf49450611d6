import type { Migration } from '../database.ts';

/**
 * Transactions and what happened to them, match results, the outbox. Triggers keep what is append-only append-only, so
 * that not even a mistake in this program rewrites history.
 */
export const journal0001: Migration = {
  number: 1,
  name: 'journal',
  sql: `
CREATE TABLE transactions (
  transaction_id TEXT PRIMARY KEY,
  service        TEXT NOT NULL,
  person_id      TEXT,                 -- null: nobody was named yet
  amount_minor   INTEGER CHECK (amount_minor >= 0),
  currency       TEXT,
  detail         TEXT NOT NULL,
  begun_at       INTEGER NOT NULL,
  CHECK ((amount_minor IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE transaction_events (
  transaction_id TEXT NOT NULL REFERENCES transactions,
  number         INTEGER NOT NULL CHECK (number >= 1),
  state          TEXT NOT NULL,
  detail         TEXT NOT NULL,
  final          INTEGER NOT NULL CHECK (final IN (0, 1)),
  at             INTEGER NOT NULL,
  PRIMARY KEY (transaction_id, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX transaction_ends_once ON transaction_events (transaction_id) WHERE final = 1;

CREATE TABLE match_results (
  sequence  INTEGER PRIMARY KEY CHECK (sequence >= 1),
  result_id TEXT NOT NULL UNIQUE,
  jws       TEXT NOT NULL,
  hash      TEXT NOT NULL,             -- SHA-256 of jws (ASCII), base64url
  at        INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  kind            TEXT NOT NULL CHECK (kind IN ('result', 'capture', 'reversal', 'deposit', 'stand-in')),
  idempotency_key TEXT NOT NULL UNIQUE,
  body            TEXT NOT NULL,
  queued_at       INTEGER NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  last_error      TEXT,                -- null: no attempt failed yet
  state           TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  settled_at      INTEGER              -- null while waiting
) STRICT;
CREATE INDEX outbox_waiting ON outbox (id) WHERE state = 'waiting';

CREATE TABLE dead_letters (
  outbox_id INTEGER PRIMARY KEY REFERENCES outbox,
  reason    TEXT NOT NULL,
  at        INTEGER NOT NULL
) STRICT;

CREATE TABLE stand_in_totals (
  person_id   TEXT PRIMARY KEY,
  spent_minor INTEGER NOT NULL CHECK (spent_minor >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  version   TEXT NOT NULL,
  language  TEXT NOT NULL,
  agreed    INTEGER NOT NULL CHECK (agreed IN (0, 1)),
  at        INTEGER NOT NULL,
  person_id TEXT                       -- null: refused, so nobody was named
) STRICT;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

${['transactions', 'transaction_events', 'match_results', 'consents']
  .flatMap((table) => ['UPDATE', 'DELETE'].map((action) => [table, action] as const))
  .map(
    ([table, action]) => `CREATE TRIGGER ${table}_no_${action.toLowerCase()} BEFORE ${action} ON ${table}
  BEGIN SELECT raise(ABORT, '${table} is append-only'); END;`,
  )
  .join('\n')}
CREATE TRIGGER outbox_no_delete BEFORE DELETE ON outbox
  BEGIN SELECT raise(ABORT, 'the outbox forgets nothing'); END;
CREATE TRIGGER no_event_after_the_last BEFORE INSERT ON transaction_events
  WHEN EXISTS (SELECT 1 FROM transaction_events WHERE transaction_id = NEW.transaction_id AND final = 1)
  BEGIN SELECT raise(ABORT, 'this transaction is final'); END;
`,
};
