/** Asking the bank to hold money, with the journal written before and after (design, invariants 1 and 2). */
import type { AccountView, AuthoriseAnswer, DeclineReason, DispenseGrant } from '../../src-contract/bank-api.ts';
import type { Money, Uuid } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { PortsOf, StepPorts } from './ports.ts';

export interface MoneyOrder {
  readonly transactionId: Uuid;
  readonly service: 'withdraw' | 'purchase';
  readonly personId: Uuid;
  readonly amount: Money;
  readonly resultId: Uuid;
  readonly pinBlock: string | null;
  /** The dispenser's, for a withdrawal that needs a token. */
  readonly commandNonce: string | null;
}

export type Authorised =
  | {
      readonly outcome: 'approved';
      readonly authorisationKey: Uuid;
      readonly account: AccountView;
      readonly dispense: DispenseGrant | null;
    }
  | { readonly outcome: 'declined'; readonly reason: DeclineReason; readonly attemptsLeft: number | null }
  /** The bank can't be asked. Whatever it did with a question whose answer was lost is being reversed. */
  | { readonly outcome: 'unreachable' };

/** For the whole question, results still queued included. A customer waits in front of it, ms. */
export const AUTHORISE_MS_MAX = 15_000;

export interface AuthoriseOptions {
  /** Leaves the transaction open when the bank can't be reached, for what may stand in for its answer. */
  readonly standIn?: boolean;
}

/**
 * The match result must have reached the bank first: it refuses a question about one it does not know. The transaction must
 * have been begun in the journal. A wrong PIN leaves it open for the next try; every other refusal ends it.
 */
export async function authorise(
  ports: PortsOf<'withdraw' | 'purchase'>,
  order: MoneyOrder,
  signal: AbortSignal,
  { standIn = false }: AuthoriseOptions = {},
): Promise<Authorised> {
  using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
  if (!(await bankHasHeard(ports, limit.signal))) {
    ports.journal.record(order.transactionId, { state: 'not-asked', final: !standIn });
    return { outcome: 'unreachable' };
  }
  const authorisationKey = ports.chance.id();
  const { commandNonce } = order;
  ports.journal.record(order.transactionId, {
    state: 'authorising',
    detail: { authorisationKey, ...(commandNonce === null ? {} : { commandNonce }) },
  });
  let answer: AuthoriseAnswer;
  try {
    answer = await ports.bank.authorise({ idempotencyKey: authorisationKey, ...order }, limit.signal);
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'BANK_REFUSED') {
      ports.journal.record(order.transactionId, { state: 'refused', detail: { message: error.message }, final: true });
      return { outcome: 'declined', reason: 'result-not-accepted', attemptsLeft: null };
    }
    ports.journal.record(order.transactionId, { state: 'unanswered', final: !standIn }, [
      reversal(ports, authorisationKey, 'no-answer'),
    ]);
    return { outcome: 'unreachable' };
  }
  if (answer.outcome === 'approved') {
    const { account, dispense } = answer;
    // The token itself is not written down: after a restart nothing is dispensed under it.
    ports.journal.record(order.transactionId, {
      state: 'authorised',
      detail: { authorisationKey, ...(dispense === null ? {} : { responseNonce: dispense.responseNonce }) },
    });
    return { outcome: 'approved', authorisationKey, account, dispense };
  }
  const again = answer.reason === 'pin-wrong' && (answer.attemptsLeft ?? 0) > 0;
  ports.journal.record(order.transactionId, { state: 'declined', detail: { reason: answer.reason }, final: !again });
  return { outcome: 'declined', reason: answer.reason, attemptsLeft: answer.attemptsLeft };
}

/** Sends what waits; true when the bank knows all of it, and so the match result it is going to be asked about. */
export async function bankHasHeard(ports: StepPorts, signal: AbortSignal): Promise<boolean> {
  try {
    return (await ports.sync.flush(signal)) === 'drained';
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** What a dispenser says of a withdrawal, for the bank; nothing where no token was granted. */
export interface DispenserProofs {
  readonly proof: string | null;
  readonly priorProof: string | null;
}
const NO_PROOFS: DispenserProofs = { proof: null, priorProof: null };

export function reversal(ports: StepPorts, authorisationKey: Uuid, reason: string, proofs = NO_PROOFS) {
  return {
    kind: 'reversal' as const,
    body: { idempotencyKey: ports.chance.id(), authorisationKey, reason, ...proofs },
  };
}

export function capture(ports: StepPorts, authorisationKey: Uuid, amount: Money, proofs = NO_PROOFS) {
  return { kind: 'capture' as const, body: { idempotencyKey: ports.chance.id(), authorisationKey, amount, ...proofs } };
}

/** What the customer is told when the bank said no. */
export const DECLINE_SORRY: Readonly<Record<DeclineReason, SorryCode>> = {
  'pin-wrong': 'pin-wrong',
  'pin-locked': 'pin-locked',
  'pin-required': 'failed',
  'insufficient-funds': 'insufficient-funds',
  'over-limit': 'over-limit',
  'unknown-person': 'nobody',
  'account-closed': 'account-closed',
  'result-not-accepted': 'failed',
  'dispense-not-secured': 'device-unavailable',
  // The first three send the customer back to the number before they end anything (transfer.ts).
  'payee-unknown': 'failed',
  'payee-closed': 'failed',
  'same-account': 'failed',
  'payee-limit': 'payee-limit',
  'payee-not-asked': 'failed',
};
