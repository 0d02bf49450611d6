/** What the bank's staff ask about technicians and what they counted. */
import { z } from 'zod';
import { Currency, Uuid, WallTimeMs } from '../../src-contract/primitives.ts';

export const TechnicianCodeRequest = z.strictObject({
  terminalId: Uuid,
  /** Default an hour, at most a day. */
  expiresInS: z.int().min(1).max(86_400).default(3_600),
});
export const TechnicianCodeAnswer = z.strictObject({ code: z.string(), expiresAt: WallTimeMs });

export const CountsAnswer = z.strictObject({
  counts: z.array(
    z.strictObject({
      countId: Uuid,
      terminalId: Uuid,
      transactionId: Uuid,
      service: z.enum(['withdraw', 'deposit']),
      currency: Currency,
      /** Withdrawal: what the customer got. Deposit: what the machine kept. */
      countedMinor: z.int().nonnegative(),
      /** What the books were settled by; null while they are not. */
      settledMinor: z.int().nonnegative().nullable(),
      staffId: z.string(),
      note: z.string(),
      /** By the terminal's clock. */
      countedAt: WallTimeMs,
      receivedAt: WallTimeMs,
      /** Of the technician code that came with it. */
      code: z.enum(['valid', 'missing', 'unknown', 'used', 'expired']),
      /** "held": the bank has not acted on it; staff do. */
      state: z.enum(['settled', 'held']),
      /** Signed by the terminal. */
      jws: z.string(),
    }),
  ),
});
export const CountParams = z.strictObject({ countId: Uuid });
/** What staff found in truth. */
export const CountSettlementRequest = z.strictObject({ countedMinor: z.int().nonnegative() });
export const CountSettlementAnswer = z.strictObject({ settled: z.literal(true) });
