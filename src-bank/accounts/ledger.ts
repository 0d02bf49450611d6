/** Accounts and entries. See database/migrations/0003-ledger.ts for what a posting's sign means. */
import { sql } from 'kysely';
import type { AccountView } from '../../src-contract/bank-api.ts';
import { type MinorUnits, money } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { isUniqueViolation } from '../database/failures.ts';
import type { AccountKind, EntryKind } from '../database/tables.ts';
import { ProblemError } from '../problem.ts';

/** The currency of every account of this bank. */
export const CURRENCY = 'JPY';

export interface CustomerAccount {
  readonly accountId: string;
  readonly number: string;
  /** Sum of postings; negative when overdrawn by a stand-in. */
  readonly ledgerMinor: number;
  /** Ledger less what is held. */
  readonly availableMinor: number;
}

/** Nobody else's entry or hold comes between until the db transaction ends. */
export type LockedAccount = CustomerAccount & { readonly open: boolean };

/** Amounts count what an account is credited; debits are negative. */
interface Posting {
  readonly accountId: string;
  readonly creditMinor: number;
}

/** A random ten-digit number that no account has. */
export async function openCustomerAccount(
  { clock, chance }: BankContext,
  tx: DbTransaction,
  personId: string,
): Promise<CustomerAccount> {
  const accountId = chance.id();
  // Ten tries at 1 in 10^10 times the number of accounts each: never more than one in practice.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const number = accountNumber(chance.bytes(8));
    const inserted = await tx
      .insertInto('accounts')
      .values({
        account_id: accountId,
        kind: 'customer',
        owner_id: personId,
        number,
        currency: CURRENCY,
        opened_at: clock.now(),
      })
      .onConflict((conflict) => conflict.column('number').doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 1n) return { accountId, number, ledgerMinor: 0, availableMinor: 0 };
  }
  throw new Error('no free account number was found');
}

/** 2^64 is 1.8 × 10^9 times 10^10, so the bias of the remainder is below one in a thousand million. */
function accountNumber(random: Uint8Array): string {
  const value = Buffer.from(random).readBigUInt64BE() % 10_000_000_000n;
  return value.toString().padStart(10, '0');
}

/** The person's account, locked until the db transaction ends: nobody else's hold or entry comes between. */
export async function lockCustomerAccount(
  { clock }: Pick<BankContext, 'clock'>,
  tx: DbTransaction,
  by: { personId: string } | { accountId: string },
): Promise<LockedAccount | null> {
  const row = await tx
    .selectFrom('accounts')
    .select(['account_id', 'number', 'balance_minor', 'status'])
    .where('kind', '=', 'customer')
    .$if('personId' in by, (query) => query.where('owner_id', '=', (by as { personId: string }).personId))
    .$if('accountId' in by, (query) => query.where('account_id', '=', (by as { accountId: string }).accountId))
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) return null;
  const held = await heldMinor(tx, row.account_id, clock.now());
  return {
    accountId: row.account_id,
    number: row.number ?? '',
    ledgerMinor: row.balance_minor,
    availableMinor: row.balance_minor - held,
    open: row.status === 'open',
  };
}

async function heldMinor(tx: DbTransaction, accountId: string, now: number): Promise<number> {
  const { held } = await tx
    .selectFrom('holds')
    .select(sql<number>`coalesce(sum(amount_minor), 0)::bigint`.as('held'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'held')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return held;
}

/** The bank's own account of this kind, opened when first needed. */
export async function ownAccount(
  { clock, chance }: BankContext,
  tx: DbTransaction,
  kind: Exclude<AccountKind, 'customer'>,
  ownerId: string | null,
): Promise<string> {
  await tx
    .insertInto('accounts')
    .values({
      account_id: chance.id(),
      kind,
      owner_id: ownerId,
      number: null,
      currency: CURRENCY,
      opened_at: clock.now(),
    })
    .onConflict((conflict) => conflict.columns(['kind', 'owner_id', 'currency']).doNothing())
    .execute();
  const row = await tx
    .selectFrom('accounts')
    .select('account_id')
    .where('kind', '=', kind)
    .where('owner_id', ownerId === null ? 'is' : '=', ownerId)
    .where('currency', '=', CURRENCY)
    .executeTakeFirstOrThrow();
  return row.account_id;
}

export interface Entry {
  readonly kind: EntryKind;
  readonly transactionId: string;
  readonly terminalId: string;
  /** When it happened, which for a stand-in is before it is recorded. */
  readonly at: number;
  readonly postings: readonly Posting[];
}

/** Writes an entry. Throws conflict when the transaction has one already. Zero postings are left out. */
export async function post({ clock, chance }: BankContext, tx: DbTransaction, entry: Entry): Promise<void> {
  const entryId = chance.id();
  try {
    await tx
      .insertInto('entries')
      .values({
        entry_id: entryId,
        kind: entry.kind,
        transaction_id: entry.transactionId,
        terminal_id: entry.terminalId,
        at: entry.at,
        recorded_at: clock.now(),
      })
      .execute();
  } catch (error) {
    if (!isUniqueViolation(error, 'entries_transaction_id_key')) throw error;
    throw new ProblemError('conflict', 'this transaction is posted already under another idempotency key', {
      field: 'transactionId',
    });
  }
  const lines = entry.postings.filter((posting) => posting.creditMinor !== 0);
  await tx
    .insertInto('postings')
    .values(
      lines.map((posting, index) => ({
        entry_id: entryId,
        line: index + 1,
        account_id: posting.accountId,
        currency: CURRENCY,
        credit_minor: posting.creditMinor,
      })),
    )
    .execute();
  for (const posting of lines) {
    await tx
      .updateTable('accounts')
      .set((set) => ({ balance_minor: set('balance_minor', '+', posting.creditMinor) }))
      .where('account_id', '=', posting.accountId)
      .execute();
  }
}

/** What a terminal may know. The contract's money is never negative: an overdrawn account shows as empty. */
export function accountView(account: CustomerAccount): AccountView {
  return {
    accountEnding: account.number.slice(-4),
    available: money(Math.max(0, account.availableMinor), CURRENCY),
    ledger: money(Math.max(0, account.ledgerMinor), CURRENCY),
  };
}

/** Throws invalid-request for another currency, or for nothing. */
export function wholeAmount(amount: { amountMinor: MinorUnits; currency: string }, field = 'amount'): number {
  if (amount.currency !== CURRENCY) {
    throw new ProblemError('invalid-request', `${field}.currency: this bank keeps accounts in ${CURRENCY} only`, {
      field: `${field}.currency`,
    });
  }
  if (amount.amountMinor === 0) {
    throw new ProblemError('invalid-request', `${field}.amountMinor: must be greater than zero`, {
      field: `${field}.amountMinor`,
    });
  }
  return amount.amountMinor;
}
