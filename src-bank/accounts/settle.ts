/** What became of an authorisation: money moved (capture) or did not (reversal). */
import type { CaptureRequest, PostingAnswer, ReversalRequest } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { lockDispenser } from '../dispense/keys.ts';
import { findGrant, settleGranted } from '../dispense/settlement.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { endHold, lockHold } from './holds.ts';
import { claimKey, once, operationOf } from './idempotency.ts';
import { accountView, CURRENCY, lockCustomerAccount } from './ledger.ts';

/** A terminal reverses so what it got no answer to (src-main/session/authorise.ts). */
const UNANSWERED = 'no-answer';

/** Posts what moved and releases the rest. Late is late, but posted: an expired hold is captured too. */
export async function capture(
  context: BankContext,
  terminal: Terminal,
  request: CaptureRequest,
): Promise<PostingAnswer> {
  return await once(context, terminal, 'capture', request, async (tx) => {
    await lockDispenser(context, tx, terminal);
    const hold = await lockHold(tx, terminal, request.authorisationKey);
    if (!hold) throw await noHold(tx, terminal, request.authorisationKey);
    if (request.amount.currency !== CURRENCY) {
      throw new ProblemError('invalid-request', `amount.currency: the hold is in ${CURRENCY}`, {
        field: 'amount.currency',
      });
    }
    const movedMinor = request.amount.amountMinor;
    const grant = await findGrant(tx, hold.hold_id);
    if (grant) {
      const report = { ...request, paidMinor: movedMinor, unanswered: false };
      return await settleGranted(context, tx, terminal, { hold, grant, report });
    }
    if (hold.state !== 'held') throw contradiction(`the authorisation is ${hold.state} already`, request);
    if (movedMinor > hold.amount_minor) throw contradiction('the amount is more than was held', request);
    await endHold(context, tx, terminal, { hold, movedMinor });
    return await posted(context, tx, hold.account_id);
  });
}

/** Releases the hold; bars an authorisation that has not arrived. Repeats under other keys change nothing. */
export async function reverse(
  context: BankContext,
  terminal: Terminal,
  request: ReversalRequest,
): Promise<PostingAnswer> {
  return await once(context, terminal, 'reverse', request, async (tx) => {
    const barred = await claimKey(context, tx, terminal, {
      operation: 'barred',
      key: request.authorisationKey,
      requestHash: '',
    });
    if (barred) return { outcome: 'posted', account: null };
    const operation = await operationOf(tx, terminal, request.authorisationKey);
    if (operation !== 'authorise' && operation !== 'barred') {
      throw contradiction(`authorisationKey is the key of another request (${operation})`, request);
    }
    await lockDispenser(context, tx, terminal);
    const hold = await lockHold(tx, terminal, request.authorisationKey);
    // Declined, a balance, or barred before: nothing is held.
    if (!hold) return { outcome: 'posted', account: null };
    const grant = await findGrant(tx, hold.hold_id);
    if (grant) {
      const report = { ...request, paidMinor: 0, unanswered: request.reason === UNANSWERED };
      return await settleGranted(context, tx, terminal, { hold, grant, report });
    }
    if (hold.state === 'captured') throw contradiction('the authorisation is captured already', request);
    if (hold.state === 'held') await endHold(context, tx, terminal, { hold, movedMinor: 0 });
    return await posted(context, tx, hold.account_id);
  });
}

async function noHold(tx: DbTransaction, terminal: Terminal, authorisationKey: string): Promise<ProblemError> {
  const operation = await operationOf(tx, terminal, authorisationKey);
  if (operation === undefined) {
    return new ProblemError('not-found', 'no authorisation with this key has reached the bank', {
      field: 'authorisationKey',
    });
  }
  const detail = operation === 'barred' ? 'the authorisation was reversed' : 'nothing is held under this key';
  return contradiction(detail, { authorisationKey });
}

/** A terminal that contradicts itself about money is looked at by a person. */
function contradiction(detail: string, { authorisationKey }: { authorisationKey: string }): ProblemError {
  return new ProblemError('conflict', detail, {
    field: 'authorisationKey',
    incident: { evidence: `authorisation ${authorisationKey}` },
  });
}

async function posted(context: BankContext, tx: DbTransaction, accountId: string): Promise<PostingAnswer> {
  const account = await lockCustomerAccount(context, tx, { accountId });
  return { outcome: 'posted', account: account ? accountView(account) : null };
}
