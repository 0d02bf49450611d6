/**
 * The money journal: what this terminal meant to do, what happened, and what the bank is yet to hear. SQLite, WAL,
 * synchronous=FULL: what a method recorded is on disk when it returns, or it threw and nothing was recorded. Survives the
 * loss of power between any two writes; does not survive a disk that lies about fsync.
 */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { ErasureReceipt } from '../../src-contract/erasure.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import {
  Language,
  type MinorUnits,
  type Money,
  type Service,
  Uuid,
  WallTimeMs,
} from '../../src-contract/primitives.ts';
import type { ProtectionReceipt } from '../../src-contract/protection-change.ts';
import type { Renewal } from '../../src-contract/renewal.ts';
import type { StandInService, StandInTotals } from '../../src-contract/stand-in.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { type DatabaseOptions, databaseBytes, openDatabase, translated } from './database.ts';
import { type DayCloses, dayCloses } from './day-closes.ts';
import { erasureReceipts } from './erasure-receipts.ts';
import { journalMigrations } from './migrations/migrations.ts';
import type { Outbox, OutboxMessage } from './outbox.ts';
import { protectionReceipts } from './protection-receipts.ts';
import { chainProblem, resultChain } from './result-chain.ts';
import { hadJournal, NO_RESERVE, type Room } from './room.ts';
import { sqliteOutbox } from './sqlite-outbox.ts';
import { standIns } from './stand-ins.ts';
import { type Storage, storageOver } from './storage.ts';
import { transactionReader } from './transaction-reader.ts';

/** Anything JSON can carry, without a PIN, name, account number, template or image. */
type Detail = Readonly<Record<string, unknown>>;

interface NewTransaction {
  readonly transactionId: Uuid;
  readonly service: Service;
  readonly personId: Uuid | null;
  readonly amount: Money | null;
  readonly detail?: Detail;
}

interface TransactionEvent {
  /** The state reached, in the session's words, e.g. "dispensing". */
  readonly state: string;
  readonly detail?: Detail;
  /** Nothing further may happen to this transaction. */
  readonly final?: boolean;
  /** Begins a stand-in: reserved against its limits in the same commit. */
  readonly standIn?: StandInReservation;
}

interface RecordedEvent {
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

const ConsentRecord = z.strictObject({
  /** Of the text that was shown. */
  version: z.string().min(1).max(40),
  language: Language,
  agreed: z.boolean(),
  at: WallTimeMs,
  /** Null when the person refused, and so was never given an id. */
  personId: Uuid.nullable(),
});
type ConsentRecord = z.infer<typeof ConsentRecord>;

/** What a transaction takes from the stand-in limits, from the commit that says so until its final event: with a 'stand-in' message
 *  it is then spent, without one it was never taken. */
export interface StandInReservation {
  readonly service: StandInService;
  readonly personId: Uuid;
  readonly amountMinor: MinorUnits;
  /** TrustedTime.runMs, by which velocity is counted. */
  readonly runMs: number;
}

/** What was let through, or is about to be, without the bank. Survives restarts. */
export interface StandIns {
  /** By everything that is reserved or spent: sums of this offline period, and pace over all of them. */
  totals(service: StandInService, personId: Uuid, runMs: number): StandInTotals;
  /** Number of the offline period that a reservation now would belong to: 1 for the first, then one more each time. */
  periodNumber(): number;
  /** By one person in this offline period. */
  spent(personId: Uuid): MinorUnits;
  /** At this terminal in this offline period. */
  spentInAll(): MinorUnits;
  /** Nothing waits any more: what the bank has heard of leaves the period's sums, and what it never will stays in them. */
  settle(): void;
}

/** Small things kept with the journal, each replaced as a whole. Who keeps one parses it. */
export interface Memory {
  /** Null until it was put. */
  get(key: 'signedPolicy' | 'times'): string | null;
  /** On disk when it returns. */
  put(key: 'signedPolicy' | 'times', value: string): void;
}

export interface Alarm {
  readonly kind: 'dead-letter' | 'results-refused' | 'bank-holds' | 'gallery' | 'policy' | 'journal' | 'protection';
  /** One sentence for the technician. */
  readonly message: string;
}

/** Signs what the journal records; Identity is one. */
export interface ResultSigner {
  readonly terminalId: Uuid | null;
  signResult(result: MatchResult): Promise<string>;
  signErasureReceipt(receipt: ErasureReceipt): Promise<string>;
  signProtectionReceipt(receipt: ProtectionReceipt): Promise<string>;
}

export interface Journal {
  /** Whether every page was read when it was opened. A large journal is used at once and read by `checkInBackground`. */
  readonly readWhole: boolean;
  /** How the disk does. While it is in trouble nothing new is begun and no result recorded: DISK_FULL, DISK_FAILED or
   *  DATABASE_CORRUPT. */
  readonly storage: Storage;
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
  readonly standIn: StandIns;
  readonly dayCloses: DayCloses;
  readonly memory: Memory;
  /** Signs that this person is forgotten here, stores the receipt and queues it in one commit. One a person, ever: where there
   *  is one already nothing happens. */
  recordErasureReceipt(erased: { readonly personId: Uuid; readonly cursor: number | null }): Promise<void>;
  /** Signs that everything here is under this protecting matrix, stores the receipt and queues it in one commit. One a matrix, ever. */
  recordProtectionReceipt(over: Pick<ProtectionReceipt, 'generation' | 'protectionVersion'>): Promise<void>;
  /** Queues that a person is moved to a newer embedder. The template is not in it. */
  queueRenewal(renewal: Renewal): void;
  /** Everybody for whom there is a receipt. */
  erasedPeople(): readonly Uuid[];
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
  /** Largest journal that is read whole before it is used, bytes. */
  readonly readWholeUpTo?: number;
  /** Space for what has begun to end; none is kept when not given. */
  readonly room?: Room;
}

/** "KPJ1" in ASCII. */
const APPLICATION_ID = 0x4b50_4a31;
/** About two weeks of a busy checkout without its bank. Far above what stand-in limits let happen. */
const OUTBOX_LIMIT_DEFAULT = 50_000;
/** Read in well under a second from a slow disk; some 30,000 transactions. */
const READ_WHOLE_UP_TO_DEFAULT = 64 * 2 ** 20;

/** Opens, checks and migrates the journal. Throws DATABASE_CORRUPT or DATABASE_NEWER, naming the file and changing nothing. */
export function openJournal(options: JournalOptions): Journal {
  const { path, clock, chance, signer, onAlarm, outboxLimit = OUTBOX_LIMIT_DEFAULT } = options;
  const { readWholeUpTo = READ_WHOLE_UP_TO_DEFAULT, room = NO_RESERVE } = options;
  let readWhole = true;
  const database: DatabaseOptions = {
    path,
    migrations: journalMigrations,
    applicationId: APPLICATION_ID,
    unusable: 'DATABASE_CORRUPT',
    now: clock.now,
    checkedWholeUpTo: readWholeUpTo,
    examine: (untouched, whole) => {
      readWhole = whole;
      belongsTo(signer.terminalId, metaOf(untouched).get('terminalId'), path);
      const problem = chainProblem(untouched, whole ? 'all' : 'newest');
      if (problem !== null) {
        throw new TerminalError('DATABASE_CORRUPT', `the database ${path}: ${problem}; nothing was changed`);
      }
    },
  };
  if (hadJournal(path) && databaseBytes(path) === 0) {
    throw new TerminalError(
      'DATABASE_CORRUPT',
      `the journal ${path} is empty or gone, and one was kept here: find it, or set up a new terminal in a new directory`,
    );
  }
  const db = openWithRoom(database, room);
  try {
    return journalOver(db, { path, clock, chance, signer, onAlarm, outboxLimit, readWhole, room });
  } catch (cause) {
    db.close();
    const known = translated(cause, path, 'DATABASE_CORRUPT');
    if (known instanceof TerminalError) throw known;
    // Pages may be whole and what is in them not: a name in the schema, a stored policy.
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new TerminalError('DATABASE_CORRUPT', `the journal ${path} holds what does not fit (${why}); keep the file`, {
      cause,
    });
  }
}

/** A log has to be made to open a database: on a full disk, in the space that was kept. */
function openWithRoom(options: DatabaseOptions, room: Room): Database {
  try {
    return openDatabase(options);
  } catch (error) {
    const noSpace = error instanceof TerminalError && (error.code === 'DISK_FULL' || error.code === 'DISK_FAILED');
    if (!noSpace || !room.held) throw error;
    room.release(null);
    return openDatabase(options);
  }
}

interface Over extends Omit<Required<JournalOptions>, 'readWholeUpTo'> {
  readonly readWhole: boolean;
}

function journalOver(db: Database, options: Over): Journal {
  const { path, clock, chance, signer, onAlarm, outboxLimit, readWhole, room } = options;
  const storage = storageOver(db, { path, room, clock });
  const { commit } = storage;
  const outbox = sqliteOutbox(db, path, { clock, onAlarm, commit });
  const chain = resultChain(db, { clock, chance, signer, outbox, commit });
  const meta = metaOf(db);
  if (signer.terminalId !== null && meta.get('terminalId') === null) meta.put('terminalId', signer.terminalId);
  const receipts = erasureReceipts(db, { clock, chance, signer, outbox, commit });
  const recordProtectionReceipt = protectionReceipts(db, { clock, chance, signer, outbox, commit });
  const totals = standIns(db);
  const read = transactionReader(db);

  const insertTransaction = db.prepare<unknown[]>('INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)');
  const insertEvent = db.prepare<unknown[]>('INSERT INTO transaction_events VALUES (?, ?, ?, ?, ?, ?)');
  const lastEvent = db.prepare<[string], { number: number; final: number }>(
    'SELECT number, final FROM transaction_events WHERE transaction_id = ? ORDER BY number DESC LIMIT 1',
  );
  const insertConsent = db.prepare<unknown[]>(
    'INSERT INTO consents (version, language, agreed, at, person_id) VALUES (?, ?, ?, ?, ?)',
  );
  const consentRows = db.prepare<[number], { agreed: number }>(
    'SELECT version, language, agreed, at, person_id AS personId FROM consents ORDER BY id DESC LIMIT ?',
  );

  /** Asked for every minute, and changed by `begin` and `record` alone; null when it has to be read. */
  let openNow: readonly JournaledTransaction[] | null = null;

  const queue = (transactionId: Uuid, messages: readonly OutboxMessage[]): void => {
    for (const message of messages) {
      outbox.enqueue(message, transactionId);
      if (message.kind === 'stand-in') totals.spend(message.body);
    }
  };

  return {
    readWhole,
    storage,
    begin: ({ transactionId, service, personId, amount, detail = {} }, messages = []) => {
      // Consent can be withdrawn however long the bank has been away.
      if (service !== 'opt-out' && outbox.size() >= outboxLimit) {
        throw new TerminalError(
          'BANK_UNREACHABLE',
          `the outbox holds ${outboxLimit} messages the bank has not heard: nothing new is begun`,
        );
      }
      openNow = null;
      commit('begins', () => {
        const at = clock.now();
        const { amountMinor = null, currency = null } = amount ?? {};
        insertTransaction.run(transactionId, service, personId, amountMinor, currency, JSON.stringify(detail), at);
        insertEvent.run(transactionId, 1, 'begun', '{}', 0, at);
        queue(transactionId, messages);
      });
    },
    record: (transactionId, { state, detail = {}, final = false, standIn }, messages = []) => {
      openNow = null;
      commit('goes-on', () => {
        const last = lastEvent.get(transactionId);
        if (!last || last.final === 1) {
          const why = last ? 'is final: nothing more can happen to it' : 'is not in the journal';
          throw new TerminalError('TRANSACTION_UNKNOWN', `transaction ${transactionId} ${why} (event "${state}")`);
        }
        insertEvent.run(transactionId, last.number + 1, state, JSON.stringify(detail), final ? 1 : 0, clock.now());
        if (standIn) totals.reserve(transactionId, standIn);
        queue(transactionId, messages);
        if (final) totals.release(transactionId);
      });
    },
    transaction: (transactionId) => read.one(transactionId),
    openTransactions: () => {
      openNow ??= read.open();
      return openNow;
    },
    transactions: ({ limit }) => read.newest(limit),
    recordResult: (unsigned) => chain.record(unsigned),
    head: () => {
      const head = chain.head();
      return head && { sequence: head.sequence, resultId: head.resultId };
    },
    outbox,
    outboxSize: outbox.size,
    dayCloses: dayCloses(db, { clock, outbox, commit }),
    standIn: { ...totals, settle: () => commit('keeps-books', totals.settle) },
    memory: { get: meta.get, put: (key, value) => commit('keeps-books', () => meta.put(key, value)) },
    recordErasureReceipt: receipts.record,
    recordProtectionReceipt,
    queueRenewal: (body) => commit('keeps-books', () => outbox.enqueue({ kind: 'renewal', body }, body.transactionId)),
    erasedPeople: receipts.people,
    recordConsent: (consent) =>
      commit('begins', () => {
        const { version, language, agreed, at, personId } = ConsentRecord.parse(consent);
        insertConsent.run(version, language, agreed ? 1 : 0, at, personId);
      }),
    consents: ({ limit }) =>
      consentRows.all(limit).map((row) => ConsentRecord.parse({ ...row, agreed: row.agreed === 1 })),
    close: () => {
      storage.close();
      db.close();
    },
  };
}

function metaOf(db: Database) {
  const select = db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck();
  const upsert = db.prepare<[string, string]>(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (key: string): string | null => select.get(key) ?? null,
    put: (key: string, value: string): void => void upsert.run(key, value),
  };
}

/** A journal is one terminal's. Under another's name its next result would claim a place in a chain it is not part of. */
function belongsTo(terminalId: Uuid | null, owner: string | null, path: string): void {
  if (terminalId === null || owner === null || owner === terminalId) return;
  throw new TerminalError(
    'CONFIG_INVALID',
    `the journal ${path} is terminal ${owner}'s, and this is terminal ${terminalId}`,
  );
}
