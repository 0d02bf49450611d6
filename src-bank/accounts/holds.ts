/** Money that an authorisation keeps back, and how it ends: some of it moved, the rest is free again. */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { isLateFaceCharge, lockPersonOf, tellOfLateCharge } from './give-back.ts';
import { lockCustomerAccount, ownAccount, post } from './ledger.ts';

export interface Hold {
  readonly hold_id: string;
  readonly transaction_id: string;
  readonly account_id: string;
  readonly service: 'withdraw' | 'purchase';
  readonly amount_minor: number;
  readonly state: 'held' | 'captured' | 'released';
  readonly captured_minor: number | null;
}

/** The hold of this authorisation, locked until the db transaction ends. */
export async function lockHold(
  tx: DbTransaction,
  terminal: Terminal,
  authorisationKey: string,
): Promise<Hold | undefined> {
  return await holds(tx)
    .where('terminal_id', '=', terminal.terminalId)
    .where('authorisation_key', '=', authorisationKey)
    .forUpdate()
    .executeTakeFirst();
}

export async function lockHoldById(tx: DbTransaction, holdId: string): Promise<Hold> {
  return await holds(tx).where('hold_id', '=', holdId).forUpdate().executeTakeFirstOrThrow();
}

function holds(tx: DbTransaction) {
  return tx
    .selectFrom('holds')
    .select(['hold_id', 'transaction_id', 'account_id', 'service', 'amount_minor', 'state', 'captured_minor']);
}

/** Ends a hold: posts what moved, nothing when that is 0, and releases the rest. */
export async function endHold(
  context: BankContext,
  tx: DbTransaction,
  terminal: Pick<Terminal, 'terminalId'>,
  { hold, movedMinor }: { hold: Hold; movedMinor: number },
): Promise<void> {
  await tx
    .updateTable('holds')
    .set({
      state: movedMinor === 0 ? 'released' : 'captured',
      captured_minor: movedMinor === 0 ? null : movedMinor,
      ended_at: context.clock.now(),
    })
    .where('hold_id', '=', hold.hold_id)
    .execute();
  if (movedMinor > 0) await postMoved(context, tx, terminal, { hold, movedMinor });
}

async function postMoved(
  context: BankContext,
  tx: DbTransaction,
  terminal: Pick<Terminal, 'terminalId'>,
  { hold, movedMinor }: { hold: Hold; movedMinor: number },
): Promise<void> {
  const late = hold.service === 'purchase' && (await isLate(tx, hold));
  // Locked in the order all entries use: the person, the customer's account, then the bank's own.
  await lockCustomerAccount(context, tx, { accountId: hold.account_id });
  // Notes leave the terminal; a purchase is owed to the shop.
  const counterpart = hold.service === 'withdraw' ? 'cash' : 'merchant';
  const counterpartId = await ownAccount(context, tx, counterpart, terminal.terminalId);
  await post(context, tx, {
    kind: hold.service,
    transactionId: hold.transaction_id,
    terminalId: terminal.terminalId,
    at: context.clock.now(),
    postings: [
      {
        accountId: late ? await ownAccount(context, tx, 'suspense', null) : hold.account_id,
        creditMinor: -movedMinor,
      },
      { accountId: counterpartId, creditMinor: movedMinor },
    ],
  });
  if (late) await tellOfLateCharge(context, tx, { ...terminal, transactionId: hold.transaction_id });
}

/** Whether the face was looked at after its person had withdrawn consent: the bank gave the hold before it heard. */
async function isLate(tx: DbTransaction, hold: Hold): Promise<boolean> {
  const account = await tx
    .selectFrom('accounts')
    .select('owner_id')
    .where('account_id', '=', hold.account_id)
    .executeTakeFirstOrThrow();
  if (account.owner_id === null) return false;
  await lockPersonOf(tx, account.owner_id);
  return await isLateFaceCharge(tx, { personId: account.owner_id, transactionId: hold.transaction_id });
}
