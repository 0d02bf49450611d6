/**
 * A dispenser with an intermediate stacker, an output with an implicit shutter, and an items-taken sensor. What it does to
 * notes it writes down step by step (cash-module.ts), so `presentStatus` is right after a power cut at any moment.
 */
import type { Clock } from '../../clock.ts';
import type {
  CashDispenser,
  DispenseCompletion,
  DispenseError,
  DispenseOrder,
  DispenserStatus,
  PresentCompletion,
  PresentStatus,
  RetractCompletion,
} from '../cash-dispenser.ts';
import type { DeviceHealth } from '../device.ts';
import {
  countIn,
  firstNotes,
  isEmpty,
  minus,
  NOTHING,
  noteTotal,
  one,
  plus,
  Tally,
  tallyOf,
  toNotes,
  valueMinor,
} from '../tally.ts';
import type { CashModule } from './cash-module.ts';
import { type CashState, givingUnits, intoBin, unitView, withUnit } from './cash-state.ts';
import type { Faults } from './faults.ts';
import { Mechanism, type MechanismOptions, until } from './mechanism.ts';

/** Notes one bundle may have: what the stacker holds. Recyclers of this kind take 100 to 200. */
const NOTES_PER_DISPENSE_MAX = 100;
const DISPENSER_CURRENCY = 'JPY';

const START_MS = 150;
const PICK_MS_PER_NOTE = 12;
const SHUTTER_MS = 200;
const RETRACT_MS = 400;
const RESET_MS = 600;

const failed = <E extends string>(error: E, message: string) => ({ outcome: 'failed' as const, error, message });
const GONE = failed('noDevice', 'the cash dispenser does not answer');

interface Pick {
  readonly unitId: string;
  readonly notes: Tally;
}

export class SimulatedCashDispenser extends Mechanism implements CashDispenser {
  readonly #cash: CashModule;
  readonly #faults: Faults;
  readonly #clock: Clock;
  readonly #stopWatching: () => void;

  constructor(cash: CashModule, options: MechanismOptions) {
    super('cash-dispenser', options, () => problemOf(cash.state));
    this.#cash = cash;
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#stopWatching = cash.onChange(() => this.healthMayHaveChanged());
  }

  status(signal: AbortSignal): Promise<DispenserStatus> {
    return this.query(signal, () => {
      const { state } = this.#cash;
      const sensed = (tally: Tally) => (state.sensorsLost ? 'unknown' : isEmpty(tally) ? 'empty' : 'notEmpty');
      return {
        units: state.units.map((unit) => unitView(unit, this.#sensesEmpty(unit.id))),
        stacker: sensed(state.stacker),
        outputPosition: sensed(state.output),
        shutter: state.shutter,
      };
    });
  }

  /** It has no keys to check a token by, and asks for none. */
  commandNonce(signal: AbortSignal): Promise<string | null> {
    return this.query(signal, () => null);
  }

  clearCommandNonce(signal: AbortSignal): Promise<void> {
    return this.query(signal, () => undefined);
  }

  dispense(order: DispenseOrder, signal: AbortSignal): Promise<DispenseCompletion> {
    return this.command('dispense', signal, async () => {
      if (this.isGone()) return GONE;
      const refusal = this.#refusal(order);
      if (refusal) return refusal;
      const picks = this.#picksFor(tallyOf(order.mix));
      if ('outcome' in picks) return picks;

      // Written before the first note moves: after a power cut the device must know whose notes it holds.
      this.#cash.step({
        lastDispense: {
          transactionId: order.transactionId,
          presentState: 'notPresented',
          presented: NOTHING,
          retracted: NOTHING,
          rejected: NOTHING,
        },
      });
      await this.step(START_MS);
      return await this.#pick(picks, tallyOf(order.mix));
    });
  }

  present(signal: AbortSignal): Promise<PresentCompletion> {
    return this.command('present', signal, async () => {
      if (this.isGone()) return GONE;
      if (this.#cash.state.dispenserJam) return failed('jammed', this.#cash.state.dispenserJam);
      if (isEmpty(this.#cash.state.stacker)) return failed('noItems', 'the stacker is empty');
      await this.step(SHUTTER_MS);
      if (this.isGone()) return GONE;
      if (this.#shutterSticks()) return failed('jammed', 'the output shutter does not move');
      if (this.#faults.strikes(this.name, 'jam-on-present')) {
        return failed('shutterNotOpen', 'the output shutter did not open; the notes stayed in the stacker');
      }
      const blind = this.#faults.strikes(this.name, 'present-unknown');
      this.#cash.step((state) => ({
        ...state,
        output: state.stacker,
        stacker: NOTHING,
        shutter: 'open',
        sensorsLost: blind,
        lastDispense: state.lastDispense && {
          ...state.lastDispense,
          presentState: blind ? 'unknown' : 'presented',
          presented: state.stacker,
        },
      }));
      return blind ? failed('hardwareError', 'the output sensors failed while presenting') : { outcome: 'presented' };
    });
  }

  /** "taken" at once when nothing lies there: then it was taken before. */
  itemsTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'> {
    const gone = () => isEmpty(this.#cash.state.output) && !this.#cash.state.sensorsLost && !this.isGone();
    const watch = (listener: () => void) => {
      const stops = [this.#cash.onChange(listener), this.#faults.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    };
    return until(gone, watch, this.#clock, timeoutMs, AbortSignal.any([signal, this.power])).then((how) =>
      how === 'held' ? 'taken' : 'timeout',
    );
  }

  retract(signal: AbortSignal): Promise<RetractCompletion> {
    return this.command('retract', signal, async () => {
      if (this.isGone()) return GONE;
      if (isEmpty(this.#cash.state.output)) return { outcome: 'nothingToRetract' };
      await this.step(RETRACT_MS);
      if (this.isGone()) return GONE;
      if (this.#shutterSticks()) return failed('jammed', 'the output shutter does not move; the notes lie in it');
      // Read after the motion: a hand may have been quicker.
      const notes = this.#cash.state.output;
      const moved = intoBin({ ...this.#cash.state, output: NOTHING }, 'retract', notes);
      if (!moved) return failed('hardwareError', 'the retract bin has no room');
      this.#cash.step({
        ...moved,
        shutter: 'closed',
        sensorsLost: false,
        lastDispense: moved.lastDispense && {
          ...moved.lastDispense,
          retracted: plus(moved.lastDispense.retracted, notes),
        },
      });
      return isEmpty(notes) ? { outcome: 'nothingToRetract' } : { outcome: 'retracted', notes: toNotes(notes) };
    });
  }

  reset(signal: AbortSignal): ReturnType<CashDispenser['reset']> {
    return this.command('reset', signal, async () => {
      if (this.isGone()) return { outcome: 'failed', message: GONE.message };
      if (!isEmpty(this.#cash.state.output) && !this.#cash.state.sensorsLost) {
        return { outcome: 'failed', message: 'notes lie in the customer’s reach: retract them first' };
      }
      await this.step(RESET_MS);
      if (this.isGone()) return { outcome: 'failed', message: GONE.message };
      if (this.#faults.stands(this.name, 'shutter-jam')) {
        return { outcome: 'failed', message: 'the output shutter does not move' };
      }
      const stuck = this.#cash.state.stacker;
      const cleared = this.#rejected(this.#cash.state, stuck);
      if (!cleared) return { outcome: 'failed', message: 'the reject bin has no room' };
      this.#cash.step({
        ...cleared,
        dispenserJam: null,
        sensorsLost: false,
        shutter: isEmpty(cleared.output) ? 'closed' : 'open',
      });
      return { outcome: 'reset', rejected: toNotes(stuck) };
    });
  }

  /** Waits its turn: while notes move, no answer would be true for long. */
  presentStatus(signal: AbortSignal): Promise<PresentStatus> {
    return this.settled(signal, () => {
      const { lastDispense: last, stacker, output, sensorsLost } = this.#cash.state;
      const remaining = (): PresentStatus['remaining'] => {
        if (sensorsLost) return 'unknown';
        if (!isEmpty(output)) return 'outputPosition';
        return isEmpty(stacker) ? 'none' : 'stacker';
      };
      return {
        transactionId: last?.transactionId ?? null,
        state: last?.presentState ?? 'notPresented',
        presented: last?.presentState === 'presented' ? toNotes(last.presented) : [],
        retracted: toNotes(last?.retracted ?? NOTHING),
        rejected: toNotes(last?.rejected ?? NOTHING),
        remaining: remaining(),
        token: null,
      };
    });
  }

  override async close(): Promise<void> {
    this.#stopWatching();
    await super.close();
  }

  #refusal(order: DispenseOrder): DispenseCompletion | null {
    const { state } = this.#cash;
    const wanted = tallyOf(order.mix);
    if (order.amount.currency !== DISPENSER_CURRENCY) {
      return failed('notDispensable', `no unit holds ${order.amount.currency}`);
    }
    const sum = valueMinor(wanted);
    const whole = order.mix.every(({ count }) => Number.isSafeInteger(count) && count >= 0);
    if (!whole || !Tally.safeParse(wanted).success || sum === 0 || sum !== order.amount.amountMinor) {
      return failed('notDispensable', `the mix makes ${sum}, the amount is ${order.amount.amountMinor}`);
    }
    if (noteTotal(wanted) > NOTES_PER_DISPENSE_MAX) {
      return failed('tooManyItems', `${noteTotal(wanted)} notes; the stacker holds ${NOTES_PER_DISPENSE_MAX}`);
    }
    if (state.dispenserJam) return failed('jammed', state.dispenserJam);
    if (!isEmpty(state.stacker) || !isEmpty(state.output) || state.sensorsLost) {
      return failed('itemsLeft', 'notes of an earlier dispense are in the stacker or the output');
    }
    if (state.lastCashIn?.state === 'active') return failed('notDispensable', 'a cash-in transaction is active');
    if (
      state.lastDispense?.transactionId === order.transactionId &&
      state.lastDispense.presentState !== 'notPresented'
    ) {
      return failed('notDispensable', `transaction ${order.transactionId} was presented already`);
    }
    return null;
  }

  #picksFor(wanted: Tally): Pick[] | DispenseCompletion {
    const picks: Pick[] = [];
    for (const { denominationMinor, count } of toNotes(wanted)) {
      let left = count;
      for (const unit of givingUnits(this.#cash.state, denominationMinor)) {
        const here = this.#sensesEmpty(unit.id) ? 0 : Math.min(left, countIn(unit.notes, denominationMinor));
        if (here > 0) picks.push({ unitId: unit.id, notes: one(denominationMinor, here) });
        left -= here;
      }
      if (left > 0) {
        this.#faults.strikes(this.name, 'cassette-empty');
        return failed('cashUnitError' satisfies DispenseError, `${left} notes of ${denominationMinor} are missing`);
      }
    }
    return picks;
  }

  async #pick(picks: readonly Pick[], wanted: Tally): Promise<DispenseCompletion> {
    const jams = this.#faults.strikes(this.name, 'jam-on-dispense');
    const short = !jams && this.#faults.strikes(this.name, 'short');
    const stopAfter = jams || short ? Math.floor(noteTotal(wanted) / 2) : Number.POSITIVE_INFINITY;
    let picked = 0;
    for (const pick of picks) {
      const notes = firstNotes(pick.notes, Math.min(noteTotal(pick.notes), stopAfter - picked));
      await this.step(noteTotal(notes) * PICK_MS_PER_NOTE);
      if (this.isGone()) return GONE;
      this.#cash.step((state) => ({
        ...withUnit(state, pick.unitId, (held) => minus(held, notes)),
        stacker: plus(state.stacker, notes),
      }));
      picked += noteTotal(notes);
    }
    if (jams) return this.#jam();
    if (short) return this.#purge();
    return { outcome: 'dispensed', notes: toNotes(wanted) };
  }

  /** The transport stops: the first note on the way was rejected, the others stick in the stacker. */
  #jam(): DispenseCompletion {
    const message = 'the transport jammed between units and stacker';
    const rejected = firstNotes(this.#cash.state.stacker, noteTotal(this.#cash.state.stacker) > 1 ? 1 : 0);
    this.#cash.step({ ...(this.#rejected(this.#cash.state, rejected) ?? this.#cash.state), dispenserJam: message });
    return failed('jammed', message);
  }

  #purge(): DispenseCompletion {
    const purged = this.#rejected(this.#cash.state, this.#cash.state.stacker);
    if (!purged) return this.#jam();
    this.#cash.step(purged);
    return failed('cashUnitError', 'a unit gave fewer notes than ordered; those picked went to the reject bin');
  }

  /** Stacker notes to the reject bin, on the record of the last dispense. */
  #rejected(state: CashState, notes: Tally): CashState | null {
    const moved = intoBin({ ...state, stacker: minus(state.stacker, notes) }, 'reject', notes);
    return (
      moved && {
        ...moved,
        lastDispense: moved.lastDispense && {
          ...moved.lastDispense,
          rejected: plus(moved.lastDispense.rejected, notes),
        },
      }
    );
  }

  #sensesEmpty(unitId: string): boolean {
    const order = this.#faults.stands(this.name, 'cassette-empty');
    return order !== undefined && (order.unit === null || order.unit === unitId);
  }

  #shutterSticks(): boolean {
    if (!this.#faults.strikes(this.name, 'shutter-jam')) return false;
    this.#cash.step({ shutter: 'jammed', dispenserJam: 'the output shutter does not move' });
    return true;
  }
}

function problemOf(state: CashState): DeviceHealth | null {
  if (state.dispenserJam) return { state: 'hardwareError', problem: state.dispenserJam };
  if (state.sensorsLost)
    return { state: 'hardwareError', problem: 'the output sensors failed: it is unknown what was taken' };
  const empty = state.units.filter((unit) => unitView(unit, false).state === 'empty').map((unit) => unit.id);
  return empty.length > 0 ? { state: 'online', problem: `empty: ${empty.join(', ')}` } : null;
}
