/**
 * A claimed identity: somebody whom the look did not tell from everybody says who they are by their account number, and is compared with
 * that one person (1:1). Where the terminal does not hold the template it asks the bank for this one: `POST /v1/claimed-identities`.
 *
 * An account number is no secret, and whoever keys one in may try many. So the bank answers only after a look at somebody living that
 * led to nobody, so many times for a look, a presented face and a terminal; it keeps every question; and of a number that leads to
 * nobody it does not say why.
 */
import { z } from 'zod';
import { ProtectedTemplate } from './bank-api.ts';
import { AccountNumber, type Service, Sha256Hex, Uuid } from './primitives.ts';
import { ProtectionVersion } from './protection-change.ts';

/** Services that go on with a PIN. A claimed identity is never believed without one. */
export const CLAIMED_SERVICES: ReadonlySet<Service> = new Set(['withdraw', 'transfer', 'balance', 'purchase']);

/** Numbers one look is good for: one, and two that were mistyped. */
export const NUMBERS_PER_LOOK = 3;

/** POST /v1/claimed-identities */
export const ClaimedIdentityRequest = z.strictObject({
  /** Of this question. A repeat is the same question, and is answered as things stand then: no template is kept with an answer. */
  questionId: Uuid,
  accountNumber: AccountNumber,
  /** The look at this person, which led to nobody or to two who are too alike. It must have reached the bank before. */
  resultId: Uuid,
  /** The embedding model, and the protecting matrix, that the terminal compares under. */
  modelSha256: Sha256Hex,
  /** The embedder before, where the terminal has people under it: for who has no template under the other. */
  modelBefore: Sha256Hex.optional(),
  protectionVersion: ProtectionVersion,
});
export type ClaimedIdentityRequest = z.infer<typeof ClaimedIdentityRequest>;

export const ClaimedIdentityAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('known'), personId: Uuid, template: ProtectedTemplate }),
  /** Nobody to compare with: no such account, or none with a face, or consent was withdrawn. Which of them is not said. */
  z.strictObject({ outcome: z.literal('not-known') }),
  z.strictObject({
    outcome: z.literal('refused'),
    reason: z.enum([
      /** The look does not support the question, or the policy has no claimed identities for the service. */
      'result-not-accepted',
      /** Too many numbers for this look, or by this face at this terminal. */
      'face-limit',
      /** Too many questions at this terminal. */
      'terminal-limit',
    ]),
  }),
]);
export type ClaimedIdentityAnswer = z.infer<typeof ClaimedIdentityAnswer>;
