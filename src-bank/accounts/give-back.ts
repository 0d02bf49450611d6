/** Face charges that came after a withdrawal of consent: who bears them. */
import { decodeJwt } from 'jose';
import { MatchResult } from '../../src-contract/match-result.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { madeAfterWithdrawal } from '../people/withdrawal.ts';
import { recordIncident } from '../results/incidents.ts';
import { ownAccount, post } from './ledger.ts';

/** Kept from the account of somebody who withdraws meanwhile: a charge is posted before the erasure, or sees it. */
export async function lockPersonOf(tx: DbTransaction, personId: string): Promise<void> {
  await tx.selectFrom('people').select('person_id').where('person_id', '=', personId).forNoKeyUpdate().execute();
}

/** Takes down that the bank bore a charge. */
export async function tellOfLateCharge(
  context: BankContext,
  tx: DbTransaction,
  { terminalId, transactionId }: { terminalId: string; transactionId: string },
): Promise<void> {
  await recordIncident(
    context,
    {
      code: 'charge-after-withdrawal',
      terminalId,
      detail: 'a face was charged after its person had withdrawn consent: posted to suspense, not to the person',
      evidence: `transaction ${transactionId}`,
    },
    tx,
  );
}

/** The face charges of an authorisation that is captured now. With a PIN it is none. */
export async function isLateFaceCharge(
  tx: DbTransaction,
  { personId, transactionId }: { personId: string; transactionId: string },
): Promise<boolean> {
  const result = await tx
    .selectFrom('match_results')
    .select(['result_id', 'jws'])
    .where('used_by', '=', transactionId)
    .where('person_id', '=', personId)
    .executeTakeFirst();
  return result !== undefined && !withPin(result.jws) && (await madeAfterWithdrawal(tx, personId, result.result_id));
}

function withPin(jws: string): boolean {
  return MatchResult.parse(decodeJwt(jws)).secondFactor === 'pin';
}

/**
 * Gives back what was posted to the person before the bank heard of the withdrawal, and was matched after it. Each once, however
 * many withdrawals arrive. The person is locked.
 */
export async function giveBackFaceCharges(context: BankContext, tx: DbTransaction, personId: string): Promise<void> {
  const charges = await tx
    .selectFrom('entries')
    .innerJoin('postings', 'postings.entry_id', 'entries.entry_id')
    .innerJoin('accounts', 'accounts.account_id', 'postings.account_id')
    .innerJoin('match_results', 'match_results.used_by', 'entries.transaction_id')
    .leftJoin('charges_given_back', 'charges_given_back.transaction_id', 'entries.transaction_id')
    .select(['entries.transaction_id', 'entries.terminal_id', 'accounts.account_id', 'postings.credit_minor'])
    .select(['match_results.result_id', 'match_results.jws'])
    .where('accounts.kind', '=', 'customer')
    .where('accounts.owner_id', '=', personId)
    .where('entries.kind', 'in', ['stand-in', 'purchase'])
    .where('match_results.person_id', '=', personId)
    .where('charges_given_back.transaction_id', 'is', null)
    .orderBy('entries.entry_seq')
    .execute();
  for (const charge of charges) {
    if (withPin(charge.jws) || !(await madeAfterWithdrawal(tx, personId, charge.result_id))) continue;
    const givenBackBy = context.chance.id();
    await post(context, tx, {
      kind: 'given-back',
      transactionId: givenBackBy,
      terminalId: charge.terminal_id,
      at: context.clock.now(),
      postings: [
        { accountId: charge.account_id, creditMinor: -charge.credit_minor },
        { accountId: await ownAccount(context, tx, 'suspense', null), creditMinor: charge.credit_minor },
      ],
    });
    await tx
      .insertInto('charges_given_back')
      .values({ transaction_id: charge.transaction_id, given_back_by: givenBackBy })
      .execute();
    await tellOfLateCharge(context, tx, { terminalId: charge.terminal_id, transactionId: charge.transaction_id });
  }
}
