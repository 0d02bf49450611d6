/**
 * When a withdrawal of consent took effect, and which charges come after it.
 *
 * Results of the terminal that took the withdrawal stand before or after it in its chain: that is certain. For all others there are
 * only clocks. The bank corrects a terminal's times by how its clock stood when it delivered them (each request names its second),
 * and every doubt that is left is the bank's and not the person's:
 *
 * - a withdrawal took effect at the earliest moment it can have been told: its corrected time less {@link CLOCK_DOUBT_MS}, and never
 *   after the bank heard of it;
 * - a match was made at the latest moment it can have been: its corrected time (the least offset is the latest moment), and never
 *   after it reached the bank;
 * - a terminal whose chain shows that its clock was set back before the match proves nothing by that clock: the match counts as made
 *   when it reached the bank.
 *
 * A face charge is one without a PIN: with it, the person themselves paid. What this cannot see is a clock that was wrong while the
 * terminal was off the line, never ran backwards, and was right again when it delivered; docs/money.md says what bounds it.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';

/** `iat` is in whole seconds, and a request may be under way for another; ms. */
const CLOCK_DOUBT_MS = 2_000;

export interface Withdrawal {
  readonly personId: string;
  /** Null where the bank's staff were told. */
  readonly by: { readonly terminalId: string; readonly clockOffsetMs: number; readonly sequence: number } | null;
  /** By the clock of who was told. */
  readonly toldAt: number;
}

/** Within the db transaction that erases; the person is locked. */
export async function recordWithdrawal(
  { clock, chance }: BankContext,
  tx: DbTransaction,
  { personId, by, toldAt }: Withdrawal,
): Promise<void> {
  const now = clock.now();
  await tx
    .insertInto('withdrawals')
    .values({
      withdrawal_id: chance.id(),
      person_id: personId,
      terminal_id: by?.terminalId ?? null,
      sequence: by?.sequence ?? null,
      told_at: toldAt,
      effective_at: by ? Math.max(0, Math.min(now, toldAt - by.clockOffsetMs - CLOCK_DOUBT_MS)) : toldAt,
      recorded_at: now,
    })
    .execute();
}

type ResultRow = Pick<
  Tables['match_results'],
  'terminal_id' | 'sequence' | 'made_at' | 'clock_offset_ms' | 'recorded_at'
>;
export const RESULT_TIMES = ['terminal_id', 'sequence', 'made_at', 'clock_offset_ms', 'recorded_at'] as const;

/** Whether the person had withdrawn consent when this match was made. Hold the person's lock. */
export async function madeAfterWithdrawal(tx: DbTransaction, personId: string, resultId: string): Promise<boolean> {
  const withdrawals = await tx.selectFrom('withdrawals').selectAll().where('person_id', '=', personId).execute();
  if (withdrawals.length === 0) return false;
  const result = await tx
    .selectFrom('match_results')
    .select(RESULT_TIMES)
    .where('result_id', '=', resultId)
    .executeTakeFirstOrThrow();
  const latest = await latestMoment(tx, result);
  return withdrawals.some((withdrawal) =>
    withdrawal.terminal_id === result.terminal_id
      ? result.sequence > (withdrawal.sequence ?? 0)
      : latest > withdrawal.effective_at,
  );
}

/** The latest time, by the bank's clock, at which the match can have been made. */
async function latestMoment(tx: DbTransaction, result: ResultRow): Promise<number> {
  const { terminal_id, sequence, made_at, clock_offset_ms, recorded_at } = result;
  if (made_at === null || clock_offset_ms === null) return recorded_at;
  const corrected = made_at - clock_offset_ms;
  // Offsets are least ones: a result before this one may look later by as much as they leave open.
  const setBack = await tx
    .selectFrom('match_results')
    .select('result_id')
    .where('terminal_id', '=', terminal_id)
    .where('sequence', '<', sequence)
    .where((where) => where(where('made_at', '-', where.ref('clock_offset_ms')), '>', corrected + CLOCK_DOUBT_MS))
    .limit(1)
    .executeTakeFirst();
  return setBack ? recorded_at : Math.min(corrected, recorded_at);
}
