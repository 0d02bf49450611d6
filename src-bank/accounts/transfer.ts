/** Money from one account of the bank to another. */
import type { TransferAnswer, TransferRequest } from '../../src-contract/transfer.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { lockPerson, presentedIn } from '../people/pin-check.ts';
import { findResult, markUsed } from '../results/evidence.ts';
import { once } from './idempotency.ts';
import { accountView, type LockedAccount, lockCustomerAccount, post, wholeAmount } from './ledger.ts';
import { latestQuestion } from './payees.ts';
import { declinedTransfer, isStale, unsupported } from './transfer-rules.ts';

/**
 * One entry, both legs or neither. Whatever was true when the payee was asked about is looked at again, with both accounts locked.
 * An erased payee is paid like any other: erasure takes the face, the account stays theirs.
 */
export async function transfer(
  context: BankContext,
  terminal: Terminal,
  request: TransferRequest,
): Promise<TransferAnswer> {
  const amountMinor = wholeAmount(request.amount);
  return await once<TransferAnswer>(context, terminal, 'transfer', request, async (tx) => {
    const recorded = await findResult(tx, request.resultId);
    const person = await lockPerson(context, tx, request.personId, presentedIn(terminal, recorded));
    if (!person) return declinedTransfer('unknown-person');
    if (unsupported(recorded, request, terminal, context.policy) || isStale(recorded, context.clock.now())) {
      return declinedTransfer('result-not-accepted');
    }
    if (person.pinLocked) return declinedTransfer('pin-locked', { attemptsLeft: 0 });
    const maxMinor = context.policy.services.transfer.maxAmountMinor;
    if (maxMinor !== null && amountMinor > maxMinor) return declinedTransfer('over-limit');
    const asked = await latestQuestion(context, tx, terminal, { ...request, ofNumber: request.payeeAccountNumber });
    const payerId = await accountIdOf(tx, request.personId);
    // Says of a number that was not asked about before not even whether there is such an account.
    if (!asked?.payeeId) return declinedTransfer('payee-not-asked');
    if (payerId === null) return declinedTransfer('account-closed');
    if (asked.payeeId === payerId) return declinedTransfer('same-account');
    const { payer, payee } = await lockBoth(context, tx, { payerId, payeeId: asked.payeeId });
    if (!payer.open) return declinedTransfer('account-closed');
    if (!payee.open) return declinedTransfer('payee-closed');
    if (amountMinor > payer.availableMinor) {
      return declinedTransfer('insufficient-funds', { availableMinor: payer.availableMinor });
    }
    // The payee was told to somebody with the right PIN only.
    await markUsed(tx, request.resultId, request.transactionId, { pinRight: true });
    await post(context, tx, {
      kind: 'transfer',
      transactionId: request.transactionId,
      terminalId: terminal.terminalId,
      at: context.clock.now(),
      postings: [
        { accountId: payer.accountId, creditMinor: -amountMinor },
        { accountId: payee.accountId, creditMinor: amountMinor },
      ],
    });
    const after = {
      ...payer,
      ledgerMinor: payer.ledgerMinor - amountMinor,
      availableMinor: payer.availableMinor - amountMinor,
    };
    return { outcome: 'posted', account: accountView(after) };
  });
}

async function accountIdOf(tx: DbTransaction, personId: string): Promise<string | null> {
  const row = await tx
    .selectFrom('accounts')
    .select('account_id')
    .where('kind', '=', 'customer')
    .where('owner_id', '=', personId)
    .executeTakeFirst();
  return row?.account_id ?? null;
}

/** The smaller account id first, whoever pays: two transfers that cross each other wait, and neither for ever. */
async function lockBoth(
  context: BankContext,
  tx: DbTransaction,
  { payerId, payeeId }: { payerId: string; payeeId: string },
): Promise<{ payer: LockedAccount; payee: LockedAccount }> {
  const lock = async (accountId: string) => {
    const account = await lockCustomerAccount(context, tx, { accountId });
    if (!account) throw new Error(`the account ${accountId} is gone`);
    return account;
  };
  if (payerId < payeeId) {
    const payer = await lock(payerId);
    return { payer, payee: await lock(payeeId) };
  }
  const payee = await lock(payeeId);
  return { payer: await lock(payerId), payee };
}
