/**
 * A withdrawal and a deposit as the session conducts them (src-main/session/pay-out.ts, take-in.ts), at the level of the ports, and
 * what they came to in the driver's words: to be held against where the notes are in truth.
 */
import type { NoteCount } from '../../../src-contract/screen.ts';
import type { CashAcceptor } from '../../../src-main/devices/cash-acceptor.ts';
import type { CashDispenser, PresentStatus } from '../../../src-main/devices/cash-dispenser.ts';
import { newId, order, valueMinor } from '../../contract/devices/vocabulary.ts';
import type { Machine } from './machine.ts';

export type Verdict =
  /** Yen the customer has and pays for, or gets credited for. */
  { readonly kind: 'settled'; readonly yen: number } | { readonly kind: 'suspect'; readonly why: string };

const SUSPECT = (why: string): Verdict => ({ kind: 'suspect', why });

/** Ends after a while whatever happens, as every wait of a session does. */
function limit(ms = 3_000): AbortSignal {
  return AbortSignal.timeout(ms);
}

/** Asks until the device answers, as often as a session does. */
async function asked<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await question();
    } catch (error) {
      if (tries >= 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }
}
const quietly = (deed: Promise<unknown>) => deed.then(() => undefined).catch(() => undefined);

export interface Withdrawal {
  readonly mix: readonly NoteCount[];
  readonly transactionId?: string;
  readonly token?: string | null;
  /** What the customer does when notes lie in reach. */
  readonly customer?: (machine: Machine) => Promise<unknown>;
}

export const takesAll = (machine: Machine) => machine.hands.takeNotes();
export const takesNothing = async () => undefined;

/** Orders the payout, and answers what the device came to. */
export async function withdraw(machine: Machine, withdrawal: Withdrawal): Promise<Verdict> {
  const ours = { ...order(withdrawal.mix, withdrawal.transactionId ?? newId()), token: withdrawal.token ?? null };
  const { customer = takesAll } = withdrawal;
  const dispensed = await machine.dispenser.dispense(ours, limit()).catch(() => null);
  if (dispensed?.outcome === 'dispensed') {
    const presented = await machine.dispenser.present(limit()).catch(() => null);
    if (presented?.outcome === 'presented') {
      const waiting = machine.dispenser.itemsTaken(150, limit());
      await quietly(customer(machine));
      await quietly(waiting);
    }
  }
  return await settle(machine.dispenser, ours.transactionId);
}

export async function settle(dispenser: CashDispenser, transactionId: string): Promise<Verdict> {
  try {
    const ask = () => asked(() => dispenser.presentStatus(limit()));
    let status = await ask();
    // Once for what is in reach, once more for a bunch behind it.
    for (let round = 0; round < 2 && status.transactionId === transactionId; round += 1) {
      if (status.remaining === 'outputPosition') await quietly(dispenser.retract(limit()));
      else if (status.remaining === 'stacker') await quietly(dispenser.reset(limit()));
      else break;
      status = await ask();
    }
    return verdictOf(status, transactionId);
  } catch (error) {
    return SUSPECT(String(error));
  }
}

function verdictOf(status: PresentStatus, transactionId: string): Verdict {
  if (status.transactionId !== transactionId) return { kind: 'settled', yen: 0 };
  if (status.state === 'unknown' || status.remaining !== 'none') return SUSPECT(JSON.stringify(status));
  return { kind: 'settled', yen: valueMinor(status.presented) - valueMinor(status.retracted) };
}

export interface Deposit {
  readonly bunches: readonly (readonly NoteCount[])[];
  readonly unrecognised?: number;
  readonly confirms?: boolean;
  readonly transactionId?: string;
}

/** More than a busy core takes to count a bunch. */
const COUNTED_MS_MAX = 1_500;

/** Settled yen: what the account is credited with. */
export async function deposit(machine: Machine, plan: Deposit): Promise<Verdict> {
  const { acceptor } = machine;
  const transactionId = plan.transactionId ?? newId();
  let bunches = 0;
  const started = await acceptor
    .cashInStart(
      transactionId,
      ({ kind }) => {
        if (kind !== 'inserted') bunches += 1;
      },
      limit(),
    )
    .catch(() => null);
  if (started?.outcome === 'started') {
    // A customer looks whether the machine has counted a bunch, and does not look for ever: it may have lost its tongue.
    for (const bunch of plan.bunches) {
      const before = bunches;
      await quietly(Promise.race([machine.insert(bunch, plan.unrecognised), pause(COUNTED_MS_MAX)]));
      for (let waited = 0; bunches === before && waited < COUNTED_MS_MAX; waited += 5) await pause(5);
    }
    const stopped = await acceptor.cashInStop(limit()).catch(() => null);
    await quietly(machine.hands.takeReturned());
    if (stopped?.outcome === 'counted' && plan.confirms !== false) await quietly(acceptor.cashInEnd(limit()));
    else await quietly(acceptor.cashInRollback(limit()));
  }
  const verdict = await settleDeposit(acceptor, transactionId);
  await quietly(machine.hands.takeReturned());
  return verdict;
}

export async function settleDeposit(acceptor: CashAcceptor, transactionId: string): Promise<Verdict> {
  try {
    const ask = () => asked(() => acceptor.cashInStatus(limit()));
    let status = await ask();
    if (status.transactionId === transactionId && status.state === 'active') {
      await quietly(acceptor.cashInRollback(limit()));
      status = await ask();
    }
    if (status.transactionId !== transactionId || status.state === 'none' || status.state === 'rollback') {
      return { kind: 'settled', yen: 0 };
    }
    if (status.state !== 'ok') return SUSPECT(status.state);
    return { kind: 'settled', yen: valueMinor(status.notes) };
  } catch (error) {
    return SUSPECT(String(error));
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
