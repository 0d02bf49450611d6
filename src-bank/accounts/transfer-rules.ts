/** What the question after a payee and the transfer itself have in common. */
import type { DeclineReason } from '../../src-contract/bank-api.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import { money } from '../../src-contract/primitives.ts';
import type { TransferAnswer, TransferRequest } from '../../src-contract/transfer.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { objection, type Recorded } from '../results/evidence.ts';
import { CURRENCY } from './ledger.ts';

/** How long a look and a right PIN stand for somebody who reads, compares and corrects: every screen waits 45 s and can be asked for
 *  more. Much longer, and whoever finds the terminal after them stands in their place. */
export const PROOF_VALID_MS = 10 * 60 * 1000;

/** By the terminal's clock, which its requests prove to be about right, and by the bank's: the older counts. */
export function isStale({ result, recordedAt }: Recorded, now: number): boolean {
  return Math.min(result.at, recordedAt) <= now - PROOF_VALID_MS;
}

/** Null when the match result supports this transfer, else what speaks against it. */
export function unsupported(
  recorded: Recorded,
  { personId, transactionId, amount }: Pick<TransferRequest, 'personId' | 'transactionId' | 'amount'>,
  terminal: Terminal,
  policy: PolicyTerms,
): string | null {
  return objection(recorded, { service: 'transfer', personId, transactionId, amount }, terminal, policy);
}

type Declined = Extract<TransferAnswer, { outcome: 'declined' }>;

export function declinedTransfer(
  reason: DeclineReason,
  { attemptsLeft = null, availableMinor = null }: { attemptsLeft?: number | null; availableMinor?: number | null } = {},
): Declined {
  const available = availableMinor === null ? null : money(Math.max(0, availableMinor), CURRENCY);
  return { outcome: 'declined', reason, attemptsLeft, available };
}
