/** What terminals signed about people they have forgotten: verified, kept, and reported with who has not signed yet. */
import type { z } from 'zod';
import {
  ERASURE_RECEIPT_TYP,
  ErasureReceipt,
  type ErasureReceiptAnswer,
  type ErasureReceiptRequest,
} from '../../src-contract/erasure.ts';
import type { BankContext } from '../context.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { verifyReceipt } from '../fleet/signed-receipt.ts';
import type { ErasureReportAnswer } from '../http/admin-api.ts';
import { ProblemError } from '../problem.ts';

/**
 * Keeps the receipt. The same one again is kept already; another of the same terminal and person is a conflict, with an incident.
 * It may arrive before the erasure it speaks of: what a terminal has forgotten is true either way.
 */
export async function keepErasureReceipt(
  { database, clock }: BankContext,
  terminal: Terminal,
  { idempotencyKey, receipt: jws }: ErasureReceiptRequest,
): Promise<ErasureReceiptAnswer> {
  const receipt = await verifyReceipt(jws, terminal, { typ: ERASURE_RECEIPT_TYP, schema: ErasureReceipt });
  if (receipt.receiptId !== idempotencyKey) {
    throw new ProblemError('invalid-request', "idempotencyKey: must be the receipt's id", { field: 'idempotencyKey' });
  }
  return await database.transact(async (tx) => {
    const person = await tx
      .selectFrom('people')
      .select('person_id')
      .where('person_id', '=', receipt.personId)
      .executeTakeFirst();
    if (!person)
      throw new ProblemError('not-found', 'nobody with this personId was ever enrolled', { field: 'receipt' });
    await tx
      .insertInto('erasure_receipts')
      .values({
        terminal_id: terminal.terminalId,
        person_id: receipt.personId,
        receipt_id: receipt.receiptId,
        cursor: receipt.cursor,
        at: receipt.at,
        jws,
        received_at: clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['terminal_id', 'person_id']).doNothing())
      .execute();
    const kept = await tx
      .selectFrom('erasure_receipts')
      .select('jws')
      .where('terminal_id', '=', terminal.terminalId)
      .where('person_id', '=', receipt.personId)
      .executeTakeFirstOrThrow();
    if (kept.jws === jws) return { outcome: 'kept' };
    throw new ProblemError('conflict', 'this terminal has signed another receipt for this person', {
      field: 'receipt',
      incident: { evidence: jws },
    });
  });
}

/** How far an erasure has come: when it was told, and which terminals have signed. Throws not-found for nobody. */
export async function erasureReport(
  { database }: BankContext,
  personId: string,
): Promise<z.input<typeof ErasureReportAnswer>> {
  const person = await database.db
    .selectFrom('people')
    .select('status')
    .where('person_id', '=', personId)
    .executeTakeFirst();
  if (!person) throw new ProblemError('not-found', 'nobody with this personId was ever enrolled');
  const withdrawals = await database.db
    .selectFrom('withdrawals')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('recorded_at')
    .orderBy('withdrawal_id')
    .execute();
  const terminals = await database.db
    .selectFrom('terminals')
    .leftJoin('erasure_receipts as receipt', (join) =>
      join.onRef('receipt.terminal_id', '=', 'terminals.terminal_id').on('receipt.person_id', '=', personId),
    )
    .select(['terminals.terminal_id', 'terminals.name', 'receipt.jws', 'receipt.at', 'receipt.received_at'])
    .select('receipt.cursor')
    .orderBy('terminals.terminal_id')
    .execute();
  return {
    personId,
    status: person.status,
    withdrawals: withdrawals.map((row) => ({
      terminalId: row.terminal_id,
      toldAt: row.told_at,
      effectiveAt: row.effective_at,
      recordedAt: row.recorded_at,
    })),
    terminals: terminals.map((row) => ({
      terminalId: row.terminal_id,
      name: row.name,
      receipt:
        row.jws === null || row.at === null || row.received_at === null
          ? null
          : { cursor: row.cursor, at: row.at, receivedAt: row.received_at, jws: row.jws },
    })),
  };
}
