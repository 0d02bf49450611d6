/**
 * End-to-end security of dispensers (dispense/settlement.ts). A grant is a command token that the bank made for one hold; what the
 * dispenser proves about it decides what becomes of the hold.
 */
export const dispense = {
  version: 4,
  name: 'dispense',
  statements: [
    // Two keys of 32 bytes sealed under the bank key (vault.ts). The highest version makes tokens; a dispenser's proof may
    // still be made with an older one than today's, never with one older than the grant's. proofs_cover: what the device's
    // figures add up, see dispense/proof.ts.
    `create table dispenser_keys (
      terminal_id uuid not null references terminals,
      version integer not null check (version > 0),
      sealed bytea not null,
      proofs_cover text not null check (proofs_cover in ('last-stack', 'whole-token')),
      created_at bigint not null,
      primary key (terminal_id, version)
    )`,
    // grant_seq: the order in which one terminal's grants were made (its keys are locked meanwhile).
    // dispense_id: HMAC of the token, by which the dispenser names it. The token itself is only in the answer.
    // told_minor: what the terminal said was paid, null before it said anything. proof: the last valid response token.
    // state "open": nothing proven; "unconfirmed": proven, and the token might be used yet; "suspect": for a person.
    `create table dispense_grants (
      hold_id uuid primary key references holds,
      grant_seq bigint generated always as identity unique,
      terminal_id uuid not null references terminals,
      key_version integer not null,
      command_nonce text not null,
      response_nonce text not null unique,
      dispense_id text not null unique,
      amount_minor bigint not null check (amount_minor > 0),
      state text not null default 'open' check (state in ('open', 'unconfirmed', 'suspect', 'settled')),
      used boolean not null default false,
      told_minor bigint,
      proven_minor bigint,
      proof text,
      issued_at bigint not null,
      unique (terminal_id, command_nonce),
      foreign key (terminal_id, key_version) references dispenser_keys (terminal_id, version)
    )`,
    `create index dispense_grants_unsettled on dispense_grants (terminal_id) where state <> 'settled'`,
  ],
} as const;
