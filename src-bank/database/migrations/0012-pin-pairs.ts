/**
 * Wrong PINs by pair (people/pin-check.ts). Counts and locks per person are gone: whoever was locked by a stranger's tries is not any
 * more, and has the attempts of a pair that was never proven until the right PIN is entered once.
 */
export const pinPairs = {
  version: 12,
  name: 'pin-pairs',
  statements: [
    // pin_forgiven_at: wrong PINs before staff unlocked do not count. Null: never unlocked.
    'alter table people drop column pin_failures, drop column pin_locked_at, add column pin_forgiven_at bigint',
    // face: the terminal's pseudonym; empty where it tells none apart. failures since the last right PIN or lock, locks since the
    // last right PIN. locked_until null: open. proven_at null: the right PIN was never entered.
    `create table pin_pairs (
      person_id uuid not null references people,
      terminal_id uuid not null references terminals,
      face text not null,
      failures integer not null,
      locks integer not null,
      locked_until bigint,
      proven_at bigint,
      primary key (person_id, terminal_id, face)
    )`,
    // Every wrong PIN that was compared. proven: the pair was, then.
    `create table pin_misses (
      miss_id uuid primary key,
      person_id uuid not null references people,
      terminal_id uuid not null references terminals,
      face text not null,
      proven boolean not null,
      at bigint not null
    )`,
    'create index pin_misses_person on pin_misses (person_id, at) where not proven',
    'create index pin_misses_terminal on pin_misses (terminal_id, at) where not proven',
  ],
} as const;
