import type { Migration } from '../database.ts';

/**
 * The outbox takes messages of any kind: outbox.ts parses each before it is queued and again when it is read, so that the list of
 * kinds stands there alone. SQLite cannot drop a CHECK, so the table is built anew with its rows, its triggers with it.
 */
export const journal0002: Migration = {
  number: 2,
  name: 'outbox-kinds',
  sql: `
CREATE TABLE outbox_of_any_kind (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  kind            TEXT NOT NULL,
  idempotency_key TEXT NOT NULL UNIQUE,
  body            TEXT NOT NULL,
  queued_at       INTEGER NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at INTEGER NOT NULL,
  last_error      TEXT,                -- null: no attempt failed yet
  state           TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  settled_at      INTEGER              -- null while waiting
) STRICT;
INSERT INTO outbox_of_any_kind SELECT * FROM outbox;

CREATE TABLE dead_letters_kept (
  outbox_id INTEGER PRIMARY KEY REFERENCES outbox_of_any_kind,
  reason    TEXT NOT NULL,
  at        INTEGER NOT NULL
) STRICT;
INSERT INTO dead_letters_kept SELECT * FROM dead_letters;

DROP TRIGGER outbox_no_delete;
DROP TABLE dead_letters;
DROP TABLE outbox;
ALTER TABLE outbox_of_any_kind RENAME TO outbox;
ALTER TABLE dead_letters_kept RENAME TO dead_letters;
CREATE INDEX outbox_waiting ON outbox (id) WHERE state = 'waiting';
CREATE TRIGGER outbox_no_delete BEFORE DELETE ON outbox
  BEGIN SELECT raise(ABORT, 'the outbox forgets nothing'); END;
`,
};
