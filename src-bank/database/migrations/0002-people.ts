/** Enrolled people: consent, template, PIN, and the feed that tells terminals of them. */
export const people = {
  version: 2,
  name: 'people',
  statements: [
    // pin_hash empty once erased. look_alike_of null: nobody was too alike. pin_locked_at null: not locked.
    `create table people (
      person_id uuid primary key,
      status text not null check (status in ('enrolled', 'erased')),
      enrolled_at bigint not null,
      enrolled_by uuid not null references terminals,
      look_alike_of uuid references people,
      pin_hash text not null,
      pin_failures integer not null default 0,
      pin_locked_at bigint
    )`,
    // withdrawn_at null: stands.
    `create table consents (
      consent_id uuid primary key,
      person_id uuid not null references people,
      version text not null,
      language text not null,
      agreed_at bigint not null,
      recorded_at bigint not null,
      withdrawn_at bigint
    )`,
    // Sealed under the bank key; the row goes when the person is erased.
    `create table templates (
      person_id uuid primary key references people,
      sealed bytea not null,
      dimensions integer not null,
      model_sha256 text not null,
      protection_version text not null
    )`,
    // Cursors come from this one row, which a writer keeps locked until it commits: cursors appear in the order of
    // commits, so a reader who has seen cursor n will never be shown a smaller one later (a sequence cannot promise it).
    `create table gallery_head (
      single boolean primary key default true check (single),
      cursor bigint not null
    )`,
    'insert into gallery_head (cursor) values (0)',
    `create table gallery_feed (
      cursor bigint primary key,
      kind text not null check (kind in ('put', 'erase')),
      person_id uuid not null references people,
      at bigint not null
    )`,
    'create index gallery_feed_person on gallery_feed (person_id)',
    // Kept for as long as the PIN key: a PIN block has no time in it.
    `create table pin_nonces (
      nonce uuid primary key,
      seen_at bigint not null
    )`,
  ],
} as const;
