/**
 * Withdrawals of consent, what was charged after them all the same, and the terminals' receipts (people/withdrawal.ts). Of match
 * results the time they were made at, and how the terminal's clock stood then.
 */
export const withdrawals = {
  version: 8,
  name: 'withdrawals',
  statements: [
    // made_at: the result's own "at". clock_offset_ms: the terminal's clock less the bank's, as far as the request that brought the
    // result tells, at least. Both null in results from before there were these columns.
    'alter table match_results add column made_at bigint, add column clock_offset_ms bigint',
    // A person may have several: told at a terminal without a line, and at the counter. terminal_id and sequence (of the match
    // result) null: told to the bank's staff. effective_at: by the bank's clock, the earliest it can have been.
    `create table withdrawals (
      withdrawal_id uuid primary key,
      person_id uuid not null references people,
      terminal_id uuid references terminals,
      sequence bigint,
      told_at bigint not null,
      effective_at bigint not null,
      recorded_at bigint not null,
      check ((terminal_id is null) = (sequence is null))
    )`,
    'create index withdrawals_person on withdrawals (person_id)',
    `insert into withdrawals (withdrawal_id, person_id, told_at, effective_at, recorded_at)
      select consent_id, person_id, withdrawn_at, withdrawn_at, withdrawn_at from consents where withdrawn_at is not null`,
    // A charge posted before the bank heard of the withdrawal, and the entry that gave it back.
    `create table charges_given_back (
      transaction_id uuid primary key references entries (transaction_id),
      given_back_by uuid not null unique references entries (transaction_id)
    )`,
    `create table erasure_receipts (
      terminal_id uuid not null references terminals,
      person_id uuid not null references people,
      receipt_id uuid not null unique,
      cursor bigint,
      at bigint not null,
      jws text not null,
      received_at bigint not null,
      primary key (terminal_id, person_id)
    )`,
  ],
} as const;
