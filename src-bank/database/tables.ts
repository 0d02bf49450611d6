/** The tables as Kysely sees them. int8 arrives as number (database.ts refuses what a double cannot hold). */
import type { Generated } from 'kysely';

export interface Tables {
  schema_migrations: { version: number; name: string; applied_at: number };
  platform_secrets: { name: string; sealed: Uint8Array; created_at: number };
  terminals: {
    terminal_id: string;
    name: string;
    profile: string;
    signing_key: string;
    encryption_key: string;
    activated_at: number;
    head_sequence: Generated<number>;
    head_hash: string | null;
    protection: Generated<number>;
    revoked_at: number | null;
    embedders: string | null;
  };
  protection_generations: {
    number: number;
    version: string;
    sealed: Uint8Array | null;
    reason: 'first' | 'planned' | 'leak';
    begun_at: number;
    converted_at: number | null;
    destroyed_at: number | null;
  };
  protection_head: { single: Generated<boolean>; number: number };
  protection_receipts: {
    terminal_id: string;
    generation: number;
    receipt_id: string;
    at: number;
    jws: string;
    received_at: number;
  };
  activation_codes: {
    code_hash: Uint8Array;
    profile: string | null;
    created_at: number;
    expires_at: number;
    used_at: number | null;
    terminal_id: string | null;
  };
  request_ids: { terminal_id: string; jti: string; expires_at: number };
  idempotency_keys: {
    terminal_id: string;
    key: string;
    operation: string;
    request_hash: string;
    answer: string | null;
    created_at: number;
  };
  match_results: {
    result_id: string;
    terminal_id: string;
    sequence: number;
    jws: string;
    hash: string;
    service: string;
    outcome: string;
    person_id: string | null;
    transaction_id: string | null;
    used_by: string | null;
    recorded_at: number;
    made_at: number | null;
    clock_offset_ms: number | null;
    model_sha256: string | null;
    pin_right: Generated<boolean>;
  };
  incidents: {
    incident_id: string;
    terminal_id: string | null;
    code: string;
    detail: string;
    evidence: string;
    evidence_hash: string;
    first_at: number;
    last_at: number;
    occurrences: Generated<number>;
  };
  people: {
    person_id: string;
    status: 'enrolled' | 'erased';
    enrolled_at: number;
    enrolled_by: string;
    look_alike_of: string | null;
    pin_hash: string;
    pin_forgiven_at: number | null;
  };
  consents: {
    consent_id: string;
    person_id: string;
    version: string;
    language: string;
    agreed_at: number;
    recorded_at: number;
    withdrawn_at: number | null;
  };
  pin_pairs: {
    person_id: string;
    terminal_id: string;
    face: string;
    failures: number;
    locks: number;
    locked_until: number | null;
    proven_at: number | null;
  };
  pin_misses: { miss_id: string; person_id: string; terminal_id: string; face: string; proven: boolean; at: number };
  claimed_identities: {
    terminal_id: string;
    question_id: string;
    result_id: string;
    face: string;
    account_number: string;
    person_id: string | null;
    at: number;
  };
  withdrawals: {
    withdrawal_id: string;
    person_id: string;
    terminal_id: string | null;
    sequence: number | null;
    told_at: number;
    effective_at: number;
    recorded_at: number;
  };
  charges_given_back: { transaction_id: string; given_back_by: string };
  erasure_receipts: {
    terminal_id: string;
    person_id: string;
    receipt_id: string;
    cursor: number | null;
    at: number;
    jws: string;
    received_at: number;
  };
  templates: {
    person_id: string;
    sealed: Uint8Array;
    dimensions: number;
    model_sha256: string;
    protection_version: string;
    cursor: number;
  };
  gallery_head: { single: Generated<boolean>; cursor: number };
  gallery_feed: {
    cursor: number;
    kind: 'put' | 'erase' | 'retire';
    person_id: string;
    at: number;
    model_sha256: string | null;
  };
  pin_nonces: { nonce: string; seen_at: number };
  accounts: {
    account_id: string;
    kind: AccountKind;
    owner_id: string | null;
    number: string | null;
    currency: string;
    status: Generated<'open' | 'closed'>;
    balance_minor: Generated<number>;
    opened_at: number;
    holder_name: Generated<string | null>;
  };
  payee_questions: {
    question_id: string;
    terminal_id: string;
    person_id: string;
    transaction_id: string;
    payee_account_id: string | null;
    at: number;
  };
  entries: {
    entry_id: string;
    entry_seq: Generated<number>;
    kind: EntryKind;
    transaction_id: string;
    terminal_id: string;
    at: number;
    recorded_at: number;
  };
  postings: { entry_id: string; line: number; account_id: string; currency: string; credit_minor: number };
  holds: {
    hold_id: string;
    terminal_id: string;
    authorisation_key: string;
    transaction_id: string;
    account_id: string;
    service: 'withdraw' | 'purchase';
    currency: string;
    amount_minor: number;
    state: Generated<'held' | 'captured' | 'released'>;
    captured_minor: number | null;
    created_at: number;
    expires_at: number;
    ended_at: number | null;
  };
  day_closes: {
    close_id: string;
    terminal_id: string;
    number: number;
    business_date: string;
    jws: string;
    hash: string;
    answer: string;
    differences: number;
    cash_difference: number | null;
    last_entry_seq: number;
    recorded_at: number;
  };
  day_close_transactions: { terminal_id: string; transaction_id: string; number: number };
  technician_codes: {
    code_hash: Uint8Array;
    terminal_id: string;
    created_at: number;
    expires_at: number;
    used_at: number | null;
    used_by: string | null;
  };
  counts: {
    count_id: string;
    terminal_id: string;
    transaction_id: string;
    service: 'withdraw' | 'deposit';
    currency: string;
    counted_minor: number;
    staff_id: string;
    note: string;
    counted_at: number;
    code_state: 'valid' | 'missing' | 'unknown' | 'used' | 'expired';
    state: 'held' | 'settled';
    settled_minor: number | null;
    jws: string;
    received_at: number;
  };
  pad_keys: { terminal_id: string; name: string; sealed: Uint8Array; created_at: number };
  dispenser_keys: {
    terminal_id: string;
    version: number;
    sealed: Uint8Array;
    proofs_cover: ProofsCover;
    created_at: number;
  };
  policy_versions: { version: string; terms: string; first_used_at: number };
  policy_issues: {
    terminal_id: string;
    version: string;
    first_issued_at: number;
    last_issued_at: number;
    expires_at: number;
  };
  stand_ins: {
    transaction_id: string;
    terminal_id: string;
    person_id: string;
    service: string;
    amount_minor: number;
    at: number;
    period: number | null;
    period_since: number | null;
    policy_version: string;
    recorded_at: number;
  };
  dispense_grants: {
    hold_id: string;
    grant_seq: Generated<number>;
    terminal_id: string;
    key_version: number;
    command_nonce: string;
    response_nonce: string;
    dispense_id: string;
    amount_minor: number;
    state: Generated<GrantState>;
    used: Generated<boolean>;
    told_minor: number | null;
    proven_minor: number | null;
    proof: string | null;
    issued_at: number;
  };
}

export type ProofsCover = 'last-stack' | 'whole-token';
export type GrantState = 'open' | 'unconfirmed' | 'suspect' | 'settled';

export type AccountKind = 'customer' | 'cash' | 'merchant' | 'suspense';
export type EntryKind = 'deposit' | 'withdraw' | 'purchase' | 'stand-in' | 'transfer' | 'given-back';
