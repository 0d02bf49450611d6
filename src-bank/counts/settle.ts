/**
 * What becomes of a technician's count. Under a code of the bank's staff it settles like a count by the staff themselves: a withdrawal
 * is charged what the customer got and the rest released, a deposit is credited with what the machine kept. Without one it is kept
 * with an incident, and the money stays as it is until staff have looked.
 */
import { decodeJwt } from 'jose';
import type { PostingAnswer } from '../../src-contract/bank-api.ts';
import { Count, type CountRequest } from '../../src-contract/count.ts';
import { money } from '../../src-contract/primitives.ts';
import { creditNotes } from '../accounts/deposit.ts';
import { endHold, lockHold } from '../accounts/holds.ts';
import { once } from '../accounts/idempotency.ts';
import { accountView, CURRENCY, lockCustomerAccount } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { isUniqueViolation } from '../database/failures.ts';
import { lockDispenser } from '../dispense/keys.ts';
import { findGrant } from '../dispense/settlement.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { type CodeState, spendTechnicianCode } from '../fleet/technician-codes.ts';
import { ProblemError } from '../problem.ts';
import { type IncidentCode, recordIncident } from '../results/incidents.ts';
import { verifyCount } from './verify.ts';

const WITHOUT_CODE: Readonly<Record<Exclude<CodeState, 'valid'>, string>> = {
  missing: 'a count came without a technician code',
  unknown: 'a count came with a code that was never made for this terminal',
  used: 'a count came with a code that was used before',
  expired: 'a count came with a code that has expired',
};

/** Throws invalid-request or conflict that names the field, for a count that cannot be true or comes a second time. */
export async function takeCount(
  context: BankContext,
  terminal: Terminal,
  request: CountRequest,
): Promise<PostingAnswer> {
  const count = await verifyCount(request, terminal);
  return await once(context, terminal, 'count', request, async (tx): Promise<PostingAnswer> => {
    await lockDispenser(context, tx, terminal);
    const { terminalId } = terminal;
    const codeState = await spendTechnicianCode(context, tx, {
      code: request.technicianCode,
      terminalId,
      countId: count.countId,
    });
    await keep(context, tx, { count, jws: request.count, codeState });
    if (codeState !== 'valid') {
      await tell(context, tx, count, 'count-without-code', WITHOUT_CODE[codeState]);
      return { outcome: 'held', reason: 'count-unauthorised', account: null };
    }
    const settled = await settle(context, tx, terminal, count);
    if ('against' in settled) {
      await tell(context, tx, count, 'count-contradicted', settled.against);
      return { outcome: 'held', reason: 'count-contradicts', account: null };
    }
    await tx.updateTable('counts').set({ state: 'settled' }).where('count_id', '=', count.countId).execute();
    return { outcome: 'posted', account: settled.account };
  });
}

/** Staff have looked at a count that the bank did not act on: settles by it, or by what they know better. */
export async function settleCountByStaff(
  context: BankContext,
  { countId, countedMinor }: { countId: string; countedMinor: number },
): Promise<void> {
  await context.database.transact(async (tx) => {
    const row = await tx
      .selectFrom('counts')
      .innerJoin('terminals', 'terminals.terminal_id', 'counts.terminal_id')
      .select(['counts.terminal_id', 'terminals.profile', 'signing_key', 'jws', 'state'])
      .where('count_id', '=', countId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'no count has this id', { field: 'countId' });
    if (row.state === 'settled') throw new ProblemError('conflict', 'the count is settled already');
    const { terminal_id: terminalId, profile, signing_key: signingKey } = row;
    // No request of the terminal's: its clock is not in question.
    const terminal = { terminalId, profile, signingKey, clockOffsetMs: 0 };
    await lockDispenser(context, tx, terminal);
    // Verified when it was taken; the database is the bank's own.
    const count = Count.parse(decodeJwt(row.jws));
    const settled = await settle(context, tx, terminal, { ...count, counted: money(countedMinor, CURRENCY) });
    if ('against' in settled) throw new ProblemError('conflict', settled.against);
    await tx
      .updateTable('counts')
      .set({ state: 'settled', settled_minor: countedMinor })
      .where('count_id', '=', countId)
      .execute();
  });
  context.logger.warn({ countId, countedMinor }, 'a count was settled by hand');
}

type Settled =
  | { readonly account: Extract<PostingAnswer, { outcome: 'posted' }>['account'] }
  | { readonly against: string };

async function settle(context: BankContext, tx: DbTransaction, terminal: Terminal, count: Count): Promise<Settled> {
  return count.subject.service === 'withdraw'
    ? await settleWithdrawal(context, tx, terminal, { count, ...count.subject })
    : await settleDeposit(context, tx, terminal, { count, ...count.subject });
}

async function settleWithdrawal(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { count, authorisationKey }: { count: Count; authorisationKey: string },
): Promise<Settled> {
  const paidMinor = count.counted.amountMinor;
  const hold = await lockHold(tx, terminal, authorisationKey);
  if (!hold) {
    return paidMinor === 0 ? { account: null } : { against: 'notes were paid, and the bank held nothing for them' };
  }
  if (hold.transaction_id !== count.transactionId) {
    throw new ProblemError('conflict', 'the authorisation is of another transaction', { field: 'transactionId' });
  }
  if (paidMinor > hold.amount_minor) {
    throw new ProblemError('invalid-request', 'count.counted.amountMinor: more than was held', {
      field: 'count.counted.amountMinor',
      incident: { evidence: `count ${count.countId} of ${count.transactionId}` },
    });
  }
  if (hold.state !== 'held' && (hold.captured_minor ?? 0) !== paidMinor) {
    return { against: `settled before as ${hold.captured_minor ?? 0}, counted as ${paidMinor}` };
  }
  if (hold.state === 'held') {
    await endHold(context, tx, terminal, { hold, movedMinor: paidMinor });
    if (await findGrant(tx, hold.hold_id)) {
      await tx.updateTable('dispense_grants').set({ state: 'settled' }).where('hold_id', '=', hold.hold_id).execute();
    }
  }
  const account = await lockCustomerAccount(context, tx, { accountId: hold.account_id });
  return { account: account ? accountView(account) : null };
}

async function settleDeposit(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { count, personId, resultId }: { count: Count; personId: string; resultId: string },
): Promise<Settled> {
  const { transactionId, counted: amount } = count;
  if (amount.amountMinor === 0) return { account: null };
  const credited = await creditNotes(context, tx, terminal, { transactionId, personId, resultId, amount });
  return 'against' in credited ? credited : { account: accountView(credited.account) };
}

async function keep(
  { clock }: BankContext,
  tx: DbTransaction,
  { count, jws, codeState }: { count: Count; jws: string; codeState: CodeState },
): Promise<void> {
  try {
    await tx
      .insertInto('counts')
      .values({
        count_id: count.countId,
        terminal_id: count.terminalId,
        transaction_id: count.transactionId,
        service: count.subject.service,
        currency: count.counted.currency,
        counted_minor: count.counted.amountMinor,
        staff_id: count.staffId,
        note: count.note,
        counted_at: count.at,
        code_state: codeState,
        state: 'held',
        settled_minor: null,
        jws,
        received_at: clock.now(),
      })
      .execute();
  } catch (error) {
    const again = ['counts_pkey', 'counts_terminal_id_transaction_id_key'];
    if (!again.some((constraint) => isUniqueViolation(error, constraint))) throw error;
    throw new ProblemError('conflict', 'this transaction was counted before', {
      field: 'transactionId',
      incident: { evidence: jws },
    });
  }
}

async function tell(
  context: BankContext,
  tx: DbTransaction,
  { terminalId, transactionId, countId }: Count,
  code: IncidentCode,
  detail: string,
): Promise<void> {
  await recordIncident(context, { code, terminalId, detail, evidence: `count ${countId} of ${transactionId}` }, tx);
}
