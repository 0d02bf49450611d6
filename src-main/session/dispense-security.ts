/**
 * The terminal's part in XFS4IoT end-to-end security: it carries a nonce from the dispenser to the bank, the bank's token to
 * the dispenser, and the dispenser's proofs back. It can neither make nor check any of them. A dispenser that asks for no
 * token gives no nonce, and nothing of this happens.
 */
import { z } from 'zod';
import { ResponseNonce, TokenText } from '../../src-contract/security-token.ts';
import { deadline } from '../clock.ts';
import type { CashDispenser } from '../devices/cash-dispenser.ts';
import type { JournaledTransaction } from '../journal/journal.ts';
import {
  AUTHORISE_MS_MAX,
  type Authorised,
  authorise,
  bankHasHeard,
  type DispenserProofs,
  type MoneyOrder,
} from './authorise.ts';
import type { PortsOf, StepPorts } from './ports.ts';

/** A dispenser says a nonce or a proof at once, or it is not there; ms. */
const ANSWER_MS_MAX = 5_000;

/** Asks the bank for a withdrawal, with a nonce where the dispenser wants a token. Any answer but yes ends the nonce. */
export async function authoriseDispense(
  ports: PortsOf<'withdraw'>,
  order: Omit<MoneyOrder, 'commandNonce'>,
  signal: AbortSignal,
): Promise<Authorised | { readonly outcome: 'no-nonce' }> {
  using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
  // What waits is sent first: a nonce may not live long.
  await bankHasHeard(ports, limit.signal);
  let commandNonce: string | null;
  try {
    commandNonce = await nonceOf(ports, signal);
  } catch (error) {
    ports.journal.record(order.transactionId, { state: 'no-nonce', detail: { error: String(error) }, final: true });
    return { outcome: 'no-nonce' };
  }
  let approved = false;
  try {
    const authorised = await authorise(ports, { ...order, commandNonce }, limit.signal);
    approved = authorised.outcome === 'approved';
    return authorised;
  } finally {
    if (commandNonce !== null && !approved) await forgetNonce(ports);
  }
}

async function nonceOf(ports: StepPorts, signal: AbortSignal): Promise<string | null> {
  using limit = deadline(ports.clock, ANSWER_MS_MAX, signal);
  return (await ports.devices.cashDispenser?.commandNonce(limit.signal)) ?? null;
}

/** Ends the nonce, and with it whatever token was made for it. A dispenser that does not answer keeps it until it is asked
 *  for the next one, or forgets it by itself: the bank does not rely on this. */
export async function forgetNonce(ports: StepPorts): Promise<void> {
  try {
    // Not the visit's signal: this is done above all when a visit was broken off.
    using limit = deadline(ports.clock, ANSWER_MS_MAX);
    await ports.devices.cashDispenser?.clearCommandNonce(limit.signal);
  } catch {
    // See above.
  }
}

/** What the dispenser says, before it is told to dispense, of what came before; null when it does not say. */
export async function priorProofOf(
  ports: StepPorts,
  dispenser: CashDispenser,
  responseNonce: string,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    using limit = deadline(ports.clock, ANSWER_MS_MAX, signal);
    return fitting((await dispenser.presentStatus(limit.signal, responseNonce)).token);
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

const Authorising = z.object({ commandNonce: z.string() });
const Granted = z.object({ responseNonce: ResponseNonce });
const Dispensing = z.object({ priorProof: TokenText });

export interface DispenseSecurity {
  /** Whether the dispenser gave a nonce that is to be ended. */
  readonly nonceGiven: boolean;
  /** Null when the bank gave none, or its answer was lost. */
  readonly responseNonce: string | null;
  readonly priorProof: string | null;
}

/** What the journal knows of a withdrawal's tokens; the same in the visit and after a restart. */
export function dispenseSecurityOf(transaction: JournaledTransaction | null): DispenseSecurity {
  const detail = <Shape>(state: string, schema: z.ZodType<Shape>): Shape | undefined =>
    schema.safeParse(transaction?.events.findLast((event) => event.state === state)?.detail).data;
  return {
    nonceGiven: detail('authorising', Authorising) !== undefined,
    responseNonce: detail('authorised', Granted)?.responseNonce ?? null,
    priorProof: detail('dispensing', Dispensing)?.priorProof ?? null,
  };
}

/** As it came from the device, unless it is no text that a message can carry. */
export function proofsOf(token: string | null, { priorProof }: DispenseSecurity): DispenserProofs {
  return { proof: fitting(token), priorProof };
}

function fitting(token: string | null): string | null {
  return TokenText.safeParse(token).data ?? null;
}
