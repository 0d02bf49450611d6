/**
 * Notes from a customer into the machine, and the books made to agree with what the acceptor says happened. The account is
 * credited with what the device stored, never with what was announced.
 */
import { money, type Uuid } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import type { CashAcceptor, CashInStatus } from '../devices/cash-acceptor.ts';
import { ask, command } from './ask.ts';
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
  | { readonly outcome: 'returned'; readonly notes: readonly NoteCount[] }
  | { readonly outcome: 'suspect' };

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
    return conclude(ports, takeIn, status);
  } catch (error) {
    return suspect(ports, transactionId, `the cash acceptor did not answer: ${String(error)}`);
  }
}

function conclude(
  ports: PortsOf<'deposit'>,
  { transactionId, personId, resultId }: TakeIn,
  status: CashInStatus,
): TakenIn {
  // The device keeps its last cash-in over restarts; another one there means that ours never began.
  if (status.transactionId !== transactionId || status.state === 'none' || status.state === 'rollback') {
    const notes = status.transactionId === transactionId ? status.notes : [];
    ports.journal.record(transactionId, { state: 'returned', detail: { notes }, final: true });
    return { outcome: 'returned', notes };
  }
  if (status.state !== 'ok')
    return suspect(ports, transactionId, `the cash acceptor ended in state "${status.state}"`, status);
  const amount = money(valueMinor(status.notes));
  if (amount.amountMinor === 0) {
    ports.journal.record(transactionId, { state: 'returned', detail: { notes: [] }, final: true });
    return { outcome: 'returned', notes: [] };
  }
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
