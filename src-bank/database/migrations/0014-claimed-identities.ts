/** Who was claimed by an account number, and where (people/claimed-identities.ts). */
export const claimedIdentities = {
  version: 14,
  name: 'claimed-identities',
  statements: [
    // A row for each question that was answered. person_id null: there was nobody to compare with. result_id: the look it was asked
    // after; face: the presented face in it, as in pin_pairs.
    `create table claimed_identities (
      terminal_id uuid not null references terminals,
      question_id uuid not null,
      result_id uuid not null,
      face text not null,
      account_number text not null,
      person_id uuid references people,
      at bigint not null,
      primary key (terminal_id, question_id)
    )`,
    'create index claimed_identities_terminal on claimed_identities (terminal_id, at)',
    'create index claimed_identities_result on claimed_identities (result_id)',
  ],
} as const;
