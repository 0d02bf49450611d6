/** Asking for money to be held, or for the balance: face, PIN, limits and funds, in that order. */
import { AuthoriseAnswer, type AuthoriseRequest, type DeclineReason } from '../../src-contract/bank-api.ts';
import { money } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { isUniqueViolation } from '../database/failures.ts';
import { checkDispense, type DispenseCheck, makeGrant } from '../dispense/grant.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { openPinBlock } from '../people/pad-keys.ts';
import { checkPin, type LockedPerson, lockPerson, presentedIn, spendPinNonce } from '../people/pin-check.ts';
import type { OpenPin } from '../pin.ts';
import { wantsPin } from '../policy.ts';
import { ProblemError } from '../problem.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { once } from './idempotency.ts';
import { accountView, CURRENCY, type CustomerAccount, lockCustomerAccount, wholeAmount } from './ledger.ts';

/** A terminal that was offline after dispensing must find its hold again; a week covers the longest holidays. */
const HOLD_EXPIRES_IN_MS = 7 * 24 * 60 * 60 * 1000;

export async function authorise(
  context: BankContext,
  terminal: Terminal,
  request: AuthoriseRequest,
): Promise<AuthoriseAnswer> {
  const amountMinor = requestedMinor(request);
  const answer = await once<AuthoriseAnswer>(context, terminal, 'authorise', request, async (tx) => {
    const dispense = await checkDispense(context, tx, terminal, request);
    const recorded = await findResult(tx, request.resultId);
    const pin = await openPin(context, tx, terminal, request);
    const person = await lockPerson(context, tx, request.personId, presentedIn(terminal, recorded));
    if (!person) return declined('unknown-person');
    if (objection(recorded, request, terminal, context.policy)) return declined('result-not-accepted');
    if (dispense.needs === 'refusal') return declined('dispense-not-secured');
    const maxMinor = context.policy.services[request.service].maxAmountMinor;
    if (maxMinor !== null && amountMinor > maxMinor) return declined('over-limit');
    const secondFactor = await checkSecondFactor(context, tx, {
      request,
      person,
      pin,
      claimed: recorded.result.claimed !== null,
    });
    if (secondFactor) return secondFactor;
    const account = await lockCustomerAccount(context, tx, { personId: request.personId });
    if (!account?.open) return declined('account-closed');
    if (amountMinor > account.availableMinor) {
      // Only somebody who knows the PIN is told how much there is.
      return declined('insufficient-funds', { availableMinor: pin ? Math.max(0, account.availableMinor) : null });
    }
    await markUsed(tx, request.resultId, request.transactionId, { pinRight: pin !== null });
    return await approve(context, tx, terminal, { request, account, amountMinor, dispense });
  });
  // A first answer from before there were grants lacks what the schema fills in.
  return AuthoriseAnswer.parse(answer);
}

/** 0 for a balance. */
function requestedMinor({ service, amount }: AuthoriseRequest): number {
  if (service === 'balance') {
    if (amount === null) return 0;
    throw new ProblemError('invalid-request', 'amount: must be null for a balance', { field: 'amount' });
  }
  if (amount === null) {
    throw new ProblemError('invalid-request', `amount: must be given for a ${service}`, { field: 'amount' });
  }
  return wholeAmount(amount);
}

function declined(
  reason: DeclineReason,
  { attemptsLeft = null, availableMinor = null }: { attemptsLeft?: number | null; availableMinor?: number | null } = {},
): AuthoriseAnswer {
  const available = availableMinor === null ? null : money(availableMinor, CURRENCY);
  return { outcome: 'declined', reason, attemptsLeft, available };
}

async function openPin(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { pinBlock, transactionId }: AuthoriseRequest,
): Promise<OpenPin | null> {
  if (pinBlock === null) return null;
  const pin = await openPinBlock(context, tx, terminal, { block: pinBlock, boundTo: transactionId, field: 'pinBlock' });
  await spendPinNonce(context, tx, pin, 'pinBlock');
  return pin;
}

/** Null when face and PIN satisfy the policy. A locked PIN stops services that would not have asked for it, too. */
async function checkSecondFactor(
  context: BankContext,
  tx: DbTransaction,
  {
    request,
    person,
    pin,
    claimed,
  }: { request: AuthoriseRequest; person: LockedPerson; pin: OpenPin | null; claimed: boolean },
): Promise<AuthoriseAnswer | null> {
  if (person.pinLocked) return declined('pin-locked', { attemptsLeft: 0 });
  if (pin === null) {
    const amountMinor = request.amount?.amountMinor ?? null;
    const wanted = claimed || person.hasLookAlike || wantsPin(context.policy, request.service, amountMinor);
    return wanted ? declined('pin-required') : null;
  }
  const checked = await checkPin(context, tx, person, pin);
  switch (checked.verdict) {
    case 'right':
      return null;
    case 'wrong':
      return declined('pin-wrong', { attemptsLeft: checked.attemptsLeft });
    case 'locked':
      return declined('pin-locked', { attemptsLeft: 0 });
  }
}

async function approve(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  granted: { request: AuthoriseRequest; account: CustomerAccount; amountMinor: number; dispense: DispenseCheck },
): Promise<AuthoriseAnswer> {
  const { clock, chance } = context;
  const { request, account, amountMinor, dispense: check } = granted;
  const authorisationId = chance.id();
  if (request.service !== 'balance') {
    const now = clock.now();
    try {
      await tx
        .insertInto('holds')
        .values({
          hold_id: authorisationId,
          terminal_id: terminal.terminalId,
          authorisation_key: request.idempotencyKey,
          transaction_id: request.transactionId,
          account_id: account.accountId,
          service: request.service,
          currency: CURRENCY,
          amount_minor: amountMinor,
          captured_minor: null,
          created_at: now,
          expires_at: now + HOLD_EXPIRES_IN_MS,
          ended_at: null,
        })
        .execute();
    } catch (error) {
      if (!isUniqueViolation(error, 'holds_one_per_transaction')) throw error;
      throw new ProblemError('conflict', 'this transaction has an authorisation already under another key', {
        field: 'transactionId',
      });
    }
  }
  const after = { ...account, availableMinor: account.availableMinor - amountMinor };
  const dispense =
    check.needs === 'token'
      ? await makeGrant(context, tx, terminal, { ...check, holdId: authorisationId, amountMinor })
      : null;
  return { outcome: 'approved', authorisationId, account: accountView(after), dispense };
}
