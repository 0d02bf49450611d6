/**
 * Whom does an account number belong to? A bank that answers this to anybody can be asked for all of its customers. So it is answered
 * to somebody who just proved with face and PIN who they are, for a transfer they could make, and only so often: per person, which
 * stops a curious one, and per terminal, which stops one that was taken over and makes up its people. Above that is an incident.
 */
import type { PayeeAnswer, PayeeRequest } from '../../src-contract/transfer.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { openPinBlock } from '../people/pad-keys.ts';
import { checkPin, type LockedPerson, lockPerson, presentedIn, spendPinNonce } from '../people/pin-check.ts';
import type { OpenPin } from '../pin.ts';
import { findResult } from '../results/evidence.ts';
import { recordIncident } from '../results/incidents.ts';
import { maskName } from './holder-name.ts';
import { once } from './idempotency.ts';
import { accountView, CURRENCY, lockCustomerAccount, wholeAmount } from './ledger.ts';
import { declinedTransfer, isStale, PROOF_VALID_MS, unsupported } from './transfer-rules.ts';

/** Payees one person may ask about within {@link WINDOW_MS}: a month's bills in one visit, with some mistyped. */
const PER_PERSON_MAX = 20;
/** At one terminal: somebody new every half minute. */
const PER_TERMINAL_MAX = 120;
const WINDOW_MS = 60 * 60 * 1000;

export async function askPayee(context: BankContext, terminal: Terminal, request: PayeeRequest): Promise<PayeeAnswer> {
  const amountMinor = wholeAmount(request.amount);
  return await once<PayeeAnswer>(context, terminal, 'payee', request, async (tx) => {
    const recorded = await findResult(tx, request.resultId);
    const pin = await openPin(context, tx, terminal, request);
    const person = await lockPerson(context, tx, request.personId, presentedIn(terminal, recorded));
    if (!person) return declinedTransfer('unknown-person');
    if (unsupported(recorded, request, terminal, context.policy) || isStale(recorded, context.clock.now())) {
      return declinedTransfer('result-not-accepted');
    }
    const maxMinor = context.policy.services.transfer.maxAmountMinor;
    if (maxMinor !== null && amountMinor > maxMinor) return declinedTransfer('over-limit');
    const withoutPin = await checkProof(context, tx, terminal, { request, person, pin });
    if (withoutPin) return withoutPin;
    if (await tooMany(context, tx, terminal, request.personId)) return declinedTransfer('payee-limit');
    const payee = await findByNumber(tx, request.payeeAccountNumber);
    await keepQuestion(context, tx, terminal, { request, payeeId: payee?.account_id ?? null });
    const payer = await lockCustomerAccount(context, tx, { personId: request.personId });
    if (!payer?.open) return declinedTransfer('account-closed');
    if (!payee) return declinedTransfer('payee-unknown');
    if (payee.account_id === payer.accountId) return declinedTransfer('same-account');
    if (payee.status !== 'open') return declinedTransfer('payee-closed');
    if (amountMinor > payer.availableMinor) {
      return declinedTransfer('insufficient-funds', { availableMinor: payer.availableMinor });
    }
    return {
      outcome: 'found',
      accountEnding: request.payeeAccountNumber.slice(-4),
      name: payee.holder_name === null ? null : maskName(payee.holder_name),
      account: accountView(payer),
    };
  });
}

async function openPin(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { pinBlock, transactionId }: PayeeRequest,
): Promise<OpenPin | null> {
  if (pinBlock === null) return null;
  const pin = await openPinBlock(context, tx, terminal, { block: pinBlock, boundTo: transactionId, field: 'pinBlock' });
  await spendPinNonce(context, tx, pin, 'pinBlock');
  return pin;
}

/** Null when the PIN is right, or was in this transaction. Whatever the policy says of the second factor: a name is at stake. */
async function checkProof(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { request, person, pin }: { request: PayeeRequest; person: LockedPerson; pin: OpenPin | null },
): Promise<PayeeAnswer | null> {
  if (person.pinLocked) return declinedTransfer('pin-locked', { attemptsLeft: 0 });
  if (pin === null) {
    const before = await latestQuestion(context, tx, terminal, request);
    return before ? null : declinedTransfer('pin-required');
  }
  const checked = await checkPin(context, tx, person, pin);
  switch (checked.verdict) {
    case 'right':
      return null;
    case 'wrong':
      return declinedTransfer('pin-wrong', { attemptsLeft: checked.attemptsLeft });
    case 'locked':
      return declinedTransfer('pin-locked', { attemptsLeft: 0 });
  }
}

/** Counted per person exactly, because the person is locked; per terminal a request or two more may pass at the same moment. */
async function tooMany(
  context: BankContext,
  tx: DbTransaction,
  { terminalId }: Terminal,
  personId: string,
): Promise<boolean> {
  const since = context.clock.now() - WINDOW_MS;
  const count = async (column: 'person_id' | 'terminal_id', id: string) => {
    const { questions } = await tx
      .selectFrom('payee_questions')
      .select((select) => select.fn.countAll<number>().as('questions'))
      .where(column, '=', id)
      .where('at', '>', since)
      .executeTakeFirstOrThrow();
    return questions;
  };
  const tell = async (who: string, evidence: string) => {
    const detail = `more payees were asked about ${who} than an hour allows`;
    await recordIncident(context, { code: 'payee-limit', terminalId, detail, evidence }, tx);
    return true;
  };
  if ((await count('person_id', personId)) >= PER_PERSON_MAX) return await tell('by one person', `person ${personId}`);
  if ((await count('terminal_id', terminalId)) >= PER_TERMINAL_MAX) {
    return await tell('at one terminal', `terminal ${terminalId}`);
  }
  return false;
}

async function findByNumber(tx: DbTransaction, number: string) {
  return await tx
    .selectFrom('accounts')
    .select(['account_id', 'status', 'holder_name'])
    .where('kind', '=', 'customer')
    .where('number', '=', number)
    .where('currency', '=', CURRENCY)
    .executeTakeFirst();
}

async function keepQuestion(
  { clock, chance }: BankContext,
  tx: DbTransaction,
  { terminalId }: Terminal,
  { request, payeeId }: { request: PayeeRequest; payeeId: string | null },
): Promise<void> {
  const at = clock.now();
  await tx
    .deleteFrom('payee_questions')
    .where('at', '<', at - WINDOW_MS)
    .where('person_id', '=', request.personId)
    .execute();
  await tx
    .insertInto('payee_questions')
    .values({
      question_id: chance.id(),
      terminal_id: terminalId,
      person_id: request.personId,
      transaction_id: request.transactionId,
      payee_account_id: payeeId,
      at,
    })
    .execute();
}

/** The newest question that this person asked with the right PIN in this transaction; of one payee, where a number is given. */
export async function latestQuestion(
  { clock }: BankContext,
  tx: DbTransaction,
  { terminalId }: Terminal,
  of: { readonly personId: string; readonly transactionId: string; readonly ofNumber?: string },
): Promise<{ readonly payeeId: string | null } | undefined> {
  const row = await tx
    .selectFrom('payee_questions')
    .leftJoin('accounts', 'accounts.account_id', 'payee_account_id')
    .select('payee_account_id')
    .where('terminal_id', '=', terminalId)
    .where('person_id', '=', of.personId)
    .where('transaction_id', '=', of.transactionId)
    .where('at', '>', clock.now() - PROOF_VALID_MS)
    .$if(of.ofNumber !== undefined, (query) => query.where('accounts.number', '=', of.ofNumber ?? ''))
    .orderBy('at', 'desc')
    .executeTakeFirst();
  return row && { payeeId: row.payee_account_id };
}
