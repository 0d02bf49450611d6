/** Accounts at the counter: what the bank's staff do with one. */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { ProblemError } from '../problem.ts';
import { lockCustomerAccount, openCustomerAccount } from './ledger.ts';

export interface CounterAccount {
  readonly accountId: string;
  readonly accountNumber: string;
  readonly holderName: string | null;
  readonly status: 'open' | 'closed';
}

/** Opens an account for somebody whose face is not registered: its owner is an id that names nobody who was enrolled. */
export async function openAtCounter(context: BankContext, holderName: string | null): Promise<CounterAccount> {
  return await context.database.transact(async (tx) => {
    const { accountId } = await openCustomerAccount(context, tx, context.chance.id());
    await nameHolder(tx, accountId, holderName);
    return await readAccount(tx, accountId);
  });
}

export async function accountAtCounter({ database }: BankContext, accountId: string): Promise<CounterAccount> {
  return await database.transact(async (tx) => await readAccount(tx, accountId));
}

/** @param holderName null takes the name away. */
export async function setHolderName(
  { database }: BankContext,
  accountId: string,
  holderName: string | null,
): Promise<CounterAccount> {
  return await database.transact(async (tx) => {
    await nameHolder(tx, accountId, holderName);
    return await readAccount(tx, accountId);
  });
}

/** Closes an account, or opens it again. Throws conflict for one that money is on, or that owes or holds some. */
export async function setAccountStatus(
  context: BankContext,
  accountId: string,
  status: 'open' | 'closed',
): Promise<CounterAccount> {
  return await context.database.transact(async (tx) => {
    const account = await lockCustomerAccount(context, tx, { accountId });
    if (!account) throw noAccount();
    if (status === 'closed' && (account.ledgerMinor !== 0 || account.availableMinor !== 0)) {
      throw new ProblemError('conflict', 'the account is not empty, or money is held on it: settle it first');
    }
    await tx.updateTable('accounts').set({ status }).where('account_id', '=', accountId).execute();
    return await readAccount(tx, accountId);
  });
}

async function nameHolder(tx: DbTransaction, accountId: string, holderName: string | null): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ holder_name: holderName })
    .where('account_id', '=', accountId)
    .where('kind', '=', 'customer')
    .execute();
}

async function readAccount(tx: DbTransaction, accountId: string): Promise<CounterAccount> {
  const row = await tx
    .selectFrom('accounts')
    .select(['account_id', 'number', 'holder_name', 'status'])
    .where('account_id', '=', accountId)
    .where('kind', '=', 'customer')
    .executeTakeFirst();
  if (!row) throw noAccount();
  return {
    accountId: row.account_id,
    accountNumber: row.number ?? '',
    holderName: row.holder_name,
    status: row.status,
  };
}

function noAccount(): ProblemError {
  return new ProblemError('not-found', 'no customer has an account with this id');
}
