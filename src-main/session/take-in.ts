/**
 * Notes from a customer into the machine, and the books made to agree with what the acceptor says happened. The account is
 * credited with what the device stored, never with what was announced.
 */
import { money, type Uuid } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import type { CashAcceptor, CashInStatus } from '../devices/cash-acceptor.ts';
import { ask, COMMAND_MS_MAX, command } from './ask.ts';
import { valueMinor } from './pay-out.ts';
import type { PortsOf } from './ports.ts';
import { blockDeviceOf } from './recovery-table.ts';

export interface TakeIn {
  readonly transactionId: Uuid;
  readonly personId: Uuid;
  readonly resultId: Uuid;
}

export type TakenIn =
  | { readonly outcome: 'stored'; readonly notes: readonly NoteCount[] }
  /** They lie in the customer's reach, and the transaction is open until `takeBack` has seen what becomes of them. */
  | { readonly outcome: 'given-back'; readonly notes: readonly NoteCount[] }
  | { readonly outcome: 'returned' }
  /** Nobody took all of them: these are in the retract bin. */
  | { readonly outcome: 'retracted'; readonly notes: readonly NoteCount[] }
  | { readonly outcome: 'suspect' };

/** Notes in reach are taken back this often: a command may get lost on its way. */
const RETRACTING_TRIES = 2;
/** Longest after its own end that a device may say that a wait is over, ms. */
export const ANSWER_MS_MAX = 5_000;

/** Escrow to storage, and the credit on its way to the bank. */
export async function store(
  ports: PortsOf<'deposit'>,
  takeIn: TakeIn,
  escrow: readonly NoteCount[],
  signal: AbortSignal,
): Promise<TakenIn> {
  ports.journal.record(takeIn.transactionId, { state: 'storing', detail: { escrow } });
  await command(ports.clock, signal, (limit) => required(ports).cashInEnd(limit));
  return settleTakeIn(ports, takeIn, signal);
}

/** Escrow back to the customer. */
export async function giveBack(ports: PortsOf<'deposit'>, takeIn: TakeIn, signal: AbortSignal): Promise<TakenIn> {
  ports.journal.record(takeIn.transactionId, { state: 'returning' });
  await command(ports.clock, signal, (limit) => required(ports).cashInRollback(limit));
  return settleTakeIn(ports, takeIn, signal);
}

/** By what the device says happened, whatever point had been reached; a restart calls it too. Notes still in escrow go back
 *  to the customer, unless nobody knows any more whose hand would take them: then they are kept inside as evidence. */
export async function settleTakeIn(
  ports: PortsOf<'deposit'>,
  takeIn: TakeIn,
  signal: AbortSignal,
  customer: 'present' | 'gone' = 'present',
): Promise<TakenIn> {
  const acceptor = ports.devices.cashAcceptor;
  const { transactionId } = takeIn;
  if (!acceptor) return suspect(ports, transactionId, 'there is no cash acceptor to ask');
  const asking = () => ask(ports.clock, signal, (limit) => acceptor.cashInStatus(limit));
  try {
    let status = await asking();
    if (status.transactionId === transactionId && status.state === 'active') {
      await command(ports.clock, signal, (limit) =>
        customer === 'present' ? acceptor.cashInRollback(limit) : acceptor.reset(limit),
      );
      status = await asking();
    }
    const concluded = conclude(ports, takeIn, status);
    if (concluded) return concluded;
    if (customer === 'gone') return await settleGivenBack(ports, takeIn, acceptor, signal);
    const { inputPosition } = await ask(ports.clock, signal, (limit) => acceptor.status(limit));
    if (inputPosition === 'empty') return endGivenBack(ports, takeIn, status, 'not-told');
    ports.journal.record(transactionId, { state: 'given-back', detail: { notes: status.notes } });
    return { outcome: 'given-back', notes: status.notes };
  } catch (error) {
    return suspect(ports, transactionId, `the cash acceptor did not answer: ${String(error)}`);
  }
}

/** Waits until notes given back are gone, by hand or back into the machine: nobody else is to find them there. */
export async function takeBack(ports: PortsOf<'deposit'>, takeIn: TakeIn, signal: AbortSignal): Promise<TakenIn> {
  const acceptor = required(ports);
  const { takeMs } = ports.patience;
  try {
    using limit = deadline(ports.clock, takeMs + ANSWER_MS_MAX, signal);
    await acceptor.returnedTaken(takeMs, limit.signal);
  } catch (error) {
    // The terminal is closing; the next start settles it.
    if (signal.aborted) throw error;
  }
  try {
    return await settleGivenBack(ports, takeIn, acceptor, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return suspect(ports, takeIn.transactionId, `the cash acceptor did not answer: ${String(error)}`);
  }
}

/** What lies in reach goes into the retract bin; what the device says of it is the end. No account moves either way. */
async function settleGivenBack(
  ports: PortsOf<'deposit'>,
  takeIn: TakeIn,
  acceptor: CashAcceptor,
  signal: AbortSignal,
): Promise<TakenIn> {
  const { transactionId } = takeIn;
  const lies = async () =>
    (await ask(ports.clock, signal, (limit) => acceptor.status(limit))).inputPosition === 'notEmpty';
  // A restart may come upon one that was told before.
  let told = ports.journal.transaction(transactionId)?.events.some(({ state }) => state === 'retracting') ?? false;
  let inReach = await lies();
  for (let tries = 0; inReach && tries < RETRACTING_TRIES; tries++) {
    ports.journal.record(transactionId, { state: 'retracting' });
    told = true;
    inReach = !(await saysNothingLies(ports, acceptor, signal)) && (await lies());
  }
  const status = await ask(ports.clock, signal, (limit) => acceptor.cashInStatus(limit));
  if (inReach) return suspect(ports, transactionId, 'notes given back could not be taken back', status);
  return endGivenBack(ports, takeIn, status, told ? 'told' : 'not-told');
}

/** The device's own word is believed over a sensor that is blind. */
async function saysNothingLies(
  ports: PortsOf<'deposit'>,
  acceptor: CashAcceptor,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    using limit = deadline(ports.clock, COMMAND_MS_MAX, signal);
    return (await acceptor.retract(limit.signal)).outcome === 'nothingToRetract';
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

function endGivenBack(
  ports: PortsOf<'deposit'>,
  { transactionId }: TakeIn,
  { transactionId: last, notes, retracted = [], ...status }: CashInStatus,
  retract: 'told' | 'not-told',
): TakenIn {
  const own = last === transactionId ? notes : [];
  if (retract === 'told' && retracted === null) {
    const said = { transactionId: last, notes, retracted, ...status };
    return suspect(ports, transactionId, 'the cash acceptor did not count what it took back', said);
  }
  if (retract === 'told' && retracted && retracted.length > 0) {
    ports.journal.record(transactionId, { state: 'retracted', detail: { notes: own, retracted }, final: true });
    return { outcome: 'retracted', notes: retracted };
  }
  ports.journal.record(transactionId, { state: 'returned', detail: { notes: own }, final: true });
  return { outcome: 'returned' };
}

/** Null when the device gave back what it had. */
function conclude(
  ports: PortsOf<'deposit'>,
  { transactionId, personId, resultId }: TakeIn,
  status: CashInStatus,
): TakenIn | null {
  // The device keeps its last cash-in over restarts; another one there means that ours never began.
  if (status.transactionId !== transactionId || status.state === 'none') {
    ports.journal.record(transactionId, { state: 'returned', detail: { notes: [] }, final: true });
    return { outcome: 'returned' };
  }
  if (status.state === 'rollback') return null;
  if (status.state !== 'ok')
    return suspect(ports, transactionId, `the cash acceptor ended in state "${status.state}"`, status);
  const amount = money(valueMinor(status.notes));
  if (amount.amountMinor === 0) return null;
  ports.journal.record(transactionId, { state: 'stored', detail: { notes: status.notes }, final: true }, [
    { kind: 'deposit', body: { idempotencyKey: ports.chance.id(), transactionId, personId, amount, resultId } },
  ]);
  return { outcome: 'stored', notes: status.notes };
}

function suspect(ports: PortsOf<'deposit'>, transactionId: Uuid, why: string, status?: CashInStatus): TakenIn {
  ports.journal.record(transactionId, { state: 'suspect', detail: { why, ...(status ? { status } : {}) } });
  blockDeviceOf('deposit', ports);
  return { outcome: 'suspect' };
}

function required(ports: PortsOf<'deposit'>): CashAcceptor {
  const acceptor = ports.devices.cashAcceptor;
  if (!acceptor) throw new Error('deposit is offered without a cash acceptor');
  return acceptor;
}
