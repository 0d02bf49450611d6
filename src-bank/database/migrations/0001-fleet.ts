/** Terminals, their requests and what they decided. Times are ms since 1970; hashes are base64url unless said otherwise. */
export const fleet = {
  version: 1,
  name: 'fleet',
  statements: [
    // Sealed under the bank key (vault.ts).
    `create table platform_secrets (
      name text primary key,
      sealed bytea not null,
      created_at bigint not null
    )`,
    // head_sequence 0 and head_hash null: no result yet.
    `create table terminals (
      terminal_id uuid primary key,
      name text not null,
      profile text not null check (profile in ('atm', 'checkout', 'gate')),
      signing_key text not null unique,
      encryption_key text not null,
      activated_at bigint not null,
      head_sequence bigint not null default 0,
      head_hash text
    )`,
    // used_at null: still good until expires_at. profile null: good for any.
    `create table activation_codes (
      code_hash bytea primary key,
      profile text,
      created_at bigint not null,
      expires_at bigint not null,
      used_at bigint,
      terminal_id uuid references terminals
    )`,
    `create table request_ids (
      terminal_id uuid not null references terminals,
      jti uuid not null,
      expires_at bigint not null,
      primary key (terminal_id, jti)
    )`,
    'create index request_ids_expiry on request_ids (expires_at)',
    // answer null only inside the db transaction that does the work; operation "barred" has none for ever.
    `create table idempotency_keys (
      terminal_id uuid not null references terminals,
      key uuid not null,
      operation text not null,
      request_hash text not null,
      answer text,
      created_at bigint not null,
      primary key (terminal_id, key)
    )`,
    // person_id null: a refusal. used_by null: no transaction has relied on it.
    `create table match_results (
      result_id uuid primary key,
      terminal_id uuid not null references terminals,
      sequence bigint not null check (sequence > 0),
      jws text not null,
      hash text not null unique,
      service text not null,
      outcome text not null,
      person_id uuid,
      transaction_id uuid,
      used_by uuid,
      recorded_at bigint not null,
      unique (terminal_id, sequence)
    )`,
    // terminal_id null: the bank does not know who it was. The same evidence twice counts up instead of filling the table.
    `create table incidents (
      incident_id uuid primary key,
      terminal_id uuid references terminals,
      code text not null,
      detail text not null,
      evidence text not null,
      evidence_hash text not null,
      first_at bigint not null,
      last_at bigint not null,
      occurrences integer not null default 1,
      unique nulls not distinct (terminal_id, code, evidence_hash)
    )`,
  ],
} as const;
