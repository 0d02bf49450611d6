/** Technicians' counts of suspect transactions, and the codes without which a count moves nothing (counts/settle.ts). */
export const counts = {
  version: 11,
  name: 'counts',
  statements: [
    // Of a code only its keyed hash is kept. used_by: the count it was used up by.
    `create table technician_codes (
      code_hash bytea primary key,
      terminal_id uuid not null references terminals,
      created_at bigint not null,
      expires_at bigint not null,
      used_at bigint,
      used_by uuid
    )`,
    // state "held": the bank has not acted on it. settled_minor: by hand; null where the count itself was taken.
    `create table counts (
      count_id uuid primary key,
      terminal_id uuid not null references terminals,
      transaction_id uuid not null,
      service text not null,
      currency text not null,
      counted_minor bigint not null check (counted_minor >= 0),
      staff_id text not null,
      note text not null,
      counted_at bigint not null,
      code_state text not null,
      state text not null check (state in ('held', 'settled')),
      settled_minor bigint check (settled_minor >= 0),
      jws text not null,
      received_at bigint not null,
      unique (terminal_id, transaction_id)
    )`,
  ],
} as const;
