/**
 * Transfers between two accounts of the bank. First `POST /v1/payees`: whom does this number belong to, asked with the payer's face
 * and PIN, so that nobody learns a name who did not prove who they are. Then `POST /v1/transfers`, for a payee that was asked about in
 * the same transaction: the bank moves money only to an account that was shown to the payer, and a transfer tells no more about
 * account numbers than the question did.
 */
import { z } from 'zod';
import { AccountView, DeclineReason, PinBlock } from './bank-api.ts';
import { AccountNumber, Money, Uuid } from './primitives.ts';

/** POST /v1/payees */
export const PayeeRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  /** The payer. */
  personId: Uuid,
  payeeAccountNumber: AccountNumber,
  /** What is going to be transferred. Over the limit or beyond the payer's means is said now, not after the confirmation. */
  amount: Money,
  /** Of a look for this transaction and amount, not older than the bank's patience (src-bank/accounts/payees.ts). */
  resultId: Uuid,
  /** PIN block bound to transactionId. Null once the PIN was right in this transaction: a corrected number asks for none. */
  pinBlock: PinBlock.nullable(),
});
export type PayeeRequest = z.infer<typeof PayeeRequest>;

const declined = {
  outcome: z.literal('declined'),
  reason: DeclineReason,
  attemptsLeft: z.int().nonnegative().nullable(),
  /** The payer's, where they could not pay the amount. */
  available: Money.nullable(),
};

export const PayeeAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('found'),
    /** Last digits of the payee's account number. */
    accountEnding: z.string().length(4),
    /** The holder's name as the bank shows it to a payer, masked; null when the bank knows none. */
    name: z.string().max(80).nullable(),
    /** The payer's account, before the transfer. */
    account: AccountView,
  }),
  z.strictObject(declined),
]);
export type PayeeAnswer = z.infer<typeof PayeeAnswer>;

/** POST /v1/transfers: one entry from the payer's account to the payee's, at once and final. */
export const TransferRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  /** The payer, whose PIN was right when this payee was asked about. */
  personId: Uuid,
  payeeAccountNumber: AccountNumber,
  amount: Money,
  resultId: Uuid,
});
export type TransferRequest = z.infer<typeof TransferRequest>;

export const TransferAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('posted'),
    /** The payer's account, after it. */
    account: AccountView,
  }),
  z.strictObject(declined),
]);
export type TransferAnswer = z.infer<typeof TransferAnswer>;
