/** Notes that are in the machine. */
import type { DepositRequest, PostingAnswer } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { recordIncident } from '../results/incidents.ts';
import { once } from './idempotency.ts';
import { accountView, lockCustomerAccount, ownAccount, post, wholeAmount } from './ledger.ts';

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
  const amountMinor = wholeAmount(request.amount);
  const maxMinor = context.policy.services.deposit.maxAmountMinor;
  return await once(context, terminal, 'deposit', request, async (tx): Promise<PostingAnswer> => {
    const recorded = await findResult(tx, request.resultId);
    const against = objection(recorded, { ...request, service: 'deposit' }, terminal, context.policy);
    if (against) {
      throw new ProblemError('conflict', `the match result does not support this deposit: ${against}`, {
        field: 'resultId',
        incident: { evidence: `deposit ${request.transactionId} with result ${request.resultId}` },
      });
    }
    const account = await lockCustomerAccount(context, tx, { personId: request.personId });
    if (!account) throw new ProblemError('not-found', 'this person has no account', { field: 'personId' });
    await markUsed(tx, request.resultId, request.transactionId);
    await post(context, tx, {
      kind: 'deposit',
      transactionId: request.transactionId,
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
        evidence: `transaction ${request.transactionId}`,
      } as const;
      await recordIncident(context, incident, tx);
    }
    const after = {
      ...account,
      ledgerMinor: account.ledgerMinor + amountMinor,
      availableMinor: account.availableMinor + amountMinor,
    };
    return { outcome: 'posted', account: accountView(after) };
  });
}
