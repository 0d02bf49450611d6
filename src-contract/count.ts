/**
 * POST /v1/counts: what a technician counted of a transaction that no device could explain. The count itself is a JWS by the
 * terminal's key, header `{alg:"EdDSA", typ:"kaopass-count+jws", kid:<terminalId>}`. The bank settles by it only under a technician
 * code that its staff made for this terminal; without one it is kept, and moves nothing.
 */
import { z } from 'zod';
import { CompactJws, Money, Uuid, WallTimeMs } from './primitives.ts';

export const COUNT_TYP = 'kaopass-count+jws';

/** Most notes of one denomination in a count: more than any bunch or escrow holds. */
export const COUNTED_NOTES_MAX = 1_000;

/** Notes of one denomination. */
const CountedNotes = z.strictObject({
  denominationMinor: z.int().positive(),
  count: z.int().nonnegative().max(COUNTED_NOTES_MAX),
});

/** What is known of the transaction beside the count: how the bank finds the money. */
const subject = z.discriminatedUnion('service', [
  z.strictObject({ service: z.literal('withdraw'), authorisationKey: Uuid, ordered: Money }),
  z.strictObject({ service: z.literal('deposit'), personId: Uuid, resultId: Uuid }),
]);

export const Count = z.strictObject({
  version: z.literal(1),
  countId: Uuid,
  terminalId: Uuid,
  transactionId: Uuid,
  subject,
  /** Withdrawal: what the customer got. Deposit: what the machine kept of the customer's. */
  counted: Money,
  /** Per denomination, when it was counted so; their sum is `counted`. Null for a total alone. */
  notes: z.array(CountedNotes).max(20).nullable(),
  /** Who counted, as the bank names its staff. No customer is named here. */
  staffId: z.string().regex(/^[\w.-]{1,40}$/, 'letters, digits, ".", "_" and "-", at most 40'),
  note: z.string().max(500),
  at: WallTimeMs,
});
export type Count = z.infer<typeof Count>;

/** Like an activation code. */
export const TechnicianCode = z.string().regex(/^[A-Z0-9]{4}(-[A-Z0-9]{4}){2}$/, 'like ABCD-EFGH-2345');

export const CountRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  /** What was counted, as the signed count has it: for who adds up what waits. */
  amount: Money,
  count: CompactJws,
  technicianCode: TechnicianCode.nullable(),
});
export type CountRequest = z.infer<typeof CountRequest>;
