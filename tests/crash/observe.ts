/**
 * What is true after a run, from where it cannot be told what it wants to hear: the devices' own file, the journals' files, the
 * bank's tables as its staff see them. Parsed, and added up by means of its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import type { DemoBank } from '../../scripts/demo/bank.ts';
import type { Terminal, World } from './world.ts';

const Tally = z.record(z.string(), z.int().nonnegative());
const Lots = z.array(z.looseObject({ item: z.string(), count: z.int().positive() }));
/** As much of the devices' file as says where notes are. */
const CashFile = z.looseObject({
  units: z.record(z.string(), z.looseObject({ kind: z.string(), notes: Tally })),
  places: z.record(z.string(), Lots),
  came: Tally,
});

/** Minor units, as all amounts here. */
export interface Cash {
  /** By kind of note: how many ever came into this world, and how many are somewhere. */
  readonly came: Readonly<Record<string, number>>;
  readonly somewhere: Readonly<Record<string, number>>;
  readonly cameMinor: number;
  /** In units and on their way, and lying where a customer can take them. */
  readonly machineMinor: number;
  /** Of those, in retract units: taken back from customers. */
  readonly retractMinor: number;
  readonly handMinor: number;
  /** Notes lying at the output and at the input. */
  readonly exitMinor: number;
  readonly returnMinor: number;
}

export interface Transaction {
  readonly transactionId: string;
  readonly service: string;
  readonly amountMinor: number | null;
  readonly state: string;
  readonly final: boolean;
  /** Why it is suspect; null for others. */
  readonly why: string | null;
}

export interface Journal {
  /** SQLite's word on the file: "ok", or what is wrong; null where it was not asked. */
  readonly integrity: string | null;
  readonly transactions: readonly Transaction[];
  readonly results: number;
  readonly waiting: number;
  readonly deadLetters: number;
}

const YEN_OF_NOTE = /^type(\d+)JPY/;

function worth(notes: Readonly<Record<string, number>>): number {
  return Object.entries(notes).reduce(
    (sum, [item, count]) => sum + Number(YEN_OF_NOTE.exec(item)?.[1] ?? 0) * count,
    0,
  );
}

function add(sums: Record<string, number>, item: string, count: number): void {
  sums[item] = (sums[item] ?? 0) + count;
}

/** Null where the terminal has no cash. */
export function readCash({ dataDir }: Pick<Terminal, 'dataDir'>): Cash | null {
  const path = join(`${dataDir}-devices`, 'state', 'cash.json');
  if (!existsSync(path)) return null;
  const { units, places, came } = CashFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  const somewhere: Record<string, number> = {};
  const at = (...names: string[]) => {
    const sums: Record<string, number> = {};
    for (const name of names) for (const { item, count } of places[name] ?? []) add(sums, item, count);
    return sums;
  };
  for (const { notes } of Object.values(units))
    for (const [item, count] of Object.entries(notes)) add(somewhere, item, count);
  const retracted = Object.values(units).filter(({ kind }) => kind === 'retract');
  const inUnits = worth(somewhere);
  for (const [item, count] of Object.entries(at(...Object.keys(places)))) add(somewhere, item, count);
  const ways = Object.keys(places).filter((name) => name !== 'hand' && name !== 'vault');
  return {
    came,
    somewhere,
    cameMinor: worth(came),
    machineMinor: inUnits + worth(at(...ways)),
    retractMinor: retracted.reduce((sum, { notes }) => sum + worth(notes), 0),
    handMinor: worth(at('hand')),
    exitMinor: worth(at('exit')),
    returnMinor: worth(at('return')),
  };
}

const JournalRow = z.strictObject({
  transactionId: z.string(),
  service: z.string(),
  amountMinor: z.int().nullable(),
  state: z.string(),
  final: z.int().transform((final) => final === 1),
  why: z.string().nullable(),
});

/** While the terminal runs; opened to look only. */
export function readJournal(path: string, { checked = false }: { checked?: boolean } = {}): Journal {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    const count = (sql: string) => z.int().parse(db.prepare(sql).pluck().get());
    return {
      integrity: checked ? String(db.pragma('integrity_check(1)', { simple: true })) : null,
      transactions: z.array(JournalRow).parse(
        db
          .prepare(
            `SELECT t.transaction_id AS transactionId, t.service, t.amount_minor AS amountMinor, e.state, e.final,
               CASE e.state WHEN 'suspect' THEN e.detail ->> 'why' END AS why
             FROM transactions t JOIN transaction_events e ON e.transaction_id = t.transaction_id AND e.number =
               (SELECT max(number) FROM transaction_events m WHERE m.transaction_id = t.transaction_id)
             ORDER BY t.transaction_id`,
          )
          .all(),
      ),
      results: count('SELECT coalesce(max(sequence), 0) FROM match_results'),
      waiting: count("SELECT count(*) FROM outbox WHERE state = 'waiting'"),
      deadLetters: count('SELECT count(*) FROM dead_letters'),
    };
  } finally {
    db.close();
  }
}

export interface Books {
  readonly balanced: boolean;
  /** Of people who are enrolled here. */
  readonly customerMinor: number;
  /** Of the account that transfers go to, whose owner comes to no machine. */
  readonly payeeMinor: number;
  /** What the bank thinks came into each terminal, less what went out, by terminal id. */
  readonly cashMinor: Readonly<Record<string, number>>;
  readonly entries: readonly {
    readonly transactionId: string;
    readonly kind: string;
    readonly customerMinor: number;
  }[];
  readonly held: readonly { readonly transactionId: string; readonly amountMinor: number }[];
  readonly dispenses: readonly {
    readonly transactionId: string;
    readonly state: string;
    readonly toldMinor: number | null;
  }[];
  readonly incidents: readonly string[];
}

export async function readBooks(bank: DemoBank, payeeId: string): Promise<Books> {
  const accounts = await bank.accounts();
  const entries = await bank.entries();
  const customers = accounts.filter(({ kind }) => kind === 'customer');
  const sum = (some: typeof accounts) => some.reduce((all, { ledgerMinor }) => all + ledgerMinor, 0);
  return {
    balanced: await bank.balanced(),
    customerMinor: sum(customers.filter(({ accountId }) => accountId !== payeeId)),
    payeeMinor: sum(customers.filter(({ accountId }) => accountId === payeeId)),
    cashMinor: Object.fromEntries(
      accounts
        .filter(({ kind }) => kind === 'cash')
        .map(({ ownerId, ledgerMinor }) => [ownerId ?? '', 0 - ledgerMinor]),
    ),
    entries: entries.map(({ transactionId, kind, postings }) => ({
      transactionId,
      kind,
      customerMinor: postings
        .filter(({ accountKind }) => accountKind === 'customer')
        .reduce((all, { creditMinor }) => all + creditMinor, 0),
    })),
    held: (await bank.holds()).filter(({ state }) => state === 'held' || state === 'expired'),
    dispenses: await bank.dispenses(),
    incidents: (await bank.incidents()).map(({ code, detail }) => `${code}: ${detail}`),
  };
}

export interface Chain {
  readonly results: number;
  readonly verified: boolean;
  readonly problem: string | null;
}

/** Everything at one moment of peace. */
export interface Observed {
  readonly books: Books;
  readonly terminals: readonly {
    readonly name: string;
    readonly terminalId: string;
    readonly cash: Cash | null;
    readonly journal: Journal;
    readonly chain: Chain;
    readonly resultsAtBank: readonly string[];
  }[];
}

export async function observe({ bank, terminals, payee }: World): Promise<Observed> {
  return {
    books: await readBooks(bank, payee.accountId),
    terminals: await Promise.all(
      terminals.map(async (terminal) => ({
        name: terminal.name,
        terminalId: terminal.terminalId,
        cash: readCash(terminal),
        journal: readJournal(terminal.journal, { checked: true }),
        chain: await bank.chain(terminal.terminalId),
        resultsAtBank: (await bank.results(terminal.terminalId)).map(({ resultId }) => resultId),
      })),
    ),
  };
}
