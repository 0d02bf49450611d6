/** What the bank's staff see of withdrawals under a token, and how they end one that nothing else ends. */
import type { z } from 'zod';
import { endHold, lockHoldById } from '../accounts/holds.ts';
import { CURRENCY } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DispensesAnswer } from '../http/admin-api.ts';
import { ProblemError } from '../problem.ts';
import { lockDispenser } from './keys.ts';

export async function listDispenses(
  { database }: BankContext,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<z.input<typeof DispensesAnswer>> {
  const rows = await database.db
    .selectFrom('dispense_grants')
    .innerJoin('holds', 'holds.hold_id', 'dispense_grants.hold_id')
    .selectAll('dispense_grants')
    .select(['transaction_id', 'authorisation_key'])
    .$if(page.after !== undefined, (query) => query.where('dispense_grants.hold_id', '>', page.after ?? ''))
    .orderBy('dispense_grants.hold_id')
    .limit(page.limit)
    .execute();
  return {
    dispenses: rows.map((row) => ({
      authorisationId: row.hold_id,
      authorisationKey: row.authorisation_key,
      terminalId: row.terminal_id,
      transactionId: row.transaction_id,
      dispenseId: row.dispense_id,
      currency: CURRENCY,
      amountMinor: row.amount_minor,
      state: row.state,
      toldMinor: row.told_minor,
      provenMinor: row.proven_minor,
      proof: row.proof,
      issuedAt: row.issued_at,
    })),
  };
}

/** After somebody has counted: books what was paid, releases the rest. Throws conflict for one that is settled already. */
export async function settleByStaff(
  context: BankContext,
  { authorisationId, paidMinor }: { authorisationId: string; paidMinor: number },
): Promise<void> {
  await context.database.transact(async (tx) => {
    const named = tx.selectFrom('dispense_grants').where('hold_id', '=', authorisationId);
    const grant = await named.select(['terminal_id', 'amount_minor']).executeTakeFirst();
    if (!grant) throw new ProblemError('not-found', 'no withdrawal under a token has this authorisation');
    await lockDispenser(context, tx, { terminalId: grant.terminal_id });
    const hold = await lockHoldById(tx, authorisationId);
    if (hold.state !== 'held') throw new ProblemError('conflict', `the authorisation is ${hold.state} already`);
    if (paidMinor > grant.amount_minor) {
      throw new ProblemError('invalid-request', 'paidMinor: more than was held', { field: 'paidMinor' });
    }
    await endHold(context, tx, { terminalId: grant.terminal_id }, { hold, movedMinor: paidMinor });
    await tx.updateTable('dispense_grants').set({ state: 'settled' }).where('hold_id', '=', authorisationId).execute();
  });
  context.logger.warn({ authorisationId, paidMinor }, 'a withdrawal was settled by hand');
}
