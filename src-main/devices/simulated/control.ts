/**
 * The hands and the voice of a person before simulated devices, and the eyes of a test: what people can do (put notes in, take
 * them, press keys, show goods), what can be made to fail, and everything there is to see.
 * A deed that is impossible now answers `{ ok: false, message }` and changes nothing. Each takes `waitMs`: how long to wait for the
 * moment at which it becomes possible, 0 when not given.
 */
import type { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { CashUnit } from '../cash-dispenser.ts';
import type { DeviceHealth } from '../device.ts';
import type { LightPattern, LightPosition } from '../lights.ts';
import { isEmpty, NOTHING, noteTotal, plus, sameNotes, type Tally, tallyOf, valueMinor } from '../tally.ts';
import type { SimulatedBarcodeScanner } from './barcode-scanner.ts';
import type { CashModule } from './cash-module.ts';
import {
  Bunch,
  type CashInRecord,
  conservation,
  type DispenseRecord,
  insideMachine,
  NO_BUNCH,
  unitView,
} from './cash-state.ts';
import type { FaultDevice, FaultOrder, Faults } from './faults.ts';
import type { SimulatedLights } from './lights.ts';
import { type Mechanism, until } from './mechanism.ts';
import { KEYS, type SimulatedPinPad } from './pin-pad.ts';
import type { PrintedReceipt, SimulatedReceiptPrinter } from './receipt-printer.ts';

/** Notes a feeder takes in one bunch. */
const BUNCH_NOTES_MAX = 200;

export type ControlAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface Wait {
  readonly waitMs?: number;
}

/** Money, per place, in yen; `came` equals `are` at every moment or the simulator is wrong. */
interface CashSnapshot {
  readonly units: readonly CashUnit[];
  readonly shutter: 'closed' | 'open' | 'jammed';
  readonly inputOpen: boolean;
  readonly stacker: Tally;
  readonly output: Tally;
  readonly escrow: Tally;
  readonly input: Bunch;
  readonly returned: Bunch;
  readonly lastDispense: DispenseRecord | null;
  readonly lastCashIn: CashInRecord | null;
  readonly conservation: {
    readonly loadedMinor: number;
    readonly insertedMinor: number;
    /** Behind the machine's doors: units, stacker, escrow, feeder. */
    readonly insideMinor: number;
    /** Lying in the customer's reach, at output and input. */
    readonly inReachMinor: number;
    /** Handed out and taken; given back at the input and taken. */
    readonly takenMinor: number;
    readonly takenBackMinor: number;
    readonly holds: boolean;
  };
}

export interface ControlState {
  readonly profile: 'atm' | 'checkout' | 'gate';
  readonly health: Readonly<Record<string, DeviceHealth>>;
  readonly cash: CashSnapshot | null;
  readonly pinPad: { readonly entering: boolean } | null;
  readonly printer: { readonly paper: number } | null;
  readonly lights: Partial<Record<LightPosition, LightPattern>>;
  readonly faults: readonly FaultOrder[];
}

export interface ControlParts {
  readonly profile: ControlState['profile'];
  readonly clock: Clock;
  readonly faults: Faults;
  readonly cash: CashModule | null;
  readonly pinPad: SimulatedPinPad | null;
  readonly printer: SimulatedReceiptPrinter | null;
  readonly scanner: SimulatedBarcodeScanner | null;
  readonly lights: SimulatedLights | null;
  readonly mechanisms: readonly Mechanism[];
}

const OK: ControlAnswer = { ok: true };
const no = (message: string): ControlAnswer => ({ ok: false, message });

export class SimulatedControl {
  readonly #parts: ControlParts;
  readonly #closed = new AbortController();

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Where the notes are; null for devices without cash. */
  cash(): CashSnapshot | null {
    const { cash, faults } = this.#parts;
    return cash && snapshot(cash, faults);
  }

  state(): ControlState {
    const { profile, mechanisms, pinPad, printer, lights, faults } = this.#parts;
    return {
      profile,
      health: Object.fromEntries(mechanisms.map((device) => [device.name, device.health()])),
      cash: this.cash(),
      pinPad: pinPad && { entering: pinPad.entering },
      printer: printer && { paper: printer.paper },
      lights: lights?.shown() ?? {},
      faults: faults.armed(),
    };
  }

  /** Puts one bunch into the feeder. Denominations the reader does not know, and `unrecognised` pieces, come back. */
  async insertNotes(
    notes: readonly { readonly denominationMinor: number; readonly count: number }[],
    options: Wait & { readonly unrecognised?: number } = {},
  ): Promise<ControlAnswer> {
    const { cash } = this.#parts;
    if (!cash) return no('this terminal has no cash acceptor');
    const bunch = { notes: tallyOf(notes), unrecognised: options.unrecognised ?? 0 };
    if (!Bunch.safeParse(bunch).success) return no('notes have a whole value above 0 and a whole count');
    const pieces = noteTotal(bunch.notes) + bunch.unrecognised;
    if (pieces === 0) return no('there is no note in the bunch');
    if (pieces > BUNCH_NOTES_MAX) return no(`${pieces} notes; the feeder takes ${BUNCH_NOTES_MAX} at once`);
    await this.#when(() => cash.inputOpen, options);
    if (!cash.inputOpen) return no('the input is closed: no cash-in transaction is waiting for notes');
    if (holds(cash.state.returned)) return no('returned notes lie in the input: take them first');
    if (noteTotal(cash.state.input.notes) + cash.state.input.unrecognised + pieces > BUNCH_NOTES_MAX) {
      return no('the feeder is still busy with the notes before');
    }
    cash.step((state) => ({
      ...state,
      input: together(state.input, bunch),
      inserted: together(state.inserted, bunch),
    }));
    return OK;
  }

  /** Takes what lies in the output. */
  async takeNotes(wait: Wait = {}): Promise<ControlAnswer> {
    const { cash } = this.#parts;
    if (!cash) return no('this terminal has no cash dispenser');
    await this.#when(() => !isEmpty(cash.state.output), wait);
    if (isEmpty(cash.state.output)) return no('no notes lie in the output');
    cash.step((state) => ({
      ...state,
      output: NOTHING,
      taken: plus(state.taken, state.output),
      // The shutter closes behind the hand, unless it is stuck.
      shutter: state.shutter === 'jammed' ? 'jammed' : 'closed',
    }));
    return OK;
  }

  /** Takes refused or returned notes from the input. */
  async takeReturned(wait: Wait = {}): Promise<ControlAnswer> {
    const { cash } = this.#parts;
    if (!cash) return no('this terminal has no cash acceptor');
    await this.#when(() => holds(cash.state.returned), wait);
    if (!holds(cash.state.returned)) return no('no returned notes lie in the input');
    cash.step((state) => ({
      ...state,
      returned: NO_BUNCH,
      takenBack: together(state.takenBack, state.returned),
    }));
    return OK;
  }

  /** Presses '0'–'9', 'E' enter, 'C' cancel, '<' correct. Keys are taken by a PIN entry in progress only. */
  async pressKeys(keys: string, wait: Wait = {}): Promise<ControlAnswer & { readonly taken?: number }> {
    const { pinPad } = this.#parts;
    if (!pinPad) return no('this terminal has no PIN pad');
    if (!KEYS.test(keys)) return no('keys are 0–9, E (enter), C (cancel) and < (correct), at most 64 at once');
    await this.#when(
      () => pinPad.entering,
      wait,
      (listener) => pinPad.onEntry(listener),
    );
    const taken = await pinPad.press(keys);
    if (taken === 0) return { ...no('no PIN entry is active: the keys were ignored'), taken };
    return taken === keys.length ? { ok: true, taken } : { ...no('the entry ended before the last key'), taken };
  }

  /** Shows a barcode to the scanner. */
  async scan(text: string): Promise<ControlAnswer> {
    const { scanner } = this.#parts;
    if (!scanner) return no('this terminal has no barcode scanner');
    if (text.length === 0 || text.length > 500) return no('a code has 1 to 500 characters');
    return (await scanner.scan(text)) ? OK : no('the scanner does not read now');
  }

  /** Throws ZodError, naming the field, for a fault no device knows. */
  armFault(order: z.input<typeof FaultOrder>): void {
    this.#parts.faults.arm(order);
  }

  /** Clears one fault, all of a device, or all. What a jam did to the notes stays until the device is reset. */
  clearFault(device?: FaultDevice, fault?: string): void {
    this.#parts.faults.clear(device, fault);
  }

  /** Receipts left on the roll. */
  setPaper(receipts: number): ControlAnswer {
    const { printer } = this.#parts;
    if (!printer) return no('this terminal has no receipt printer');
    if (!Number.isInteger(receipts) || receipts < 0 || receipts > 10_000) return no('paper is 0 to 10,000 receipts');
    printer.setPaper(receipts);
    return OK;
  }

  /** Newest first. */
  async receipts(): Promise<PrintedReceipt[]> {
    return (await this.#parts.printer?.receipts()) ?? [];
  }

  close(): void {
    this.#closed.abort(new Error('the simulated devices are closed'));
  }

  async #when(
    condition: () => boolean,
    { waitMs = 0 }: Wait,
    onChange: (listener: () => void) => () => void = (listener) => this.#parts.cash?.onChange(listener) ?? (() => {}),
  ): Promise<void> {
    if (waitMs > 0) await until(condition, onChange, this.#parts.clock, waitMs, this.#closed.signal);
  }
}

function holds(bunch: Bunch): boolean {
  return !isEmpty(bunch.notes) || bunch.unrecognised > 0;
}

function together(a: Bunch, b: Bunch): Bunch {
  return { notes: plus(a.notes, b.notes), unrecognised: a.unrecognised + b.unrecognised };
}

function snapshot(cash: CashModule, faults: Faults): CashSnapshot {
  const { state } = cash;
  const { came, are } = conservation(state);
  const empty = faults.stands('cash-dispenser', 'cassette-empty');
  return {
    units: state.units.map((unit) =>
      unitView(unit, empty !== undefined && (empty.unit === null || empty.unit === unit.id)),
    ),
    shutter: state.shutter,
    inputOpen: cash.inputOpen,
    stacker: state.stacker,
    output: state.output,
    escrow: state.escrow,
    input: state.input,
    returned: state.returned,
    lastDispense: state.lastDispense,
    lastCashIn: state.lastCashIn,
    conservation: {
      loadedMinor: valueMinor(state.loaded),
      insertedMinor: valueMinor(state.inserted.notes),
      insideMinor: valueMinor(insideMachine(state)),
      inReachMinor: valueMinor(plus(state.output, state.returned.notes)),
      takenMinor: valueMinor(state.taken),
      takenBackMinor: valueMinor(state.takenBack.notes),
      holds: sameNotes(came, are),
    },
  };
}
