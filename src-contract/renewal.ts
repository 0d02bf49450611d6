/**
 * A person moved from one embedder to the next: recognised under the older one and with the right PIN, they get a template under the
 * newer one from the very look, and nobody comes for it. The purpose is the one they agreed to. The bank keeps the old template beside
 * it until the new one has shown itself (docs/architecture.md, "When the embedder changes").
 */
import { z } from 'zod';
import { ProtectedTemplate } from './bank-api.ts';
import { Sha256Hex, Uuid } from './primitives.ts';

/** What the terminal queues: the template itself stays in its gallery, sealed, until it is sent. */
export const Renewal = z.strictObject({
  idempotencyKey: Uuid,
  personId: Uuid,
  /** The transaction that the right PIN was entered for. */
  transactionId: Uuid,
  /** The match under the older embedder. */
  resultId: Uuid,
  /** The newer embedder. */
  modelSha256: Sha256Hex,
});
export type Renewal = z.infer<typeof Renewal>;

/** POST /v1/renewals. A repeat may carry the template under another protecting matrix, and is the same request. */
export const RenewalRequest = Renewal.omit({ modelSha256: true }).extend({ template: ProtectedTemplate });
export type RenewalRequest = z.infer<typeof RenewalRequest>;

export const RenewalAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('renewed') }),
  /** The person has a template under this embedder already, and that one stays. */
  z.strictObject({ outcome: z.literal('had-one') }),
  z.strictObject({
    outcome: z.literal('refused'),
    reason: z.enum([
      /** Consent was withdrawn, or nobody of this id was ever enrolled. */
      'unknown-person',
      /** The match does not support it, or is not under a template that the person has. */
      'result-not-accepted',
      /** The transaction did not come with the right PIN. */
      'pin-not-proven',
    ]),
  }),
]);
export type RenewalAnswer = z.infer<typeof RenewalAnswer>;
