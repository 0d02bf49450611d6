/** What the ledger says, for the bank's staff. */
import { sql } from 'kysely';
import type { z } from 'zod';
import type { BankContext } from '../context.ts';
import type { AccountsAnswer, EntriesAnswer, HoldsAnswer, TrialBalanceAnswer } from '../http/admin-api.ts';

/** Rows as they come; the route's schema parses them before they leave. */
type Unparsed<Schema extends z.ZodType> = z.input<Schema>;
interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

export async function listAccounts(
  { database, clock }: BankContext,
  page: Page,
): Promise<Unparsed<typeof AccountsAnswer>> {
  const rows = await database.db
    .selectFrom('accounts')
    .select(['account_id', 'kind', 'owner_id', 'number', 'currency', 'status', 'balance_minor'])
    .select((select) =>
      select
        .selectFrom('holds')
        .select(sql<number>`coalesce(sum(amount_minor), 0)::bigint`.as('held'))
        .whereRef('holds.account_id', '=', 'accounts.account_id')
        .where('state', '=', 'held')
        .where('expires_at', '>', clock.now())
        .as('held'),
    )
    .$if(page.after !== undefined, (query) => query.where('account_id', '>', page.after ?? ''))
    .orderBy('account_id')
    .limit(page.limit)
    .execute();
  return {
    accounts: rows.map((row) => ({
      accountId: row.account_id,
      kind: row.kind,
      ownerId: row.owner_id,
      accountEnding: row.number?.slice(-4) ?? null,
      currency: row.currency,
      status: row.status,
      ledgerMinor: row.balance_minor,
      heldMinor: row.held ?? 0,
      availableMinor: row.balance_minor - (row.held ?? 0),
    })),
  };
}

/** One statement each, so both see one moment of the ledger. */
export async function trialBalance({ database }: BankContext): Promise<Unparsed<typeof TrialBalanceAnswer>> {
  const totals = await database.db
    .selectFrom('postings')
    .select('currency')
    .select(sql<number>`coalesce(-sum(credit_minor) filter (where credit_minor < 0), 0)::bigint`.as('debit'))
    .select(sql<number>`coalesce(sum(credit_minor) filter (where credit_minor > 0), 0)::bigint`.as('credit'))
    .groupBy('currency')
    .orderBy('currency')
    .execute();
  const mismatched = await database.db
    .selectFrom('accounts')
    .leftJoin('postings', 'postings.account_id', 'accounts.account_id')
    .select('accounts.account_id')
    .groupBy('accounts.account_id')
    .having(sql<boolean>`accounts.balance_minor <> coalesce(sum(postings.credit_minor), 0)`)
    .execute();
  const currencies = totals.map(({ currency, debit, credit }) => ({
    currency,
    debitMinor: debit,
    creditMinor: credit,
    differenceMinor: credit - debit,
  }));
  return {
    balanced: mismatched.length === 0 && currencies.every(({ differenceMinor }) => differenceMinor === 0),
    currencies,
    mismatched: mismatched.map(({ account_id }) => account_id),
  };
}

export async function listEntries(
  { database }: BankContext,
  { limit, after }: { limit: number; after: number },
): Promise<Unparsed<typeof EntriesAnswer>> {
  const entries = await database.db
    .selectFrom('entries')
    .selectAll()
    .where('entry_seq', '>', after)
    .orderBy('entry_seq')
    .limit(limit)
    .execute();
  if (entries.length === 0) return { entries: [] };
  const postings = await database.db
    .selectFrom('postings')
    .innerJoin('accounts', 'accounts.account_id', 'postings.account_id')
    .select(['entry_id', 'postings.account_id', 'kind', 'postings.currency', 'credit_minor'])
    .where(
      'entry_id',
      'in',
      entries.map((entry) => entry.entry_id),
    )
    .orderBy('line')
    .execute();
  const byEntry = Map.groupBy(postings, (posting) => posting.entry_id);
  return {
    entries: entries.map((entry) => ({
      sequence: entry.entry_seq,
      entryId: entry.entry_id,
      kind: entry.kind,
      transactionId: entry.transaction_id,
      terminalId: entry.terminal_id,
      at: entry.at,
      recordedAt: entry.recorded_at,
      postings: (byEntry.get(entry.entry_id) ?? []).map((posting) => ({
        accountId: posting.account_id,
        accountKind: posting.kind,
        currency: posting.currency,
        creditMinor: posting.credit_minor,
      })),
    })),
  };
}

export async function listHolds({ database, clock }: BankContext, page: Page): Promise<Unparsed<typeof HoldsAnswer>> {
  const rows = await database.db
    .selectFrom('holds')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('hold_id', '>', page.after ?? ''))
    .orderBy('hold_id')
    .limit(page.limit)
    .execute();
  return {
    holds: rows.map((row) => ({
      holdId: row.hold_id,
      terminalId: row.terminal_id,
      authorisationKey: row.authorisation_key,
      transactionId: row.transaction_id,
      accountId: row.account_id,
      service: row.service,
      currency: row.currency,
      amountMinor: row.amount_minor,
      state: row.state === 'held' && row.expires_at <= clock.now() ? 'expired' : row.state,
      capturedMinor: row.captured_minor,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      endedAt: row.ended_at,
    })),
  };
}
