/** Purchases that a terminal approved while the bank could not be asked. */
import type { PostingAnswer, StandInRequest } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { policyInForce } from '../fleet/policy-issue.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { madeAfterWithdrawal } from '../people/withdrawal.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { type IncidentCode, recordIncident } from '../results/incidents.ts';
import { lockPersonOf, tellOfLateCharge } from './give-back.ts';
import { once } from './idempotency.ts';
import { accountView, lockCustomerAccount, ownAccount, post, wholeAmount } from './ledger.ts';
import { type Breach, breachesOf } from './stand-in-checks.ts';

/**
 * Always posted: the goods are gone. The customer pays, even beyond their means; where the signed evidence does not show that it
 * was this customer, or they had withdrawn consent before the match was made, the bank's suspense account does until somebody has
 * looked. Judged by the policy that was in force at the terminal, which its match result names.
 */
export async function standIn(
  context: BankContext,
  terminal: Terminal,
  request: StandInRequest,
): Promise<PostingAnswer> {
  const amountMinor = wholeAmount(request.amount);
  return await once(context, terminal, 'stand-in', request, async (tx): Promise<PostingAnswer> => {
    const recorded = await findResult(tx, request.resultId);
    const { result } = recorded;
    const inForce = await policyInForce(tx, terminal.terminalId, result.policyVersion);
    await lockPersonOf(tx, request.personId);
    const account = await lockCustomerAccount(context, tx, { personId: request.personId });
    const claim = { ...request, service: 'purchase' } as const;
    const against = account
      ? (objection(recorded, claim, terminal, inForce?.terms ?? context.policy) ??
        (result.claimed && 'nobody but the bank can check the PIN of a claimed identity'))
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
    await keep(context, tx, terminal, { request, policyVersion: result.policyVersion });
    await tell(context, tx, terminal, {
      transactionId: request.transactionId,
      against,
      breaches: await breachesOf(context, tx, terminal, { request, result, inForce }),
    });
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

/** For what comes later to be judged by. */
async function keep(
  { clock }: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { request, policyVersion }: { request: StandInRequest; policyVersion: string },
): Promise<void> {
  await tx
    .insertInto('stand_ins')
    .values({
      transaction_id: request.transactionId,
      terminal_id: terminal.terminalId,
      person_id: request.personId,
      service: 'purchase',
      amount_minor: request.amount.amountMinor,
      at: request.at,
      period: request.period?.number ?? null,
      period_since: request.period?.since ?? null,
      policy_version: policyVersion,
      recorded_at: clock.now(),
    })
    .execute();
}

async function tell(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { transactionId, against, breaches }: { transactionId: string; against: string | null; breaches: readonly Breach[] },
): Promise<void> {
  const record = (code: IncidentCode, detail: string, evidence: string) =>
    recordIncident(context, { code, terminalId: terminal.terminalId, detail, evidence }, tx);
  if (against !== null) {
    const detail = `posted to suspense, because of the match result: ${against}`;
    await record('stand-in-without-evidence', detail, `transaction ${transactionId}`);
  }
  for (const { code, name, detail } of breaches) {
    await record(code, `recorded although ${detail}`, `transaction ${transactionId}, ${name}`);
  }
}
