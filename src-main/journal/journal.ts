/**
 * The money journal: what this terminal meant to do, what happened, and what the bank is yet to hear. SQLite, WAL,
 * synchronous=FULL: what a method recorded is on disk when it returns, or it threw and nothing was recorded. Survives the
 * loss of power between any two writes; does not survive a disk that lies about fsync.
 */
import type { MatchResult } from '../../src-contract/match-result.ts';
import type { Policy } from '../../src-contract/policy.ts';
import type { Language, MinorUnits, Money, Service, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Outbox, OutboxMessage } from './outbox.ts';

/** Anything JSON can carry, without a PIN, name, account number, template or image. */
export type Detail = Readonly<Record<string, unknown>>;

export interface NewTransaction {
  readonly transactionId: Uuid;
  readonly service: Service;
  readonly personId: Uuid | null;
  readonly amount: Money | null;
  readonly detail?: Detail;
}

export interface TransactionEvent {
  /** The state reached, in the session's words, e.g. "dispensing". */
  readonly state: string;
  readonly detail?: Detail;
  /** Nothing further may happen to this transaction. */
  readonly final?: boolean;
}

export interface RecordedEvent {
  /** 1 for the beginning, then one more each time. */
  readonly number: number;
  readonly state: string;
  readonly detail: Detail;
  readonly final: boolean;
  readonly at: WallTimeMs;
}

export interface JournaledTransaction {
  readonly transactionId: Uuid;
  readonly service: Service;
  readonly personId: Uuid | null;
  readonly amount: Money | null;
  readonly detail: Detail;
  readonly begunAt: WallTimeMs;
  /** Of the last event. */
  readonly state: string;
  readonly final: boolean;
  readonly events: readonly RecordedEvent[];
}

/** A match result before it has its place in the chain. */
export type UnsignedResult = Omit<
  MatchResult,
  'version' | 'resultId' | 'terminalId' | 'sequence' | 'previousHash' | 'at'
>;

export interface RecordedResult {
  readonly resultId: Uuid;
  readonly sequence: number;
  readonly jws: string;
}

export interface ConsentRecord {
  readonly version: string;
  readonly language: Language;
  readonly agreed: boolean;
  readonly at: WallTimeMs;
  /** Null when the person refused, and so was never given an id. */
  readonly personId: Uuid | null;
}

/** What was let through since the bank could last be asked. Each 'stand-in' message counts in the commit that queues it. */
export interface StandInTotals {
  /** By one person in this offline period. */
  spent(personId: Uuid): MinorUnits;
  /** At this terminal in this offline period. */
  spentInAll(): MinorUnits;
  /** The bank has heard of all of it: a new period begins. */
  reset(): void;
}

export interface Alarm {
  readonly kind: 'dead-letter' | 'results-refused' | 'gallery' | 'policy';
  /** One sentence for the technician. */
  readonly message: string;
}

/** Signs what the journal records; Identity is one. */
export interface ResultSigner {
  readonly terminalId: Uuid | null;
  signResult(result: MatchResult): Promise<string>;
}

export interface Journal {
  /** Records the intention, and messages with it, in one commit. The first event's state is "begun".
   *  Throws BANK_UNREACHABLE when the outbox is at its limit: nothing new is begun until the bank has heard the old. */
  begin(transaction: NewTransaction, outbox?: readonly OutboxMessage[]): void;
  /** Records what happened, and what the bank must hear of it, in one commit. TRANSACTION_UNKNOWN when there is no such
   *  transaction or its last event was final. */
  record(transactionId: Uuid, event: TransactionEvent, outbox?: readonly OutboxMessage[]): void;
  transaction(transactionId: Uuid): JournaledTransaction | null;
  /** Those without a final event, oldest first: what a restart has to settle. */
  openTransactions(): readonly JournaledTransaction[];
  /** Newest first. */
  transactions(options: { readonly limit: number }): readonly JournaledTransaction[];
  /** Gives the result its number and its place in the chain, signs it, and stores and queues it in one commit. Calls are
   *  taken one after the other. */
  recordResult(unsigned: UnsignedResult): Promise<RecordedResult>;
  /** The last result; null before the first. */
  head(): { readonly sequence: number; readonly resultId: Uuid } | null;
  readonly outbox: Outbox;
  outboxSize(): number;
  readonly standIn: StandInTotals;
  /** The newest policy from the bank; null until one was stored. */
  policy(): Policy | null;
  storePolicy(policy: Policy): void;
  recordConsent(consent: ConsentRecord): void;
  consents(options: { readonly limit: number }): readonly ConsentRecord[];
  close(): void;
}

export interface JournalOptions {
  /** The database file; made when missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signer: ResultSigner;
  readonly onAlarm: (alarm: Alarm) => void;
  /** Most rows the outbox may hold before nothing new is begun. */
  readonly outboxLimit?: number;
}

/** Opens, checks and migrates the journal. Throws DATABASE_CORRUPT or DATABASE_NEWER, naming the file and changing nothing. */
export declare function openJournal(options: JournalOptions): Journal;
