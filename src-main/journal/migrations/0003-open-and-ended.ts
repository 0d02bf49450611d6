import type { Migration } from '../database.ts';

/**
 * Which transactions are open, and the order in which the others ended, kept by triggers in the commits that change it: a terminal
 * with years of history finds what a power cut left open without reading the years. The order is a number and not a time, since a
 * clock may jump: a business day is closed by it. And each message says which transaction it is about.
 */
export const journal0003: Migration = {
  number: 3,
  name: 'open-and-ended',
  sql: `
CREATE TABLE open_transactions (
  transaction_id TEXT PRIMARY KEY REFERENCES transactions
) STRICT, WITHOUT ROWID;
CREATE TABLE ended_transactions (
  number         INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_id TEXT NOT NULL UNIQUE REFERENCES transactions
) STRICT;

INSERT INTO open_transactions SELECT transaction_id FROM transactions t
  WHERE NOT EXISTS (SELECT 1 FROM transaction_events e WHERE e.transaction_id = t.transaction_id AND e.final = 1);
INSERT INTO ended_transactions (transaction_id)
  SELECT transaction_id FROM transaction_events WHERE final = 1 ORDER BY at, transaction_id;

CREATE TRIGGER transaction_opens AFTER INSERT ON transactions
  BEGIN INSERT INTO open_transactions VALUES (NEW.transaction_id); END;
CREATE TRIGGER transaction_ends AFTER INSERT ON transaction_events WHEN NEW.final = 1
  BEGIN
    DELETE FROM open_transactions WHERE transaction_id = NEW.transaction_id;
    INSERT INTO ended_transactions (transaction_id) VALUES (NEW.transaction_id);
  END;
${['UPDATE', 'DELETE']
  .map(
    (action) => `CREATE TRIGGER ended_transactions_no_${action.toLowerCase()} BEFORE ${action} ON ended_transactions
  BEGIN SELECT raise(ABORT, 'ended_transactions is append-only'); END;`,
  )
  .join('\n')}

CREATE INDEX transactions_by_time ON transactions (begun_at, transaction_id);

-- Which transaction a message is about; null where it is about none, and for match results from before this step.
ALTER TABLE outbox ADD COLUMN transaction_id TEXT;
UPDATE outbox SET transaction_id = json_extract(body, '$.transactionId') WHERE kind IN ('deposit', 'stand-in');
UPDATE outbox SET transaction_id = asked.transaction_id
  FROM (SELECT transaction_id, json_extract(detail, '$.authorisationKey') AS key
        FROM transaction_events WHERE state = 'authorising') AS asked
  WHERE kind IN ('capture', 'reversal') AND json_extract(body, '$.authorisationKey') = asked.key;
CREATE INDEX outbox_of_transaction ON outbox (transaction_id) WHERE transaction_id IS NOT NULL;
`,
};
