/** What a terminal says of its business day, held against the bank's own entries, transaction by transaction. */
import { sql } from 'kysely';
import {
  type CloseTransaction,
  DAY_CLOSE_TYP,
  DayClose,
  type DayCloseAnswer,
  type DayCloseDifference,
  type DayCloseRequest,
} from '../../src-contract/day-close.ts';
import { MinorUnits, type Uuid } from '../../src-contract/primitives.ts';
import { once } from '../accounts/idempotency.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { sha256Base64Url } from '../digest.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { verifySigned } from '../fleet/terminal-signature.ts';
import { ProblemError } from '../problem.ts';
import { recordIncident } from '../results/incidents.ts';

/** The contract's; more are counted as an incident, and staff look at the ledger itself. */
const DIFFERENCES_MAX = 1_000;
const PAGE = 500;

/**
 * Records the close whatever it says, since refusing would change nothing that happened: a number that was left out is an incident.
 * Only a close that is not this terminal's own word, or contradicts one that is recorded, is refused.
 */
export async function recordDayClose(
  context: BankContext,
  terminal: Terminal,
  request: DayCloseRequest,
): Promise<DayCloseAnswer> {
  const close = await verifiedClose(request, terminal);
  return await once(context, terminal, 'day-close', request, async (tx): Promise<DayCloseAnswer> => {
    // Closes of one terminal are compared one after the other.
    await tx
      .selectFrom('terminals')
      .select('terminal_id')
      .where('terminal_id', '=', terminal.terminalId)
      .forUpdate()
      .execute();
    const before = await lastClose(tx, terminal);
    await checkPlace(context, tx, terminal, { close, before });
    const books = await booksOf(tx, terminal, request.transactions);
    const compared = request.transactions.map((one) => compare(one, books));
    await name(tx, terminal, close.number, request.transactions);
    const unknown = await unknownToTerminal(tx, terminal, before);
    const differences = [...compared.flatMap(({ difference }) => difference ?? []), ...unknown];
    const answer: DayCloseAnswer = {
      number: close.number,
      matched: compared.filter(({ matched }) => matched).length,
      differences: differences.slice(0, DIFFERENCES_MAX),
      inFlight: compared.flatMap(({ inFlight }) => inFlight ?? []),
      cashDifferenceNotes: close.cash?.reduce((sum, { difference }) => sum + Math.abs(difference), 0) ?? null,
    };
    await tx
      .insertInto('day_closes')
      .values({
        close_id: close.closeId,
        terminal_id: terminal.terminalId,
        number: close.number,
        business_date: close.businessDate,
        jws: request.close,
        hash: sha256Base64Url(request.close),
        answer: JSON.stringify(answer),
        differences: differences.length,
        cash_difference: answer.cashDifferenceNotes,
        last_entry_seq: await newestEntry(tx, terminal),
        recorded_at: context.clock.now(),
      })
      .execute();
    if (differences.length > 0 || (answer.cashDifferenceNotes ?? 0) > 0) {
      const incident = {
        code: 'day-close-differs',
        terminalId: terminal.terminalId,
        detail: `close ${close.number} of ${close.businessDate}: ${differences.length} transactions differ, and ${answer.cashDifferenceNotes ?? 0} notes`,
        evidence: `day close ${close.closeId}`,
      } as const;
      await recordIncident(context, incident, tx);
    }
    return answer;
  });
}

async function verifiedClose(
  { close, transactions, idempotencyKey }: DayCloseRequest,
  terminal: Terminal,
): Promise<DayClose> {
  const refuse = (detail: string) =>
    new ProblemError('invalid-request', `close: ${detail}`, { field: 'close', incident: { evidence: close } });
  let json: unknown;
  try {
    const { payload, protectedHeader } = await verifySigned(close, terminal);
    if (protectedHeader.typ !== DAY_CLOSE_TYP) throw new Error('another typ');
    json = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw refuse(`is not signed by this terminal as ${DAY_CLOSE_TYP}`);
  }
  const parsed = DayClose.safeParse(json);
  if (!parsed.success) throw refuse(`does not fit at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`);
  const { closeId, terminalId, transactionsSha256 } = parsed.data;
  if (terminalId !== terminal.terminalId) throw refuse("is another terminal's");
  if (closeId !== idempotencyKey) throw refuse('has another id than the request');
  if (transactionsSha256 !== sha256Base64Url(JSON.stringify(transactions)))
    throw refuse('was made over other transactions');
  return parsed.data;
}

interface Before {
  readonly number: number;
  readonly hash: string;
  readonly last_entry_seq: number;
}

async function lastClose(tx: DbTransaction, terminal: Terminal): Promise<Before | undefined> {
  return await tx
    .selectFrom('day_closes')
    .select(['number', 'hash', 'last_entry_seq'])
    .where('terminal_id', '=', terminal.terminalId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
}

async function checkPlace(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { close, before }: { close: DayClose; before: Before | undefined },
): Promise<void> {
  const expected = (before?.number ?? 0) + 1;
  if (close.number < expected) {
    throw new ProblemError('conflict', `close ${close.number} is recorded already with other content`, {
      field: 'close',
      incident: { evidence: `day close ${close.closeId}` },
    });
  }
  if (close.number === expected && close.previousHash === (before?.hash ?? null)) return;
  const incident = {
    code: 'day-close-gap',
    terminalId: terminal.terminalId,
    detail: `after close ${expected - 1} came ${close.number}, which names another one before it`,
    evidence: `day close ${close.closeId}`,
  } as const;
  await recordIncident(context, incident, tx);
}

interface Books {
  /** Of this terminal's transactions: what was posted. */
  readonly posted: ReadonlyMap<string, number>;
  readonly held: ReadonlySet<string>;
}

async function booksOf(
  tx: DbTransaction,
  terminal: Terminal,
  transactions: readonly CloseTransaction[],
): Promise<Books> {
  const posted = new Map<string, number>();
  const held = new Set<string>();
  for (let at = 0; at < transactions.length; at += PAGE) {
    const ids = transactions.slice(at, at + PAGE).map(({ transactionId }) => transactionId);
    const entries = await tx
      .selectFrom('entries')
      .innerJoin('postings', 'postings.entry_id', 'entries.entry_id')
      .select('transaction_id')
      .select(sql<number>`sum(credit_minor) filter (where credit_minor > 0)::bigint`.as('moved'))
      .where('terminal_id', '=', terminal.terminalId)
      .where('transaction_id', 'in', ids)
      .groupBy('transaction_id')
      .execute();
    for (const { transaction_id, moved } of entries) posted.set(transaction_id, moved);
    const holds = await tx
      .selectFrom('holds')
      .select('transaction_id')
      .where('terminal_id', '=', terminal.terminalId)
      .where('transaction_id', 'in', ids)
      .where('state', '=', 'held')
      .execute();
    for (const { transaction_id } of holds) held.add(transaction_id);
  }
  return { posted, held };
}

interface Compared {
  readonly matched: boolean;
  readonly difference?: DayCloseDifference;
  readonly inFlight?: DayCloseAnswer['inFlight'][number];
}

function compare({ transactionId, amountMinor, standing }: CloseTransaction, { posted, held }: Books): Compared {
  const bankMinor = posted.get(transactionId);
  if (standing === 'suspect' || standing === 'open')
    return { matched: false, inFlight: { transactionId, what: standing } };
  if (bankMinor === undefined) {
    if (held.has(transactionId)) return { matched: false, inFlight: { transactionId, what: 'held' } };
    if (standing === 'queued') return { matched: false, inFlight: { transactionId, what: 'queued' } };
    if (amountMinor === 0) return { matched: true };
    return {
      matched: false,
      difference: { transactionId, what: 'not-posted', terminalMinor: amountMinor, bankMinor: null },
    };
  }
  if (bankMinor === amountMinor) return { matched: true };
  const difference = { transactionId, what: 'amount-differs' as const, terminalMinor: amountMinor };
  return { matched: false, difference: { ...difference, bankMinor: MinorUnits.parse(bankMinor) } };
}

async function name(
  tx: DbTransaction,
  terminal: Terminal,
  number: number,
  transactions: readonly CloseTransaction[],
): Promise<void> {
  for (let at = 0; at < transactions.length; at += PAGE) {
    await tx
      .insertInto('day_close_transactions')
      .values(
        transactions
          .slice(at, at + PAGE)
          .map(({ transactionId }) => ({ terminal_id: terminal.terminalId, transaction_id: transactionId, number })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/**
 * Entries that no close names. An entry can reach the bank before the close of its day does, so only those are judged that were here
 * when the close before this one came: the terminal has had a whole day to name them. Each entry is looked at once.
 */
async function unknownToTerminal(
  tx: DbTransaction,
  terminal: Terminal,
  before: Before | undefined,
): Promise<DayCloseDifference[]> {
  if (!before) return [];
  const earlier = await tx
    .selectFrom('day_closes')
    .select('last_entry_seq')
    .where('terminal_id', '=', terminal.terminalId)
    .where('number', '<', before.number)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rows = await tx
    .selectFrom('entries')
    .innerJoin('postings', 'postings.entry_id', 'entries.entry_id')
    .select('transaction_id')
    .select(sql<number>`sum(credit_minor) filter (where credit_minor > 0)::bigint`.as('moved'))
    .where('terminal_id', '=', terminal.terminalId)
    .where('entry_seq', '>', earlier?.last_entry_seq ?? 0)
    .where('entry_seq', '<=', before.last_entry_seq)
    // A transfer is the bank's own entry, made when it answered: no cash moved, and the terminal has nothing to add.
    .where('kind', '<>', 'transfer')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('day_close_transactions as named')
            .select('named.number')
            .whereRef('named.terminal_id', '=', 'entries.terminal_id')
            .whereRef('named.transaction_id', '=', 'entries.transaction_id'),
        ),
      ),
    )
    .groupBy('transaction_id')
    .limit(DIFFERENCES_MAX)
    .execute();
  return rows.map(({ transaction_id, moved }) => ({
    transactionId: transaction_id as Uuid,
    what: 'unknown-to-terminal',
    terminalMinor: null,
    bankMinor: MinorUnits.parse(moved),
  }));
}

async function newestEntry(tx: DbTransaction, terminal: Terminal): Promise<number> {
  const row = await tx
    .selectFrom('entries')
    .select(sql<number>`coalesce(max(entry_seq), 0)::bigint`.as('newest'))
    .where('terminal_id', '=', terminal.terminalId)
    .executeTakeFirstOrThrow();
  return row.newest;
}
