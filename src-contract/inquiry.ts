/**
 * POST /v1/inquiries: what became of a request whose answer a terminal never read. Asked by that request's idempotency key, about
 * the asking terminal's own requests alone: another terminal's key is one the bank never saw.
 */
import { z } from 'zod';
import { Uuid } from './primitives.ts';

export const InquiryRequest = z.strictObject({
  /** Of this question. A repeat gets the first answer: who wants to know how things stand now asks under a new key. */
  idempotencyKey: Uuid,
  /** The key of the request that is asked about. */
  about: Uuid,
  /** A key that the bank never saw is barred, in the same moment: the request it belongs to can have no effect any more. */
  bar: z.boolean(),
});
export type InquiryRequest = z.infer<typeof InquiryRequest>;

export const InquiryAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('done'),
    /** What the key was used for: "authorise", "deposit" … */
    operation: z.string().max(40),
    /** The first answer, as it was given: to be parsed with the schema of the operation's own answer. It says what was done
     *  then, not what came after: an authorisation that was reversed since is still answered "approved". */
    answer: z.unknown(),
  }),
  /** The bank never saw the key. The request may still be on its way, and have its effect when it arrives. */
  z.strictObject({ outcome: z.literal('unknown') }),
  /** The request had no effect and never will: now, or by an earlier question or reversal. */
  z.strictObject({ outcome: z.literal('barred') }),
]);
export type InquiryAnswer = z.infer<typeof InquiryAnswer>;
