/**
 * The double-entry ledger. A posting credits (positive) or debits (negative) one account; the postings of an entry sum to
 * zero per currency, checked by the database when the db transaction commits. Entries and postings are never changed.
 * Customers' deposits are what the bank owes: a credit balance is the customer's money. Cash in a terminal is what the bank
 * has: a debit balance.
 */
export const ledger = {
  version: 3,
  name: 'ledger',
  statements: [
    // owner_id: a person, a terminal, or null for suspense. number null: not a customer's. balance_minor is the sum of the
    // account's postings, kept in step in the same db transaction; the trial balance compares the two.
    `create table accounts (
      account_id uuid primary key,
      kind text not null check (kind in ('customer', 'cash', 'merchant', 'suspense')),
      owner_id uuid,
      number text unique,
      currency text not null,
      status text not null default 'open' check (status in ('open', 'closed')),
      balance_minor bigint not null default 0,
      opened_at bigint not null,
      unique nulls not distinct (kind, owner_id, currency)
    )`,
    // One entry a transaction: what is posted twice under two idempotency keys is refused here.
    `create table entries (
      entry_id uuid primary key,
      entry_seq bigint generated always as identity unique,
      kind text not null check (kind in ('deposit', 'withdraw', 'purchase', 'stand-in')),
      transaction_id uuid not null unique,
      terminal_id uuid not null references terminals,
      at bigint not null,
      recorded_at bigint not null
    )`,
    `create table postings (
      entry_id uuid not null references entries,
      line integer not null,
      account_id uuid not null references accounts,
      currency text not null,
      credit_minor bigint not null check (credit_minor <> 0),
      primary key (entry_id, line)
    )`,
    'create index postings_account on postings (account_id)',
    `create function entry_balances() returns trigger language plpgsql as $$
    begin
      if exists (
        select 1 from postings where entry_id = new.entry_id group by currency having sum(credit_minor) <> 0
      ) then
        raise exception 'entry % does not balance', new.entry_id using errcode = 'check_violation';
      end if;
      return null;
    end $$`,
    `create constraint trigger entry_balances after insert on postings
      deferrable initially deferred for each row execute function entry_balances()`,
    `create function never_changes() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$`,
    `create trigger postings_never_change before update or delete on postings
      for each row execute function never_changes()`,
    `create trigger entries_never_change before update or delete on entries
      for each row execute function never_changes()`,
    // captured_minor null until captured; ended_at null while held. An expired hold stays "held": it no longer lessens what
    // is available, and can still be captured, because by then the money has moved.
    `create table holds (
      hold_id uuid primary key,
      terminal_id uuid not null references terminals,
      authorisation_key uuid not null,
      transaction_id uuid not null,
      account_id uuid not null references accounts,
      service text not null check (service in ('withdraw', 'purchase')),
      currency text not null,
      amount_minor bigint not null check (amount_minor > 0),
      state text not null default 'held' check (state in ('held', 'captured', 'released')),
      captured_minor bigint check (captured_minor between 0 and amount_minor),
      created_at bigint not null,
      expires_at bigint not null,
      ended_at bigint,
      unique (terminal_id, authorisation_key)
    )`,
    `create unique index holds_one_per_transaction on holds (transaction_id) where state <> 'released'`,
    `create index holds_held on holds (account_id) where state = 'held'`,
  ],
} as const;
