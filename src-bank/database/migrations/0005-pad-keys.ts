/** Working keys of encrypting PIN pads (people/pad-keys.ts), sealed under the bank key. A pad names the key it used. */
export const padKeys = {
  version: 5,
  name: 'pad-keys',
  statements: [
    `create table pad_keys (
      terminal_id uuid not null references terminals,
      name text not null,
      sealed bytea not null,
      created_at bigint not null,
      primary key (terminal_id, name)
    )`,
  ],
} as const;
