/**
 * Closes the business day, as banks do: numbered, signed, journaled and sent through the outbox, by itself at the cut-off once nobody is
 * served, or when a technician asks. A close is one commit: a power cut leaves all of it or none, and then the cut-off is still due.
 *
 * Between closes the counts of the cash units are watched while nobody is served. A count that changes while no transaction ran was
 * changed by staff: an exchange, and no difference. What transactions do not explain is one.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import {
  type CloseTransaction,
  DAY_CLOSE_TRANSACTIONS_MAX,
  DayClose,
  type DayCloseRequest,
} from '../../src-contract/day-close.ts';
import { MinorUnits, type Service, type Uuid } from '../../src-contract/primitives.ts';
import { type Chance, type Clock, deadline } from '../clock.ts';
import type { CashUnit } from '../devices/cash-dispenser.ts';
import type { Devices } from '../devices/devices.ts';
import { TerminalError } from '../errors.ts';
import type { CountedUnit, DayCloses, Ended, Notes, StoredClose } from '../journal/day-closes.ts';
import { type BusinessDayConfig, businessDateAt, dayBegan } from './business-day.ts';
import { less, mayHaveOverflowed, moved, notesIn, reckon, sum, withOverflow } from './cash.ts';

export interface DayCloser {
  /** Closes what ended since the last close. Rejects with DEVICE_UNAVAILABLE while somebody is served. */
  closeNow(signal: AbortSignal): Promise<StoredClose>;
  last(): StoredClose | null;
  /** Begins to watch counts and cut-offs. */
  start(): void;
  close(): Promise<void>;
}

export interface DayCloserOptions {
  readonly closes: DayCloses;
  readonly devices: Pick<Devices, 'cashDispenser' | 'cashAcceptor'>;
  readonly config: BusinessDayConfig;
  readonly terminalId: Uuid;
  readonly activatedAt: number;
  readonly sign: (close: DayClose) => Promise<string>;
  /** Whether nobody is being served. */
  readonly idle: () => boolean;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'id'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Between two looks at counts and cut-off, ms. */
const LOOK_MS = 30_000;
/** A device says at once what is in it, or it is not there; ms. */
const COUNT_MS_MAX = 5_000;
const CURRENCY = 'JPY';
/** Transactions of one close that ended since the last; as many again may be open, and the rest is room for late ones. */
const PART_MAX = DAY_CLOSE_TRANSACTIONS_MAX / 4;

type Reason = DayClose['reason'];

export function createDayCloser(options: DayCloserOptions): DayCloser {
  const { closes, config, clock, chance, log } = options;
  const closing = new AbortController();
  let loop: Promise<void> | null = null;
  let wake = () => {};
  /** When the last day was closed, UTC ms; null while that has to be read. */
  let closedAt: number | null = null;

  /** Counts, while nobody is served from before they are asked until after they are there. Null where there is no cash. */
  const count = async (signal: AbortSignal): Promise<CountedUnit[] | null | 'unknown'> => {
    const { cashDispenser, cashAcceptor } = options.devices;
    if (!cashDispenser && !cashAcceptor) return null;
    const before = closes.endedNumber();
    try {
      using limit = deadline(clock, COUNT_MS_MAX, signal);
      const units = [
        ...((await cashDispenser?.status(limit.signal))?.units ?? []),
        ...((await cashAcceptor?.status(limit.signal))?.units ?? []),
      ];
      if (!options.idle() || closes.endedNumber() !== before) return 'unknown';
      return counted(units);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error }, 'the cash units could not be counted');
      return 'unknown';
    }
  };

  const endedAfter = (after: number, upTo: number): Ended[] => {
    const all: Ended[] = [];
    for (let from = after; from < upTo; ) {
      const page = closes.ended({ after: from, upTo, limit: 500 });
      all.push(...page);
      from = page.at(-1)?.number ?? upTo;
    }
    return all;
  };

  /** Notes down what changed in the units since they were last looked at. */
  const look = async (signal: AbortSignal): Promise<CountedUnit[] | null | 'unknown'> => {
    const units = await count(signal);
    if (units === null || units === 'unknown') return units;
    const endedNumber = closes.endedNumber();
    const last = closes.counts.last();
    if (!last) {
      closes.counts.record({ kind: 'first', units, changed: {}, endedNumber });
      return units;
    }
    if (last.endedNumber === endedNumber && isDeepStrictEqual(last.units, units)) return units;
    const change = less(notesIn(units), notesIn(last.units));
    const unexplained = less(change, moved(endedAfter(last.endedNumber, endedNumber), units));
    const byStaff =
      Object.keys(unexplained).length > 0 && last.endedNumber === endedNumber && closes.open().length === 0;
    if (byStaff) log.info({ notes: unexplained }, 'the cash units were exchanged or counted anew');
    if (Object.keys(change).length > 0 || last.endedNumber !== endedNumber) {
      const kind = byStaff ? 'exchange' : 'seen';
      closes.counts.record({ kind, units, changed: byStaff ? unexplained : {}, endedNumber });
    }
    return units;
  };

  const cashOf = (units: CountedUnit[] | null | 'unknown', upTo: number): Pick<DayClose, 'cash' | 'cashProblem'> => {
    if (units === null) return { cash: null, cashProblem: null };
    const opening = closes.counts.opening();
    if (units === 'unknown' || !opening) return { cash: [], cashProblem: 'the cash units did not say what is in them' };
    const exchanged: Notes = sum(closes.counts.since(opening.number).map(({ changed }) => changed));
    const ended = endedAfter(opening.endedNumber, upTo);
    const given = {
      opening: notesIn(opening.units),
      exchanged,
      moved: moved(ended, units),
      closing: notesIn(units),
    };
    return { cash: reckon(withOverflow(given, mayHaveOverflowed(ended))), cashProblem: null };
  };

  const closeFor = async (reason: Reason, signal: AbortSignal): Promise<StoredClose> => {
    if (!options.idle()) throw new TerminalError('DEVICE_UNAVAILABLE', 'the day is closed once nobody is served');
    const units = await look(signal);
    const before = closes.last();
    const { transactions, after, upTo, more } = material(closes, before);
    const now = clock.now();
    const businessDate = businessDateAt(reason === 'cut-off' ? dayBegan(now, config) - 1 : now, config);
    const close = DayClose.parse({
      version: 1,
      closeId: chance.id(),
      terminalId: options.terminalId,
      number: (before?.number ?? 0) + 1,
      previousHash: before?.hash ?? null,
      businessDate,
      timeZone: config.timeZone,
      reason: more ? 'full' : reason,
      at: now,
      after,
      upTo,
      currency: CURRENCY,
      totals: totalsOf(transactions),
      ...cashOf(units, upTo),
      transactions: transactions.length,
      transactionsSha256: createHash('sha256').update(JSON.stringify(transactions)).digest('base64url'),
    } satisfies DayClose);
    const jws = await options.sign(close);
    signal.throwIfAborted();
    const request: DayCloseRequest = { idempotencyKey: close.closeId, close: jws, transactions };
    const closingUnits = Array.isArray(units) ? units : null;
    closes.record({ number: close.number, request, units: closingUnits, upTo });
    closedAt = null;
    log.info(
      { number: close.number, businessDate, transactions: transactions.length, more },
      'the business day is closed',
    );
    return more ? await closeFor(reason, signal) : required(closes.last());
  };

  // One at a time: two at once would claim one number.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  let day = { date: '', began: 0 };
  const isDue = () => {
    const now = clock.now();
    const date = businessDateAt(now, config);
    if (date !== day.date) day = { date, began: dayBegan(now, config) };
    closedAt ??= closes.last()?.at ?? options.activatedAt;
    return closedAt < day.began;
  };
  const round = async (): Promise<void> => {
    if (!options.idle()) return;
    try {
      if (isDue()) await inTurn(() => closeFor('cut-off', closing.signal));
      else await inTurn(() => look(closing.signal));
    } catch (error) {
      if (closing.signal.aborted) return;
      if (!(error instanceof TerminalError)) throw error;
      log.warn({ code: error.code, reason: error.message }, 'the business day could not be closed or watched');
    }
  };
  const rest = () =>
    new Promise<void>((resolve) => {
      const callOff = clock.after(LOOK_MS, resolve);
      wake = () => {
        callOff();
        resolve();
      };
      if (closing.signal.aborted) wake();
    });
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await round();
      await rest();
    }
  };

  return {
    closeNow: (signal) => inTurn(() => closeFor('demand', AbortSignal.any([signal, closing.signal]))),
    last: closes.last,
    start: () => {
      loop ??= run();
    },
    close: async () => {
      closing.abort(new DOMException('the terminal is closing', 'AbortError'));
      wake();
      await loop;
      await turn;
    },
  };
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('a close was recorded, and is not there');
  return value;
}

/** A unit that dispenser and acceptor share is one unit. */
function counted(units: readonly CashUnit[]): CountedUnit[] {
  const byId = new Map(units.map((unit) => [unit.id, unit]));
  return [...byId.values()].map(({ id, kind, denominationMinor, count }) => ({ id, kind, denominationMinor, count }));
}

/** What ended since the last close, what is under way, and what stands otherwise than an earlier close named it; as much as one close
 *  holds, the oldest first. */
function material(closes: DayCloses, before: StoredClose | null) {
  const after = before ? upToOf(before) : 0;
  const named = new Map(closes.pending().map(({ transactionId, standing }) => [transactionId, standing]));
  const all = closes.ended({ after, upTo: closes.endedNumber(), limit: PART_MAX });
  const upTo = all.at(-1)?.number ?? after;
  const rows = (ids: readonly Uuid[]): CloseTransaction[] =>
    ids.flatMap((transactionId) => {
      const row = standingOf(closes, transactionId, upTo);
      return row ? [{ ...row, late: named.has(transactionId) }] : [];
    });
  const late = rows([...named.keys()]).filter(({ transactionId, standing }) => standing !== named.get(transactionId));
  // What moved nothing and is over is no matter of a close.
  const fresh = rows([...all.map(({ transactionId }) => transactionId), ...closes.open().slice(0, PART_MAX)]).filter(
    ({ transactionId, amountMinor }) => amountMinor !== 0 && !named.has(transactionId),
  );
  const transactions = [...late.slice(0, DAY_CLOSE_TRANSACTIONS_MAX - 2 * PART_MAX), ...fresh];
  return {
    transactions,
    after,
    upTo,
    more: upTo < closes.endedNumber() || transactions.length < late.length + fresh.length,
  };
}

function standingOf(closes: DayCloses, transactionId: Uuid, upTo: number): Omit<CloseTransaction, 'late'> | null {
  const found = closes.standing(transactionId);
  if (!found) return null;
  const { service, state, ended } = found;
  if (!ended || ended.number > upTo) {
    return { transactionId, service, amountMinor: null, standing: state === 'suspect' ? 'suspect' : 'open' };
  }
  const told = closes.told(transactionId);
  if (!told) return { transactionId, service, amountMinor: MinorUnits.parse(0), standing: 'posted' };
  return {
    transactionId,
    service,
    amountMinor: MinorUnits.parse(told.amountMinor),
    standing: told.posted ? 'posted' : 'queued',
  };
}

function upToOf({ jws }: StoredClose): number {
  const [, payload = ''] = jws.split('.');
  return DayClose.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).upTo;
}

/** By service, of what moved: on its way to the bank or there. */
function totalsOf(transactions: readonly CloseTransaction[]): DayClose['totals'] {
  const byService = Map.groupBy(
    transactions.filter(({ standing }) => standing === 'posted' || standing === 'queued'),
    ({ service }): Service => service,
  );
  return [...byService].map(([service, rows]) => ({
    service,
    transactions: rows.length,
    amountMinor: MinorUnits.parse(rows.reduce((total, { amountMinor }) => total + (amountMinor ?? 0), 0)),
  }));
}
