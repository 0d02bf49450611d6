/**
 * Notes from the dispenser to a customer, and the books made to agree with what the device says happened. Each step is
 * durable before the device is told, and its outcome before the customer is (design, invariant 1). After anything but a
 * clean success the device is asked; what it cannot say is a suspect transaction: held, blocked, and nobody guesses.
 */
import { type Money, money, type Uuid } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import type { CashDispenser, PresentStatus } from '../devices/cash-dispenser.ts';
import { ask, COMMAND_MS_MAX, command } from './ask.ts';
import { capture, reversal } from './authorise.ts';
import { type DispenseSecurity, dispenseSecurityOf, forgetNonce, priorProofOf, proofsOf } from './dispense-security.ts';
import type { PortsOf } from './ports.ts';
import { blockDeviceOf } from './recovery-table.ts';

export interface PayOut {
  readonly transactionId: Uuid;
  readonly authorisationKey: Uuid;
  readonly amount: Money;
  readonly mix: readonly NoteCount[];
  /** The bank's command token for the dispenser; null where it asks for none. */
  readonly token: string | null;
}

/** What settling needs: it asks the journal for the rest, so that a restart settles alike. */
type Unsettled = Omit<PayOut, 'mix' | 'token'>;

/** Notes are cleared away this often: a command may get lost on its way, and further notes may wait behind those in reach. */
const CLEARING_TRIES = 2;
/** Longest after its own end that a device may say that a wait is over, ms. */
const ANSWER_MS_MAX = 5_000;

export type Settled =
  | { readonly outcome: 'paid'; readonly amount: Money }
  | { readonly outcome: 'not-paid' }
  /** Only some of the notes were taken; the rest came back and was not charged. */
  | { readonly outcome: 'partly-paid'; readonly amount: Money }
  | { readonly outcome: 'suspect' };

/** Notes to the stacker. "refused": the dispenser does not take the token, and moved nothing. */
export async function stack(
  ports: PortsOf<'withdraw'>,
  payOut: PayOut,
  signal: AbortSignal,
): Promise<'stacked' | 'failed' | 'refused'> {
  const dispenser = required(ports);
  const { responseNonce } = dispenseSecurityOf(ports.journal.transaction(payOut.transactionId));
  const priorProof = responseNonce === null ? null : await priorProofOf(ports, dispenser, responseNonce, signal);
  ports.journal.record(payOut.transactionId, {
    state: 'dispensing',
    detail: { mix: payOut.mix, ...(priorProof === null ? {} : { priorProof }) },
  });
  try {
    using limit = deadline(ports.clock, COMMAND_MS_MAX, signal);
    const completion = await dispenser.dispense(
      { transactionId: payOut.transactionId, amount: payOut.amount, mix: payOut.mix, token: payOut.token },
      limit.signal,
    );
    if (completion.outcome === 'dispensed') {
      ports.journal.record(payOut.transactionId, { state: 'stacked' });
      return 'stacked';
    }
    const { error, message } = completion;
    if (error === 'notAuthorised') {
      ports.journal.record(payOut.transactionId, { state: 'token-refused', detail: { error, message } });
      return 'refused';
    }
    ports.journal.record(payOut.transactionId, { state: 'dispense-failed', detail: { error } });
  } catch (error) {
    ports.journal.record(payOut.transactionId, { state: 'dispense-unanswered', detail: { error: String(error) } });
  }
  return 'failed';
}

/** Notes into the customer's reach. */
export async function present(
  ports: PortsOf<'withdraw'>,
  payOut: PayOut,
  signal: AbortSignal,
): Promise<'presented' | 'failed'> {
  ports.journal.record(payOut.transactionId, { state: 'presenting' });
  try {
    using limit = deadline(ports.clock, COMMAND_MS_MAX, signal);
    const completion = await required(ports).present(limit.signal);
    if (completion.outcome === 'presented') {
      ports.journal.record(payOut.transactionId, { state: 'presented' });
      return 'presented';
    }
    ports.journal.record(payOut.transactionId, { state: 'present-failed', detail: { error: completion.error } });
  } catch (error) {
    ports.journal.record(payOut.transactionId, { state: 'present-unanswered', detail: { error: String(error) } });
  }
  return 'failed';
}

/** Waits until the notes are gone, by hand or back into the machine, and settles. */
export async function handOver(ports: PortsOf<'withdraw'>, payOut: PayOut, signal: AbortSignal): Promise<Settled> {
  try {
    using limit = deadline(ports.clock, ports.patience.takeMs + ANSWER_MS_MAX, signal);
    await required(ports).itemsTaken(ports.patience.takeMs, limit.signal);
  } catch (error) {
    ports.journal.record(payOut.transactionId, { state: 'taking-unanswered', detail: { error: String(error) } });
  }
  return settle(ports, payOut, signal);
}

/**
 * Brings cash, journal and bank to agreement by what the device says happened, whatever point the transaction had reached;
 * a restart calls it too. Notes still in the machine's path go back inside first.
 */
export async function settle(ports: PortsOf<'withdraw'>, payOut: Unsettled, signal: AbortSignal): Promise<Settled> {
  const dispenser = ports.devices.cashDispenser;
  if (!dispenser) return suspect(ports, payOut.transactionId, 'there is no cash dispenser to ask');
  const security = dispenseSecurityOf(ports.journal.transaction(payOut.transactionId));
  const asking = () => ask(ports.clock, signal, (limit) => dispenser.presentStatus(limit, security.responseNonce));
  try {
    let status = await asking();
    for (let tries = 0; tries < CLEARING_TRIES && status.transactionId === payOut.transactionId; tries++) {
      if (status.remaining === 'stacker') {
        ports.journal.record(payOut.transactionId, { state: 'clearing' });
        await command(ports.clock, signal, (limit) => dispenser.reset(limit));
      } else if (status.remaining === 'outputPosition') {
        ports.journal.record(payOut.transactionId, { state: 'retracting' });
        await command(ports.clock, signal, (limit) => dispenser.retract(limit));
      } else break;
      status = await asking();
    }
    return conclude(ports, payOut, status, security);
  } catch (error) {
    return suspect(ports, payOut.transactionId, `the cash dispenser did not answer: ${String(error)}`);
  } finally {
    if (security.nonceGiven) await forgetNonce(ports);
  }
}

function conclude(
  ports: PortsOf<'withdraw'>,
  { transactionId, authorisationKey, amount }: Unsettled,
  { token, ...status }: PresentStatus,
  security: DispenseSecurity,
): Settled {
  const proofs = proofsOf(token, security);
  if (status.transactionId !== transactionId) {
    // The device keeps its last dispense over restarts; another one there means that ours never began.
    // Without the bank's nonce the device could not be asked for a proof: the answer that brought it was never read.
    const unanswered = security.nonceGiven && security.responseNonce === null;
    ports.journal.record(transactionId, { state: 'not-paid', final: true }, [
      reversal(ports, authorisationKey, unanswered ? 'no-answer' : 'not-dispensed', proofs),
    ]);
    return { outcome: 'not-paid' };
  }
  if (status.state === 'unknown' || status.remaining !== 'none') {
    return suspect(ports, transactionId, 'the cash dispenser cannot say what happened', status);
  }
  const takenMinor = valueMinor(status.presented) - valueMinor(status.retracted);
  if (status.state === 'notPresented' || takenMinor === 0) {
    ports.journal.record(transactionId, { state: 'not-paid', detail: { status }, final: true }, [
      reversal(ports, authorisationKey, status.state === 'notPresented' ? 'not-presented' : 'not-taken', proofs),
    ]);
    return { outcome: 'not-paid' };
  }
  if (takenMinor < 0 || takenMinor > amount.amountMinor) {
    return suspect(ports, transactionId, 'the cash dispenser reports more notes than were ordered', status);
  }
  const taken = money(takenMinor, amount.currency);
  ports.journal.record(transactionId, { state: 'paid', detail: { status }, final: true }, [
    capture(ports, authorisationKey, taken, proofs),
  ]);
  return { outcome: takenMinor === amount.amountMinor ? 'paid' : 'partly-paid', amount: taken };
}

export function valueMinor(notes: readonly NoteCount[]): number {
  return notes.reduce((sum, note) => sum + note.denominationMinor * note.count, 0);
}

function suspect(
  ports: PortsOf<'withdraw'>,
  transactionId: Uuid,
  why: string,
  status?: Omit<PresentStatus, 'token'>,
): Settled {
  ports.journal.record(transactionId, { state: 'suspect', detail: { why, ...(status ? { status } : {}) } });
  blockDeviceOf('withdraw', ports);
  return { outcome: 'suspect' };
}

function required(ports: PortsOf<'withdraw'>): CashDispenser {
  const dispenser = ports.devices.cashDispenser;
  if (!dispenser) throw new Error('withdraw is offered without a cash dispenser');
  return dispenser;
}
