/** Purchases that a terminal approved while the bank could not be asked. */
import type { PostingAnswer, StandInRequest } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { madeAfterWithdrawal } from '../people/withdrawal.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { type IncidentCode, recordIncident } from '../results/incidents.ts';
import { lockPersonOf, tellOfLateCharge } from './give-back.ts';
import { once } from './idempotency.ts';
import { accountView, lockCustomerAccount, ownAccount, post, wholeAmount } from './ledger.ts';

/**
 * Always posted: the goods are gone. The customer pays, even beyond their means; where the signed evidence does not show that it
 * was this customer, or they had withdrawn consent before the match was made, the bank's suspense account does until somebody has
 * looked.
 */
export async function standIn(
  context: BankContext,
  terminal: Terminal,
  request: StandInRequest,
): Promise<PostingAnswer> {
  const amountMinor = wholeAmount(request.amount);
  return await once(context, terminal, 'stand-in', request, async (tx): Promise<PostingAnswer> => {
    const recorded = await findResult(tx, request.resultId);
    await lockPersonOf(tx, request.personId);
    const account = await lockCustomerAccount(context, tx, { personId: request.personId });
    const claim = { ...request, service: 'purchase' } as const;
    const against = account
      ? objection(recorded, claim, terminal, context.policy)
      : 'it is of a person without an account';
    const late = against === null && (await madeAfterWithdrawal(tx, request.personId, request.resultId));
    const payer = against === null && !late ? account : null;
    if (against === null) await markUsed(tx, request.resultId, request.transactionId);
    await post(context, tx, {
      kind: 'stand-in',
      transactionId: request.transactionId,
      terminalId: terminal.terminalId,
      at: request.at,
      postings: [
        { accountId: payer?.accountId ?? (await ownAccount(context, tx, 'suspense', null)), creditMinor: -amountMinor },
        { accountId: await ownAccount(context, tx, 'merchant', terminal.terminalId), creditMinor: amountMinor },
      ],
    });
    await tellOfBreach(context, tx, terminal, { request, against });
    if (late) await tellOfLateCharge(context, tx, { ...terminal, transactionId: request.transactionId });
    if (!payer) return { outcome: 'posted', account: null };
    const after = {
      ...payer,
      ledgerMinor: payer.ledgerMinor - amountMinor,
      availableMinor: payer.availableMinor - amountMinor,
    };
    return { outcome: 'posted', account: accountView(after) };
  });
}

async function tellOfBreach(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { request, against }: { request: StandInRequest; against: string | null },
): Promise<void> {
  const tell = (code: IncidentCode, detail: string) =>
    recordIncident(
      context,
      { code, terminalId: terminal.terminalId, detail, evidence: `transaction ${request.transactionId}` },
      tx,
    );
  if (against) await tell('stand-in-without-evidence', `posted to suspense, because of the match result: ${against}`);
  if (request.amount.amountMinor > context.policy.standIn.purchase.perTransactionMinor) {
    await tell('stand-in-over-limit', 'a purchase above the stand-in limit was approved by the terminal, and posted');
  }
}
