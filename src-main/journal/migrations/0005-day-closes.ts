import type { Migration } from '../database.ts';

/** Closes of business days, what the bank found, and what the cash units held whenever that was looked at and had changed. */
export const journal0005: Migration = {
  number: 5,
  name: 'day-closes',
  sql: `
CREATE TABLE day_closes (
  number       INTEGER PRIMARY KEY CHECK (number >= 1),
  close_id     TEXT NOT NULL UNIQUE,
  jws          TEXT NOT NULL,
  hash         TEXT NOT NULL,           -- SHA-256 of jws (ASCII), base64url
  transactions TEXT NOT NULL,           -- JSON, as sent along
  at           INTEGER NOT NULL
) STRICT;
CREATE TABLE day_close_answers (
  close_id TEXT PRIMARY KEY REFERENCES day_closes (close_id),
  answer   TEXT NOT NULL,
  at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- What a close has named as on its way, until a later one names it as posted.
CREATE TABLE day_close_pending (
  transaction_id TEXT PRIMARY KEY REFERENCES transactions,
  standing       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE cash_counts (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  kind         TEXT NOT NULL CHECK (kind IN ('first', 'seen', 'exchange', 'close')),
  units        TEXT NOT NULL,           -- JSON, as the devices said
  changed      TEXT NOT NULL,           -- JSON: by how many notes, per denomination, beyond what transactions moved
  ended_number INTEGER NOT NULL,        -- transactions that had ended by then
  at           INTEGER NOT NULL
) STRICT;
${['day_closes', 'day_close_answers', 'cash_counts']
  .flatMap((table) => ['UPDATE', 'DELETE'].map((action) => [table, action] as const))
  .map(
    ([table, action]) => `CREATE TRIGGER ${table}_no_${action.toLowerCase()} BEFORE ${action} ON ${table}
  BEGIN SELECT raise(ABORT, '${table} is append-only'); END;`,
  )
  .join('\n')}
`,
};
