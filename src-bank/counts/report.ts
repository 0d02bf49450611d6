/** Technicians' counts, for the bank's staff. */
import type { z } from 'zod';
import type { BankContext } from '../context.ts';
import type { CountsAnswer } from '../http/counts-api.ts';

export async function listCounts(
  { database }: BankContext,
  page: { readonly limit: number; readonly after?: string | undefined },
): Promise<z.input<typeof CountsAnswer>> {
  const rows = await database.db
    .selectFrom('counts')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('count_id', '>', page.after ?? ''))
    .orderBy('count_id')
    .limit(page.limit)
    .execute();
  return {
    counts: rows.map((row) => ({
      countId: row.count_id,
      terminalId: row.terminal_id,
      transactionId: row.transaction_id,
      service: row.service,
      currency: row.currency,
      countedMinor: row.counted_minor,
      settledMinor: row.state === 'settled' ? (row.settled_minor ?? row.counted_minor) : null,
      staffId: row.staff_id,
      note: row.note,
      countedAt: row.counted_at,
      receivedAt: row.received_at,
      code: row.code_state,
      state: row.state,
      jws: row.jws,
    })),
  };
}
