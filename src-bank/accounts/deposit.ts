/** Notes that are in the machine. */
import type { DepositRequest, PostingAnswer } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { recordIncident } from '../results/incidents.ts';
import { once } from './idempotency.ts';
import { accountView, type CustomerAccount, lockCustomerAccount, ownAccount, post, wholeAmount } from './ledger.ts';

/**
 * Credits the person. The cash has moved, so nothing the customer did can decline it: an erased person is credited, and an
 * amount above the limit too (with an incident, since the terminal should have stopped earlier). Evidence that does not
 * fit is a conflict: crediting the wrong person cannot be taken back.
 */
export async function deposit(
  context: BankContext,
  terminal: Terminal,
  request: DepositRequest,
): Promise<PostingAnswer> {
  wholeAmount(request.amount);
  return await once(context, terminal, 'deposit', request, async (tx): Promise<PostingAnswer> => {
    const credited = await creditNotes(context, tx, terminal, request);
    if ('against' in credited) {
      throw new ProblemError('conflict', `the match result does not support this deposit: ${credited.against}`, {
        field: 'resultId',
        incident: { evidence: `deposit ${request.transactionId} with result ${request.resultId}` },
      });
    }
    return { outcome: 'posted', account: accountView(credited.account) };
  });
}

/** What the evidence says against it, or the account as it is now. */
export async function creditNotes(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  deposited: Omit<DepositRequest, 'idempotencyKey'>,
): Promise<{ readonly against: string } | { readonly account: CustomerAccount }> {
  const { transactionId, resultId, personId } = deposited;
  const { amountMinor } = deposited.amount;
  const maxMinor = context.policy.services.deposit.maxAmountMinor;
  const recorded = await findResult(tx, resultId);
  const against = objection(recorded, { ...deposited, service: 'deposit' }, terminal, context.policy);
  if (against) return { against };
  const account = await lockCustomerAccount(context, tx, { personId: personId });
  if (!account) throw new ProblemError('not-found', 'this person has no account', { field: 'personId' });
  await markUsed(tx, resultId, transactionId);
  await post(context, tx, {
    kind: 'deposit',
    transactionId,
    terminalId: terminal.terminalId,
    at: context.clock.now(),
    postings: [
      { accountId: await ownAccount(context, tx, 'cash', terminal.terminalId), creditMinor: -amountMinor },
      { accountId: account.accountId, creditMinor: amountMinor },
    ],
  });
  if (maxMinor !== null && amountMinor > maxMinor) {
    const incident = {
      code: 'deposit-over-limit',
      terminalId: terminal.terminalId,
      detail: 'a deposit above the policy was taken in by the terminal, and posted',
      evidence: `transaction ${transactionId}`,
    } as const;
    await recordIncident(context, incident, tx);
  }
  const after = {
    ...account,
    ledgerMinor: account.ledgerMinor + amountMinor,
    availableMinor: account.availableMinor + amountMinor,
  };
  return { account: after };
}
