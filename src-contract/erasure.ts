/**
 * Withdrawal of consent, on its way from whoever took it to every terminal and back. A terminal that a person told forgets the face
 * at once and tells the bank (ErasureRequest); the bank's feed tells the others; and each terminal signs once, for each person, that
 * it has forgotten (ErasureReceipt).
 */
import { z } from 'zod';
import { CompactJws, Uuid, WallTimeMs } from './primitives.ts';

/** POST /v1/erasures: a person withdrew consent at this terminal. Its match result must have reached the bank before. */
export const ErasureRequest = z.strictObject({
  idempotencyKey: Uuid,
  /** The match result's. */
  transactionId: Uuid,
  personId: Uuid,
  /** When the person confirmed, by the terminal's clock. */
  at: WallTimeMs,
  /** Accepted, for the service "opt-out". Its place in the chain says what this terminal did before and after. */
  resultId: Uuid,
});
export type ErasureRequest = z.infer<typeof ErasureRequest>;
/** "before": the bank knew already. It keeps this withdrawal too, for it may be the earlier one. */
export const ErasureAnswer = z.strictObject({ outcome: z.literal('erased'), erased: z.enum(['now', 'before']) });
export type ErasureAnswer = z.infer<typeof ErasureAnswer>;

/** The JWS `typ` of a terminal's receipt for an erasure. */
export const ERASURE_RECEIPT_TYP = 'kaopass-erasure+jws';

/** Signed by the terminal (JWS compact, EdDSA over Ed25519), once for each person it was told to forget, known to it or not. */
export const ErasureReceipt = z.strictObject({
  version: z.literal(1),
  receiptId: Uuid,
  terminalId: Uuid,
  personId: Uuid,
  /** Of the feed's entry that told the terminal; null where the person did, at this terminal. */
  cursor: z.int().positive().nullable(),
  /** When it was signed. */
  at: WallTimeMs,
  /** The template is off the disk and out of memory, and no later one of this person is taken. */
  templateGone: z.literal(true),
  /** Nothing is under way that could still charge this person's face. */
  pendingAuthorityGone: z.literal(true),
});
export type ErasureReceipt = z.infer<typeof ErasureReceipt>;

/** POST /v1/erasure-receipts. The key is the receipt's own id. */
export const ErasureReceiptRequest = z.strictObject({ idempotencyKey: Uuid, receipt: CompactJws });
export type ErasureReceiptRequest = z.infer<typeof ErasureReceiptRequest>;
export const ErasureReceiptAnswer = z.strictObject({ outcome: z.literal('kept') });
export type ErasureReceiptAnswer = z.infer<typeof ErasureReceiptAnswer>;
