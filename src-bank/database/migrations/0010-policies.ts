/** Policies as issued (fleet/policy-issue.ts), and stand-ins by person, terminal and offline period (accounts/stand-in-checks.ts). */
export const policies = {
  version: 10,
  name: 'policies',
  statements: [
    `create table policy_versions (
      version text primary key,
      terms text not null,
      first_used_at bigint not null
    )`,
    `create table policy_issues (
      terminal_id uuid not null references terminals,
      version text not null references policy_versions,
      first_issued_at bigint not null,
      last_issued_at bigint not null,
      expires_at bigint not null,
      primary key (terminal_id, version)
    )`,
    `create table stand_ins (
      transaction_id uuid primary key,
      terminal_id uuid not null references terminals,
      person_id uuid not null,
      service text not null,
      amount_minor bigint not null,
      at bigint not null,
      -- null from terminals that did not count periods yet
      period integer,
      period_since bigint,
      policy_version text not null,
      recorded_at bigint not null
    )`,
    'create index stand_ins_by_period on stand_ins (terminal_id, period)',
    'create index stand_ins_by_time on stand_ins (terminal_id, at)',
  ],
} as const;
