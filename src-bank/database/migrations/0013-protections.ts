/** Generations of the protecting matrix, which one is current, and how far terminals have followed (protection/). */
export const protections = {
  version: 13,
  name: 'protections',
  statements: [
    // The first is made from the platform's secrets when the bank starts. sealed null: the seed was destroyed. converted_at null: there
    // may be templates under an older one.
    `create table protection_generations (
      number integer primary key check (number > 0),
      version text not null unique,
      sealed bytea,
      reason text not null check (reason in ('first', 'planned', 'leak')),
      begun_at bigint not null,
      converted_at bigint,
      destroyed_at bigint,
      check ((sealed is null) = (destroyed_at is not null))
    )`,
    // One row, which whoever stores a template shares until they commit: a new generation begins after them, so that no template is
    // stored under an older one once it has begun.
    `create table protection_head (
      single boolean primary key default true check (single),
      number integer not null references protection_generations
    )`,
    `create table protection_receipts (
      terminal_id uuid not null references terminals,
      generation integer not null references protection_generations,
      receipt_id uuid not null unique,
      at bigint not null,
      jws text not null,
      received_at bigint not null,
      primary key (terminal_id, generation)
    )`,
    // protection: the oldest generation the terminal may still use. revoked_at null: it is in service.
    `alter table terminals
      add column protection integer not null default 1 check (protection > 0),
      add column revoked_at bigint`,
    'create index templates_protection on templates (protection_version, person_id)',
  ],
} as const;
