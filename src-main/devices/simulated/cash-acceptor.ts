/**
 * A bunch acceptor with an escrow. A customer's notes go from the feeder one by one to the escrow, or, not recognised, back
 * into the customer's reach. Notes that came out of the escrow belong to the bank (cashInEnd) or to the customer
 * (cashInRollback); before either begins, the record says "unknown", so that a power cut half way is seen for what it is.
 */
import type { Clock } from '../../clock.ts';
import type { AcceptorStatus, CashAcceptor, CashAcceptorFailure, CashInEvent, CashInStatus } from '../cash-acceptor.ts';
import { type CashRoom, roomIn } from '../cash-room.ts';
import type { DeviceHealth } from '../device.ts';
import { eachNote, firstNotes, isEmpty, minus, NOTHING, noteTotal, one, plus, type Tally, toNotes } from '../tally.ts';
import type { CashModule } from './cash-module.ts';
import {
  type CashInRecord,
  type CashState,
  intoBin,
  JPY_DENOMINATIONS,
  NO_BUNCH,
  storingUnit,
  unitView,
  withUnit,
} from './cash-state.ts';
import type { Faults } from './faults.ts';
import { Mechanism, type MechanismOptions, until } from './mechanism.ts';

/** Notes the escrow holds in one cash-in transaction. */
const ESCROW_NOTES_MAX = 200;

const SHUTTER_MS = 200;
const COUNT_MS_PER_NOTE = 50;
const STORE_MS_PER_NOTE = 12;
const RETURN_MS = 400;
const RESET_MS = 600;

type Failure = CashAcceptorFailure;
const failed = (error: Failure['error'], message: string): Failure => ({ outcome: 'failed', error, message });
const GONE = failed('noDevice', 'the cash acceptor does not answer');
const NOT_ACTIVE = failed('sequenceError', 'no cash-in transaction is active');

export class SimulatedCashAcceptor extends Mechanism implements CashAcceptor {
  readonly #cash: CashModule;
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #stopWatching: (() => void)[];
  #listener: (event: CashInEvent) => void = () => {};
  /** Of the terminal, for the transaction under way. */
  #notesMax: number | null = null;
  #counting: Promise<void> | null = null;
  /** What broke the counting, kept for the next command that needs it done. */
  #countingError: unknown = null;

  constructor(cash: CashModule, options: MechanismOptions) {
    super('cash-acceptor', options, () => problemOf(cash.state));
    this.#cash = cash;
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#stopWatching = [
      cash.onChange(() => {
        this.healthMayHaveChanged();
        if (cash.inputOpen) this.#feed();
      }),
      options.faults.onChange(() => {
        if (this.isGone()) cash.inputOpen = false;
      }),
    ];
  }

  status(signal: AbortSignal): Promise<AcceptorStatus> {
    return this.query(signal, () => {
      const { units, escrow, returned } = this.#cash.state;
      return {
        units: units
          .filter((unit) => unit.kind === 'recycle' || unit.kind === 'cashIn' || unit.kind === 'retract')
          .map((unit) => unitView(unit, false)),
        escrow: toNotes(escrow),
        inputPosition: isEmpty(returned.notes) && returned.unrecognised === 0 ? 'empty' : 'notEmpty',
      };
    });
  }

  room(): CashRoom | null {
    if (this.isGone()) return null;
    return roomIn(
      this.#cash.state.units.map((unit) => unitView(unit, false)),
      ESCROW_NOTES_MAX,
    );
  }

  cashInStart(
    transactionId: string,
    listener: (event: CashInEvent) => void,
    signal: AbortSignal,
    notesMax: number | null = null,
  ): ReturnType<CashAcceptor['cashInStart']> {
    return this.command('cashInStart', signal, async () => {
      if (this.isGone()) return GONE;
      const { state } = this.#cash;
      if (state.acceptorJam) return failed('jammed', state.acceptorJam);
      if (state.lastCashIn?.state === 'active') return failed('sequenceError', 'a cash-in transaction is active');
      if (state.lastCashIn?.transactionId === transactionId) {
        return failed('sequenceError', `the cash-in transaction ${transactionId} has ended`);
      }
      if (!isEmpty(state.escrow) || !isEmpty(state.input.notes) || state.input.unrecognised > 0) {
        return failed('sequenceError', 'notes of an earlier transaction are inside: reset first');
      }
      if (this.#trayHolds())
        return failed('sequenceError', 'returned notes lie in the input: they must be taken first');
      await this.step(SHUTTER_MS);
      if (this.isGone()) return GONE;
      if (this.#faults.strikes(this.name, 'tray-blocked'))
        return failed('hardwareError', 'the input shutter is blocked');
      this.#cash.step({
        lastCashIn: { transactionId, state: 'active', identified: NOTHING, refusedNotes: 0, retracted: NOTHING },
      });
      this.#listener = listener;
      this.#notesMax = notesMax;
      this.#cash.inputOpen = true;
      this.#cash.changed();
      return { outcome: 'started' };
    });
  }

  cashInStop(signal: AbortSignal): ReturnType<CashAcceptor['cashInStop']> {
    return this.command('cashInStop', signal, async () => {
      if (this.isGone()) return GONE;
      const record = await this.#stopped();
      if (record === null) return NOT_ACTIVE;
      if (this.isGone()) return GONE;
      if (this.#cash.state.acceptorJam) return failed('jammed', this.#cash.state.acceptorJam);
      return {
        outcome: 'counted',
        escrow: toNotes(this.#cash.state.escrow),
        refusedNotes: record.refusedNotes,
      };
    });
  }

  cashInEnd(signal: AbortSignal): ReturnType<CashAcceptor['cashInEnd']> {
    return this.command('cashInEnd', signal, async () => {
      if (this.isGone()) return GONE;
      const record = await this.#stopped();
      if (record === null) return NOT_ACTIVE;
      if (this.#cash.state.acceptorJam) return failed('jammed', this.#cash.state.acceptorJam);
      const full = withEachStored(this.#cash.state, this.#cash.state.escrow) === null;
      if (full) return failed('cashUnitError', 'the storage units have no room for the escrow');
      this.#record({ state: 'unknown' });
      const jams = this.#faults.strikes(this.name, 'jam-on-store');
      const total = noteTotal(this.#cash.state.escrow);
      const moving = jams ? firstNotes(this.#cash.state.escrow, Math.floor(total / 2)) : this.#cash.state.escrow;
      for (const { denominationMinor, count } of toNotes(moving)) {
        await this.step(count * STORE_MS_PER_NOTE);
        if (this.isGone()) return GONE;
        this.#cash.step((state) => withEachStored(state, one(denominationMinor, count)) ?? state);
      }
      if (jams) return this.#jam('the transport jammed between escrow and units');
      this.#record({ state: 'ok' });
      return { outcome: 'stored', notes: toNotes(record.identified) };
    });
  }

  cashInRollback(signal: AbortSignal): ReturnType<CashAcceptor['cashInRollback']> {
    return this.command('cashInRollback', signal, async () => {
      if (this.isGone()) return GONE;
      const record = await this.#stopped();
      if (record === null) return NOT_ACTIVE;
      this.#record({ state: 'unknown' });
      await this.step(RETURN_MS);
      if (this.isGone()) return GONE;
      const { escrow } = this.#cash.state;
      if (this.#faults.strikes(this.name, 'jam-on-return')) {
        const half = firstNotes(escrow, Math.floor(noteTotal(escrow) / 2));
        this.#cash.step((state) => ({
          ...state,
          escrow: minus(state.escrow, half),
          returned: { ...state.returned, notes: plus(state.returned.notes, half) },
        }));
        return this.#jam('the transport jammed between escrow and input');
      }
      // The transport runs backwards, which also frees what a jam had left in the feeder.
      this.#cash.step((state) => ({
        ...state,
        escrow: NOTHING,
        input: NO_BUNCH,
        acceptorJam: null,
        returned: {
          notes: [state.returned.notes, state.escrow, state.input.notes].reduce(plus, NOTHING),
          unrecognised: state.returned.unrecognised + state.input.unrecognised,
        },
        lastCashIn: state.lastCashIn && { ...state.lastCashIn, state: 'rollback' },
      }));
      return { outcome: 'returned', notes: toNotes(escrow) };
    });
  }

  async returnedTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'> {
    const either = AbortSignal.any([signal, this.power]);
    const how = await until(
      () => !this.#trayHolds(),
      (listener) => this.#cash.onChange(listener),
      this.#clock,
      timeoutMs,
      either,
    );
    return how === 'held' ? 'taken' : 'timeout';
  }

  retract(signal: AbortSignal): ReturnType<CashAcceptor['retract']> {
    return this.command('retract', signal, async () => {
      if (this.isGone()) return GONE;
      const { acceptorJam, lastCashIn } = this.#cash.state;
      if (acceptorJam) return failed('jammed', acceptorJam);
      if (lastCashIn?.state === 'active') return failed('sequenceError', 'a cash-in transaction is active');
      if (!this.#trayHolds()) return { outcome: 'nothingToRetract' };
      await this.step(RETURN_MS);
      if (this.isGone()) return GONE;
      // Read after the motion: a hand may have been quicker.
      if (!this.#trayHolds()) return { outcome: 'nothingToRetract' };
      const { notes } = this.#cash.state.returned;
      const moved = intoBin({ ...this.#cash.state, returned: NO_BUNCH }, 'retract', notes);
      if (!moved) return failed('cashUnitError', 'the retract bin has no room');
      const { lastCashIn: last } = moved;
      this.#cash.step({ ...moved, lastCashIn: last && { ...last, retracted: plus(last.retracted, notes) } });
      return { outcome: 'retracted', notes: toNotes(notes) };
    });
  }

  reset(signal: AbortSignal): ReturnType<CashAcceptor['reset']> {
    return this.command('reset', signal, async () => {
      if (this.isGone()) return GONE;
      this.#cash.inputOpen = false;
      await this.#counting;
      await this.step(RESET_MS);
      if (this.isGone()) return GONE;
      const { state } = this.#cash;
      const kept = [state.escrow, state.input.notes, state.returned.notes].reduce(plus, NOTHING);
      const moved = intoBin(
        { ...state, escrow: NOTHING, input: NO_BUNCH, returned: NO_BUNCH, acceptorJam: null },
        'retract',
        kept,
      );
      if (!moved) return failed('cashUnitError', 'the retract bin has no room');
      this.#cash.step({
        ...moved,
        lastCashIn: state.lastCashIn?.state === 'active' ? { ...state.lastCashIn, state: 'retract' } : state.lastCashIn,
      });
      return { outcome: 'reset', retracted: toNotes(kept) };
    });
  }

  /** Waits its turn: while notes move, no answer would be true for long. */
  cashInStatus(signal: AbortSignal): Promise<CashInStatus> {
    return this.settled(signal, () => {
      const { lastCashIn: last, escrow } = this.#cash.state;
      if (!last) return { transactionId: null, state: 'none', notes: [] };
      return {
        transactionId: last.transactionId,
        state: last.state,
        notes: toNotes(last.state === 'active' ? escrow : last.identified),
        ...(isEmpty(last.retracted) ? {} : { retracted: toNotes(last.retracted) }),
      };
    });
  }

  override async close(): Promise<void> {
    this.#cash.inputOpen = false;
    for (const stop of this.#stopWatching) stop();
    await super.close();
    await this.#counting;
  }

  #trayHolds(): boolean {
    const { returned } = this.#cash.state;
    return !isEmpty(returned.notes) || returned.unrecognised > 0;
  }

  #record(change: Partial<CashInRecord>): void {
    this.#cash.step((state) => ({ ...state, lastCashIn: state.lastCashIn && { ...state.lastCashIn, ...change } }));
  }

  #jam(message: string): Failure {
    this.#cash.step({ acceptorJam: message });
    return failed('jammed', message);
  }

  /** Closes the input and finishes counting; the record of the active transaction, null when none is. */
  async #stopped(): Promise<CashInRecord | null> {
    if (this.#cash.state.lastCashIn?.state !== 'active') return null;
    this.#cash.inputOpen = false;
    this.#feed();
    await this.#counting;
    if (this.#countingError) {
      const error = this.#countingError;
      this.#countingError = null;
      throw error;
    }
    return this.#cash.state.lastCashIn;
  }

  /** Starts the feeder when notes lie in it and it stands still. */
  #feed(): void {
    const { input, acceptorJam, lastCashIn } = this.#cash.state;
    const idle = this.#counting === null && acceptorJam === null && lastCashIn?.state === 'active' && !this.isGone();
    if (!idle || (isEmpty(input.notes) && input.unrecognised === 0)) return;
    this.#counting = this.#count()
      .catch((error: unknown) => {
        this.#countingError = error;
        this.#cash.inputOpen = false;
      })
      .finally(() => {
        this.#counting = null;
        if (this.#cash.inputOpen) this.#feed();
      });
  }

  async #count(): Promise<void> {
    this.#listener({ kind: 'inserted' });
    const refusesAll = this.#faults.strikes(this.name, 'refuse-notes');
    const sentBack = this.#faults.strikes(this.name, 'escrow-full');
    const jamAfter = this.#faults.strikes(this.name, 'jam-on-count')
      ? Math.floor((noteTotal(this.#cash.state.input.notes) + this.#cash.state.input.unrecognised) / 2)
      : Number.POSITIVE_INFINITY;
    let counted = 0;
    let refused = 0;
    let noRoom = sentBack;
    for (;;) {
      const { input } = this.#cash.state;
      const [next] = eachNote(input.notes);
      if (next === undefined && input.unrecognised === 0) break;
      await this.step(COUNT_MS_PER_NOTE);
      if (this.isGone()) return;
      if (counted + refused >= jamAfter) {
        this.#jam('the feeder jammed while counting');
        break;
      }
      const known = next !== undefined && (JPY_DENOMINATIONS as readonly number[]).includes(next);
      const fits = known && !sentBack && this.#hasRoomFor(next);
      noRoom ||= known && !fits;
      if (fits && !refusesAll) {
        this.#cash.step((state) => toEscrow(state, one(next, 1)));
        counted += 1;
      } else {
        this.#cash.step((state) => toTray(state, next === undefined ? NOTHING : one(next, 1)));
        refused += 1;
      }
    }
    if (counted > 0) this.#listener({ kind: 'counted', escrow: toNotes(this.#cash.state.escrow) });
    if (refused > 0) this.#listener({ kind: 'refused', notes: refused });
    if (noRoom) this.#listener({ kind: 'escrowFull' });
  }

  /** For one more note beside those in escrow. */
  #hasRoomFor(denominationMinor: number): boolean {
    const { state } = this.#cash;
    const escrow = plus(state.escrow, one(denominationMinor, 1));
    const most = Math.min(ESCROW_NOTES_MAX, this.#notesMax ?? ESCROW_NOTES_MAX);
    return noteTotal(escrow) <= most && withEachStored({ ...state, escrow }, escrow) !== null;
  }
}

function toEscrow(state: CashState, note: Tally): CashState {
  return {
    ...state,
    input: { ...state.input, notes: minus(state.input.notes, note) },
    escrow: plus(state.escrow, note),
    lastCashIn: state.lastCashIn && { ...state.lastCashIn, identified: plus(state.lastCashIn.identified, note) },
  };
}

/** One note back into reach: a note of money, or (nothing given) one that is none. */
function toTray(state: CashState, note: Tally): CashState {
  const strange = isEmpty(note) ? 1 : 0;
  return {
    ...state,
    input: { notes: minus(state.input.notes, note), unrecognised: state.input.unrecognised - strange },
    returned: { notes: plus(state.returned.notes, note), unrecognised: state.returned.unrecognised + strange },
    lastCashIn: state.lastCashIn && { ...state.lastCashIn, refusedNotes: state.lastCashIn.refusedNotes + 1 },
  };
}

/** Escrow notes into units; null when there is not room for all. */
function withEachStored(state: CashState, notes: Tally): CashState | null {
  let stored: CashState = state;
  for (const note of eachNote(notes)) {
    const unit = storingUnit(stored, note);
    if (!unit) return null;
    stored = {
      ...withUnit(stored, unit.id, (held) => plus(held, one(note, 1))),
      escrow: minus(stored.escrow, one(note, 1)),
    };
  }
  return stored;
}

function problemOf(state: CashState): DeviceHealth | null {
  if (state.acceptorJam) return { state: 'hardwareError', problem: state.acceptorJam };
  const open = state.lastCashIn?.state === 'unknown' && !isEmpty(state.escrow);
  return open ? { state: 'hardwareError', problem: 'notes of an unfinished cash-in are in escrow: reset' } : null;
}
