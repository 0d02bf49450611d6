/**
 * A change of the platform's protecting matrix, between bank and terminal. Matrices are numbered generations; one is current. A terminal
 * hears with each page of the gallery's feed which one that is, and asks for it when it has another. What it is told is signed with the key that signs policies and made for it alone: an
 * announcement that was made for another terminal, or an older one sent again, is not taken. The terminal then brings its gallery
 * under the new matrix by itself, destroys the old one, and signs that it has.
 */
import { z } from 'zod';
import { CompactJwe, CompactJws, Uuid, WallTimeMs } from './primitives.ts';

/** Names a matrix; templates under another one are not compared. */
export const ProtectionVersion = z.string().max(40);
/** 1 for the platform's first matrix, then one more each time. */
export const ProtectionGeneration = z.int().positive();

/** GET /v1/protection?held=<version>. `held` names the newest matrix that the terminal has. */
export const ProtectionAnswer = z.strictObject({
  generation: ProtectionGeneration,
  protectionVersion: ProtectionVersion,
  /** A {@link ProtectionAnnouncement}; null where the terminal has the current matrix. */
  announcement: CompactJws.nullable(),
});
export type ProtectionAnswer = z.infer<typeof ProtectionAnswer>;

/** The JWS `typ` of an announcement: EdDSA, by the bank's policy key. */
export const PROTECTION_TYP = 'kaopass-protection+jws';

export const ProtectionAnnouncement = z.strictObject({
  version: z.literal(1),
  /** For this terminal alone. */
  terminalId: Uuid,
  generation: ProtectionGeneration,
  protectionVersion: ProtectionVersion,
  /** The seed of the matrix, 32 bytes, as a JWE (ECDH-ES, A256GCM) for the terminal's encryption key. */
  seed: CompactJwe,
  issuedAt: WallTimeMs,
});
export type ProtectionAnnouncement = z.infer<typeof ProtectionAnnouncement>;

/** The JWS `typ` of a terminal's receipt for a change. */
export const PROTECTION_RECEIPT_TYP = 'kaopass-protection-receipt+jws';

/** Signed by the terminal (JWS compact, EdDSA over Ed25519), once for each matrix it went over to. */
export const ProtectionReceipt = z.strictObject({
  version: z.literal(1),
  receiptId: Uuid,
  terminalId: Uuid,
  /** What it has now. */
  generation: ProtectionGeneration,
  protectionVersion: ProtectionVersion,
  /** When it was signed. */
  at: WallTimeMs,
  /** Every template here is under this matrix; those under an older one, and every older seed, are off the disk and out of use. */
  olderGone: z.literal(true),
});
export type ProtectionReceipt = z.infer<typeof ProtectionReceipt>;

/** POST /v1/protection-receipts. The key is the receipt's own id. */
export const ProtectionReceiptRequest = z.strictObject({ idempotencyKey: Uuid, receipt: CompactJws });
export type ProtectionReceiptRequest = z.infer<typeof ProtectionReceiptRequest>;
export const ProtectionReceiptAnswer = z.strictObject({ outcome: z.literal('kept') });
export type ProtectionReceiptAnswer = z.infer<typeof ProtectionReceiptAnswer>;
