/**
 * Transactions of which no device can say how they ended, and how a technician ends them: the machine's path is cleared first, so that
 * no note in it is forgotten, then the notes are counted, and the count is signed, journaled and told to the bank. The terminal only
 * carries it: the bank acts on a count by a code of its own staff and not by this terminal's word (docs/threat-model.md).
 */
import { z } from 'zod';
import { COUNTED_NOTES_MAX, type Count, TechnicianCode } from '../../src-contract/count.ts';
import { type Money, money, Uuid } from '../../src-contract/primitives.ts';
import { deadline } from '../clock.ts';
import type { JournaledTransaction } from '../journal/journal.ts';
import { ask, COMMAND_MS_MAX } from './ask.ts';
import { valueMinor } from './pay-out.ts';
import type { PortsOf } from './ports.ts';
import { RECOVERY, ruleFor } from './recovery-table.ts';

type SuspectPorts = Pick<
  PortsOf<'withdraw' | 'deposit'>,
  'terminal' | 'clock' | 'chance' | 'devices' | 'journal' | 'sync'
> & {
  readonly signCount: (count: Count) => Promise<string>;
  /** The device may be offered again. */
  readonly unblock: (device: string) => void;
};

const CashNotes = z
  .array(
    z.strictObject({
      denominationMinor: z.literal([1_000, 2_000, 5_000, 10_000]),
      count: z.int().nonnegative().max(COUNTED_NOTES_MAX),
    }),
  )
  .max(4);

/** What a technician enters. */
export const CountOrder = z.strictObject({
  transactionId: Uuid,
  currency: z.literal('JPY'),
  /** Withdrawal: what the customer got. Deposit: what the machine kept of theirs. */
  notes: CashNotes,
  staffId: z.string().regex(/^[\w.-]{1,40}$/, 'letters, digits, ".", "_" and "-", at most 40'),
  note: z.string().max(500),
  /** Of the bank's staff; null when there is none: then the money stays held until they have looked. */
  technicianCode: TechnicianCode.nullable(),
});
export type CountOrder = z.infer<typeof CountOrder>;

/** A suspect, for the technician: no person, no account, no key. */
export interface SuspectReport {
  readonly transactionId: Uuid;
  readonly service: 'withdraw' | 'deposit';
  readonly device: string;
  /** Ordered; null for a deposit. */
  readonly amount: Money | null;
  readonly begunAt: number;
  /** Whether the machine was cleared since, so that the count can be entered. */
  readonly cleared: boolean;
  readonly events: readonly {
    readonly at: number;
    readonly state: string;
    /** What the device said, and what was wanted of it. */
    readonly evidence: Readonly<Record<string, unknown>>;
  }[];
}

export type Refused = { readonly outcome: 'refused'; readonly field: string; readonly message: string };

/** What the technician's page can do about suspects. */
export interface SuspectDesk {
  /** Oldest first. */
  list(): readonly SuspectReport[];
  /** Notes still in the device's path go into its bins, and what it says is written down. To be done before anybody counts. */
  clear(
    transactionId: Uuid,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'cleared'; readonly intoBinsMinor: number } | Refused>;
  /** The count becomes the transaction's end, with the message to the bank in the same commit; the device serves again.
   *  "later": the bank has not heard of it yet. Refused, nothing has changed. */
  count(
    order: CountOrder,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'settled'; readonly bank: 'told' | 'later' } | Refused>;
}

export function suspectDesk(ports: SuspectPorts): SuspectDesk {
  return {
    list: () => suspectsOf(ports),
    clear: (transactionId, signal) => clearPath(ports, transactionId, signal),
    count: (order, signal) => settleByCount(ports, order, signal),
  };
}

const refused = (field: string, message: string): Refused => ({ outcome: 'refused', field, message });

/** Members of an event's detail that are evidence. Everything else stays in the journal. */
const EVIDENCE = ['why', 'error', 'message', 'mix', 'escrow', 'notes', 'status', 'clearing', 'cleared'] as const;
/** A device that has lost its sight of notes in reach sees them again after a reset, and takes them back after that. */
const CLEARING_TRIES = 2;
/** A technician stands before the machine, and can ask again; ms. */
const ASK_MS_MAX = 12_000;
/** How long the technician waits for the bank to hear of the count, ms. */
const TELL_BANK_MS_MAX = 5_000;

type Suspect = JournaledTransaction & { readonly service: 'withdraw' | 'deposit' };

function isSuspect(transaction: JournaledTransaction): transaction is Suspect {
  const { service, state, final } = transaction;
  return !final && (service === 'withdraw' || service === 'deposit') && ruleFor(service, state).rule === 'suspect';
}

function suspectsOf({ journal, devices }: Pick<SuspectPorts, 'journal' | 'devices'>): readonly SuspectReport[] {
  return journal
    .openTransactions()
    .filter(isSuspect)
    .map((transaction) => ({
      transactionId: transaction.transactionId,
      service: transaction.service,
      device: devices[RECOVERY[transaction.service].device]?.name ?? RECOVERY[transaction.service].device,
      amount: transaction.amount,
      begunAt: transaction.begunAt,
      cleared: wasCleared(transaction),
      events: transaction.events.map(({ at, state, detail }) => ({
        at,
        state,
        evidence: Object.fromEntries(
          EVIDENCE.flatMap((key) => (Object.hasOwn(detail, key) ? [[key, detail[key]]] : [])),
        ),
      })),
    }));
}

/** Nothing was told to the device since it was cleared. */
const wasCleared = ({ events }: Suspect) => events.at(-1)?.detail['cleared'] !== undefined;

function find({ journal }: Pick<SuspectPorts, 'journal'>, transactionId: Uuid): Suspect | Refused {
  const transaction = journal.transaction(transactionId);
  if (!transaction) return refused('transactionId', 'is not in the journal');
  if (transaction.final) return refused('transactionId', `is over: it ended as "${transaction.state}"`);
  return isSuspect(transaction) ? transaction : refused('transactionId', `is not suspect, but "${transaction.state}"`);
}

async function clearPath(
  ports: SuspectPorts,
  transactionId: Uuid,
  signal: AbortSignal,
): Promise<{ readonly outcome: 'cleared'; readonly intoBinsMinor: number } | Refused> {
  const suspect = find(ports, transactionId);
  if ('outcome' in suspect) return suspect;
  ports.journal.record(transactionId, { state: 'suspect', detail: { clearing: true } });
  try {
    using limit = deadline(ports.clock, COMMAND_MS_MAX, signal);
    const cleared =
      suspect.service === 'withdraw'
        ? await clearDispenser(ports, limit.signal)
        : await clearAcceptor(ports, limit.signal);
    if ('outcome' in cleared) return cleared;
    ports.journal.record(transactionId, { state: 'suspect', detail: { cleared } });
    return { outcome: 'cleared', intoBinsMinor: valueMinor(cleared.intoBins) };
  } catch (error) {
    if (signal.aborted) throw error;
    return refused('device', `did not answer: ${String(error)}`);
  }
}

async function clearDispenser(ports: SuspectPorts, signal: AbortSignal) {
  const dispenser = ports.devices.cashDispenser;
  if (!dispenser) return refused('device', 'this terminal has no cash dispenser');
  const intoBins = [];
  for (let tries = 0; tries < CLEARING_TRIES; tries++) {
    if (
      (await ask(ports.clock, signal, (limit) => dispenser.status(limit), ASK_MS_MAX)).outputPosition === 'notEmpty'
    ) {
      const back = await dispenser.retract(signal);
      if (back.outcome === 'failed') return refused('device', back.message);
      if (back.outcome === 'retracted') intoBins.push(...back.notes);
    }
    const reset = await dispenser.reset(signal);
    if (reset.outcome === 'failed') return refused('device', reset.message);
    intoBins.push(...reset.rejected);
    const now = await ask(ports.clock, signal, (limit) => dispenser.status(limit), ASK_MS_MAX);
    if (now.stacker === 'notEmpty' || now.outputPosition === 'notEmpty') continue;
    const { token: _, ...status } = await ask(
      ports.clock,
      signal,
      (limit) => dispenser.presentStatus(limit),
      ASK_MS_MAX,
    );
    return { intoBins, status };
  }
  return refused('device', 'still has notes in its path: take them out by hand');
}

async function clearAcceptor(ports: SuspectPorts, signal: AbortSignal) {
  const acceptor = ports.devices.cashAcceptor;
  if (!acceptor) return refused('device', 'this terminal has no cash acceptor');
  const reset = await acceptor.reset(signal);
  if (reset.outcome === 'failed') return refused('device', reset.message);
  const status = await ask(ports.clock, signal, (limit) => acceptor.cashInStatus(limit), ASK_MS_MAX);
  return { intoBins: [...reset.retracted], status };
}

/** Null when the device says that no note is in its path now. */
async function notesInPath(ports: SuspectPorts, { service }: Suspect, signal: AbortSignal): Promise<Refused | null> {
  const again = refused('device', 'has notes in its path again: clear it once more, then count');
  try {
    if (service === 'withdraw') {
      const status = await ask(
        ports.clock,
        signal,
        async (limit) => await ports.devices.cashDispenser?.status(limit),
        ASK_MS_MAX,
      );
      if (!status) return refused('device', 'this terminal has no cash dispenser');
      return status.stacker === 'notEmpty' || status.outputPosition === 'notEmpty' ? again : null;
    }
    const status = await ask(
      ports.clock,
      signal,
      async (limit) => await ports.devices.cashAcceptor?.status(limit),
      ASK_MS_MAX,
    );
    if (!status) return refused('device', 'this terminal has no cash acceptor');
    return status.escrow.length > 0 || status.inputPosition === 'notEmpty' ? again : null;
  } catch (error) {
    if (signal.aborted) throw error;
    return refused('device', `did not answer: ${String(error)}`);
  }
}

function impossible(suspect: Suspect, counted: Money, { notes }: CountOrder): Refused | null {
  const seen = new Set(notes.map(({ denominationMinor }) => denominationMinor));
  if (seen.size < notes.length) return refused('notes', 'name a denomination twice');
  if (suspect.service === 'deposit') return null;
  if (suspect.amount && counted.amountMinor > suspect.amount.amountMinor) {
    return refused('notes', `are worth ${counted.amountMinor}, and only ${suspect.amount.amountMinor} was ordered`);
  }
  return null;
}

async function settleByCount(
  ports: SuspectPorts,
  order: CountOrder,
  signal: AbortSignal,
): Promise<{ readonly outcome: 'settled'; readonly bank: 'told' | 'later' } | Refused> {
  const suspect = find(ports, order.transactionId);
  if ('outcome' in suspect) return suspect;
  if (!wasCleared(suspect)) return refused('device', 'was not cleared since: clear it, then count');
  const counted = money(
    order.notes.reduce((sum, note) => sum + note.denominationMinor * note.count, 0),
    order.currency,
  );
  const against = impossible(suspect, counted, order) ?? (await notesInPath(ports, suspect, signal));
  if (against) return against;
  const count: Count = {
    version: 1,
    countId: ports.chance.id(),
    terminalId: ports.terminal.id,
    transactionId: suspect.transactionId,
    subject: subjectOf(suspect),
    counted,
    notes: order.notes,
    staffId: order.staffId,
    note: order.note,
    at: ports.clock.now(),
  };
  const jws = await ports.signCount(count);
  // Meanwhile somebody else may have entered one.
  const still = find(ports, order.transactionId);
  if ('outcome' in still) return still;
  const idempotencyKey = ports.chance.id();
  const { transactionId } = count;
  const { technicianCode } = order;
  const { countId, notes, staffId, note } = count;
  ports.journal.record(
    transactionId,
    { state: 'settled-by-count', detail: { countId, counted, notes, staffId, note }, final: true },
    [{ kind: 'count', body: { idempotencyKey, transactionId, amount: counted, count: jws, technicianCode } }],
  );
  unblock(ports, suspect);
  using limit = deadline(ports.clock, TELL_BANK_MS_MAX, signal);
  await ports.sync.flush(limit.signal).catch(() => undefined);
  return { outcome: 'settled', bank: ports.journal.outbox.isWaiting(idempotencyKey) ? 'later' : 'told' };
}

const Authorised = z.object({ authorisationKey: Uuid });
const Begun = z.object({ resultId: Uuid });

function subjectOf({ service, events, detail, personId, amount, transactionId }: Suspect): Count['subject'] {
  if (service === 'withdraw') {
    const { authorisationKey } = Authorised.parse(
      events.findLast((event) => Object.hasOwn(event.detail, 'authorisationKey'))?.detail,
    );
    if (amount === null) throw new Error(`withdrawal ${transactionId} has no amount`);
    return { service, authorisationKey, ordered: amount };
  }
  if (personId === null) throw new Error(`deposit ${transactionId} names nobody`);
  return { service, personId, resultId: Begun.parse(detail).resultId };
}

/** Unless another suspect blocks it. */
function unblock(ports: SuspectPorts, { service }: Suspect): void {
  const { device } = RECOVERY[service];
  const others = ports.journal.openTransactions().filter(isSuspect);
  const name = ports.devices[device]?.name;
  if (name !== undefined && !others.some((other) => RECOVERY[other.service].device === device)) ports.unblock(name);
}
