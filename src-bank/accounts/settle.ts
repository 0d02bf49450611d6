/** What became of an authorisation: money moved (capture) or did not (reversal). */
import type { CaptureRequest, PostingAnswer, ReversalRequest } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { claimKey, once, operationOf } from './idempotency.ts';
import { accountView, CURRENCY, lockCustomerAccount, ownAccount, post } from './ledger.ts';

interface Hold {
  readonly hold_id: string;
  readonly transaction_id: string;
  readonly account_id: string;
  readonly service: 'withdraw' | 'purchase';
  readonly amount_minor: number;
  readonly state: 'held' | 'captured' | 'released';
}

/** Posts what moved and releases the rest. Late is late, but posted: an expired hold is captured too. */
export async function capture(
  context: BankContext,
  terminal: Terminal,
  request: CaptureRequest,
): Promise<PostingAnswer> {
  return await once(context, terminal, 'capture', request, async (tx) => {
    const hold = await lockHold(tx, terminal, request.authorisationKey);
    if (!hold) throw await noHold(tx, terminal, request.authorisationKey);
    if (hold.state !== 'held') throw contradiction(`the authorisation is ${hold.state} already`, request);
    if (request.amount.currency !== CURRENCY) {
      throw new ProblemError('invalid-request', `amount.currency: the hold is in ${CURRENCY}`, {
        field: 'amount.currency',
      });
    }
    const movedMinor = request.amount.amountMinor;
    if (movedMinor > hold.amount_minor) throw contradiction('the amount is more than was held', request);
    await endHold(context, tx, hold, { state: movedMinor === 0 ? 'released' : 'captured', capturedMinor: movedMinor });
    if (movedMinor > 0) await postCapture(context, tx, terminal, { hold, movedMinor });
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
    const hold = await lockHold(tx, terminal, request.authorisationKey);
    // Declined, a balance, or barred before: nothing is held.
    if (!hold) return { outcome: 'posted', account: null };
    if (hold.state === 'captured') throw contradiction('the authorisation is captured already', request);
    if (hold.state === 'held') await endHold(context, tx, hold, { state: 'released', capturedMinor: null });
    return await posted(context, tx, hold.account_id);
  });
}

async function lockHold(tx: DbTransaction, terminal: Terminal, authorisationKey: string): Promise<Hold | undefined> {
  return await tx
    .selectFrom('holds')
    .select(['hold_id', 'transaction_id', 'account_id', 'service', 'amount_minor', 'state'])
    .where('terminal_id', '=', terminal.terminalId)
    .where('authorisation_key', '=', authorisationKey)
    .forUpdate()
    .executeTakeFirst();
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

async function endHold(
  { clock }: BankContext,
  tx: DbTransaction,
  hold: Hold,
  end: { state: 'captured' | 'released'; capturedMinor: number | null },
): Promise<void> {
  await tx
    .updateTable('holds')
    .set({ state: end.state, captured_minor: end.capturedMinor, ended_at: clock.now() })
    .where('hold_id', '=', hold.hold_id)
    .execute();
}

async function postCapture(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { hold, movedMinor }: { hold: Hold; movedMinor: number },
): Promise<void> {
  // Locked in the order all entries use: the customer's account, then the bank's own.
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
      { accountId: hold.account_id, creditMinor: -movedMinor },
      { accountId: counterpartId, creditMinor: movedMinor },
    ],
  });
}

async function posted(context: BankContext, tx: DbTransaction, accountId: string): Promise<PostingAnswer> {
  const account = await lockCustomerAccount(context, tx, { accountId });
  return { outcome: 'posted', account: account ? accountView(account) : null };
}
