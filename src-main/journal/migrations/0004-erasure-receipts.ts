import type { Migration } from '../database.ts';

/** Receipts for people this terminal has forgotten. The person's id is the key: a second receipt cannot be stored. */
export const journal0004: Migration = {
  number: 4,
  name: 'erasure-receipts',
  sql: `
CREATE TABLE erasure_receipts (
  person_id  TEXT PRIMARY KEY,
  receipt_id TEXT NOT NULL UNIQUE,
  jws        TEXT NOT NULL,
  at         INTEGER NOT NULL
) STRICT;
CREATE TRIGGER erasure_receipts_no_update BEFORE UPDATE ON erasure_receipts
  BEGIN SELECT raise(ABORT, 'erasure_receipts is append-only'); END;
CREATE TRIGGER erasure_receipts_no_delete BEFORE DELETE ON erasure_receipts
  BEGIN SELECT raise(ABORT, 'erasure_receipts is append-only'); END;
`,
};
