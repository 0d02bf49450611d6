import type { Migration } from '../database.ts';

/** Receipts for protecting matrices this terminal went over to. The matrix's name is the key: a second receipt cannot be stored. */
export const journal0007: Migration = {
  number: 7,
  name: 'protection-receipts',
  sql: `
CREATE TABLE protection_receipts (
  protection_version TEXT PRIMARY KEY,
  receipt_id         TEXT NOT NULL UNIQUE,
  jws                TEXT NOT NULL,
  at                 INTEGER NOT NULL
) STRICT;
CREATE TRIGGER protection_receipts_no_update BEFORE UPDATE ON protection_receipts
  BEGIN SELECT raise(ABORT, 'protection_receipts is append-only'); END;
CREATE TRIGGER protection_receipts_no_delete BEFORE DELETE ON protection_receipts
  BEGIN SELECT raise(ABORT, 'protection_receipts is append-only'); END;
`,
};
