/** Transfers: whose an account is, and which payees were asked about (accounts/payees.ts). */
export const transfers = {
  version: 7,
  name: 'transfers',
  statements: [
    // Null: staff told the bank no name.
    'alter table accounts add column holder_name text',
    // payee_account_id null: no account has the number that was asked about. A row also says that the person's PIN was right in
    // this transaction. With the next question of the same person those go that no limit counts any more.
    `create table payee_questions (
      question_id uuid primary key,
      terminal_id uuid not null references terminals,
      person_id uuid not null references people,
      transaction_id uuid not null,
      payee_account_id uuid references accounts,
      at bigint not null
    )`,
    'create index payee_questions_person on payee_questions (person_id, at)',
    'create index payee_questions_terminal on payee_questions (terminal_id, at)',
  ],
} as const;
