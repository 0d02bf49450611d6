/** Closes of terminals' business days, and which transactions a close has named. */
export const dayCloses = {
  version: 9,
  name: 'day-closes',
  statements: [
    // last_entry_seq: the newest entry of this terminal when the close came. answer: JSON, what the bank found.
    `create table day_closes (
      close_id uuid primary key,
      terminal_id uuid not null references terminals,
      number bigint not null check (number > 0),
      business_date text not null,
      jws text not null,
      hash text not null,
      answer text not null,
      differences bigint not null,
      cash_difference bigint,
      last_entry_seq bigint not null,
      recorded_at bigint not null,
      unique (terminal_id, number)
    )`,
    `create trigger day_closes_never_change before update or delete on day_closes
      for each row execute function never_changes()`,
    // The first close that named it.
    `create table day_close_transactions (
      terminal_id uuid not null references terminals,
      transaction_id uuid not null,
      number bigint not null,
      primary key (terminal_id, transaction_id)
    )`,
    'create index entries_of_terminal on entries (terminal_id, entry_seq)',
  ],
} as const;
