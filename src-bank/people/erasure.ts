/**
 * Withdrawal of consent. The template's bytes leave the database with the row, the feed tells every terminal to forget, and
 * the consent shows when it ended. The account and its money stay the person's. What was charged to the face after the withdrawal,
 * because the bank had not heard of it, is given back.
 */
import type { ErasureAnswer, ErasureRequest } from '../../src-contract/erasure.ts';
import { giveBackFaceCharges } from '../accounts/give-back.ts';
import { once } from '../accounts/idempotency.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { findResult, markUsed, objection } from '../results/evidence.ts';
import { appendToFeed } from './gallery-feed.ts';
import { recordWithdrawal, type Withdrawal } from './withdrawal.ts';

/** Told to the bank's staff. A repeat changes nothing. Throws not-found for somebody who was never enrolled. */
export async function erasePerson(context: BankContext, personId: string): Promise<{ erased: 'now' | 'before' }> {
  return await context.database.transact(async (tx) => {
    const known = await statusOf(tx, personId);
    if (known === 'erased') return { erased: 'before' };
    return await withdraw(context, tx, { personId, by: null, toldAt: context.clock.now() });
  });
}

/**
 * Told to a terminal. Evidence that does not fit is a conflict, with an incident: a terminal must not end a registration whose face
 * it has not seen.
 */
export async function eraseAtTerminal(
  context: BankContext,
  terminal: Terminal,
  request: ErasureRequest,
): Promise<ErasureAnswer> {
  return await once(context, terminal, 'erase', request, async (tx): Promise<ErasureAnswer> => {
    const recorded = await findResult(tx, request.resultId);
    const claim = { ...request, service: 'opt-out', amount: null } as const;
    const against = objection(recorded, claim, terminal, context.policy);
    if (against) {
      throw new ProblemError('conflict', `the match result does not support this erasure: ${against}`, {
        field: 'resultId',
        incident: { evidence: `erasure ${request.transactionId} with result ${request.resultId}` },
      });
    }
    await markUsed(tx, request.resultId, request.transactionId);
    const { sequence } = recorded.result;
    const by = { terminalId: terminal.terminalId, clockOffsetMs: terminal.clockOffsetMs, sequence };
    return {
      outcome: 'erased',
      ...(await withdraw(context, tx, { personId: request.personId, by, toldAt: request.at })),
    };
  });
}

/** Records the withdrawal, and erases unless that was done: a second one may be the earlier. */
async function withdraw(
  context: BankContext,
  tx: DbTransaction,
  withdrawal: Withdrawal,
): Promise<{ erased: 'now' | 'before' }> {
  const { personId } = withdrawal;
  const status = await statusOf(tx, personId);
  await recordWithdrawal(context, tx, withdrawal);
  if (status === 'enrolled') await erase(context, tx, personId);
  await giveBackFaceCharges(context, tx, personId);
  return { erased: status === 'enrolled' ? 'now' : 'before' };
}

/** Locks the person until the db transaction ends. */
async function statusOf(tx: DbTransaction, personId: string): Promise<'enrolled' | 'erased'> {
  const person = await tx
    .selectFrom('people')
    .select('status')
    .where('person_id', '=', personId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!person) throw new ProblemError('not-found', 'nobody with this personId was ever enrolled');
  return person.status;
}

async function erase(context: BankContext, tx: DbTransaction, personId: string): Promise<void> {
  await tx.deleteFrom('pin_pairs').where('person_id', '=', personId).execute();
  await tx.deleteFrom('templates').where('person_id', '=', personId).execute();
  // A terminal that reads the feed from the start must not be sent a template that is gone.
  await tx.deleteFrom('gallery_feed').where('person_id', '=', personId).execute();
  await tx.updateTable('people').set({ status: 'erased', pin_hash: '' }).where('person_id', '=', personId).execute();
  await tx
    .updateTable('consents')
    .set({ withdrawn_at: context.clock.now() })
    .where('person_id', '=', personId)
    .where('withdrawn_at', 'is', null)
    .execute();
  await appendToFeed(context, tx, 'erase', { personId, modelSha256: null });
}
