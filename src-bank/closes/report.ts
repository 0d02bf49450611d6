/** Day closes, for the bank's staff. */
import { z } from 'zod';
import { BusinessDate, DayCloseAnswer } from '../../src-contract/day-close.ts';
import { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';

export const DayClosesQuery = z.strictObject({
  terminalId: Uuid.optional(),
  /** Only closes in which transactions or notes differ. */
  differing: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** Closes recorded before this moment, UTC ms: of a page's last, for the next page. */
  before: z.coerce.number().int().nonnegative().optional(),
});

export const DayClosesAnswer = z.strictObject({
  closes: z.array(
    DayCloseAnswer.extend({
      closeId: Uuid,
      terminalId: Uuid,
      businessDate: BusinessDate,
      recordedAt: WallTimeMs,
      /** The close as the terminal signed it. */
      jws: z.string(),
    }),
  ),
});

/** Newest first. */
export async function listDayCloses(
  { database }: BankContext,
  query: z.infer<typeof DayClosesQuery>,
): Promise<z.infer<typeof DayClosesAnswer>> {
  const rows = await database.db
    .selectFrom('day_closes')
    .selectAll()
    .$if(query.terminalId !== undefined, (rest) => rest.where('terminal_id', '=', query.terminalId ?? ''))
    .$if(query.before !== undefined, (rest) => rest.where('recorded_at', '<', query.before ?? 0))
    .$if(query.differing === 'true', (rest) =>
      rest.where(({ or, eb }) => or([eb('differences', '>', 0), eb('cash_difference', '>', 0)])),
    )
    .orderBy('recorded_at', 'desc')
    .orderBy('number', 'desc')
    .limit(query.limit)
    .execute();
  return DayClosesAnswer.parse({
    closes: rows.map((row) => ({
      ...JSON.parse(row.answer),
      closeId: row.close_id,
      terminalId: row.terminal_id,
      businessDate: row.business_date,
      recordedAt: row.recorded_at,
      jws: row.jws,
    })),
  });
}
