import type { Migration } from '../database.ts';

/**
 * Stand-ins one by one: reserved before they happen, spent or given back with the outcome, and kept beyond the offline period for as
 * long as a velocity looks back. What was spent before, known only by person, goes on counting as one purchase each until the bank
 * has heard of everything.
 */
export const journal0006: Migration = {
  number: 6,
  name: 'stand-ins',
  sql: `
CREATE TABLE stand_ins (
  transaction_id TEXT PRIMARY KEY,
  service        TEXT NOT NULL,
  person_id      TEXT NOT NULL,
  amount_minor   INTEGER NOT NULL CHECK (amount_minor >= 0),
  state          TEXT NOT NULL CHECK (state IN ('reserved', 'spent', 'released', 'settled')),
  period         INTEGER NOT NULL CHECK (period >= 1),
  run_ms         REAL NOT NULL,        -- how long the terminal had been running in all
  outbox_key     TEXT                  -- idempotency key of the message; null until spent, and for what was carried over
) STRICT, WITHOUT ROWID;
CREATE INDEX stand_ins_in_period ON stand_ins (state) WHERE state IN ('reserved', 'spent');
CREATE INDEX stand_ins_by_run ON stand_ins (run_ms);
INSERT INTO stand_ins
  SELECT 'carried over: ' || person_id, 'purchase', person_id, spent_minor, 'spent', 1, 0, NULL FROM stand_in_totals;
DROP TABLE stand_in_totals;
`,
};
