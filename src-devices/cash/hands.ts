/** What people do to a cash machine: customers at its slots, staff at its open back. Throws an Error where a hand can't. */
import type { CashState, Place } from '../notes/cash-state.ts';
import { contents } from '../notes/cash-state.ts';
import { itemKey, type Level, NOTE_TYPES, typeOfValue, UNRECOGNIZED } from '../notes/items.ts';
import { bring, move, setInitial } from '../notes/move.ts';
import { type Tally, toCounts, total, worth } from '../notes/tally.ts';
import { sensorOff } from './cash-faults.ts';
import type { InputSlot } from './input-slot.ts';
import { type CashMachine, INPUT, OUTPUT, RETURN } from './machine.ts';
import { first } from './present.ts';
import { closeShutter, type Position } from './shutter.ts';

export interface InsertedNotes {
  /** Major units: 1000, 2000, 5000, 10000. */
  readonly value: number;
  readonly count: number;
  /** Absent: fit. */
  readonly level?: Level;
}

export interface Whereabouts {
  /** Unit id → notes. */
  readonly units: Readonly<Record<string, Tally>>;
  readonly places: Readonly<Record<Place, Tally>>;
  /** Every note ever put into this world; equals what all units and places hold together. */
  readonly came: Tally;
  /** Major units: in units and on the way, in the customer's reach, and with customers for good. */
  readonly worth: { readonly inside: number; readonly inReach: number; readonly withCustomers: number };
}

/** Longest wait for a slot to open, ms. */
const SLOT_WAIT_MS = 30_000;

export class CashHands {
  readonly #machine: CashMachine;
  readonly #slot: InputSlot;

  constructor(machine: CashMachine, slot: InputSlot) {
    this.#machine = machine;
    this.#slot = slot;
  }

  /** Whether a cash-in waits for notes at the open slot, or the client has opened it. */
  canInsert(): boolean {
    const { options, state } = this.#machine;
    const open = options.explicitShutter && state.inputShutter === 'open' && this.#machine.count('return') === 0;
    return open || this.#slot.waiting();
  }

  /** Puts notes (and paper that is no note) into the open slot. Throws while no cash-in waits for them. */
  insertNotes(notes: readonly InsertedNotes[], { unrecognised = 0 }: { readonly unrecognised?: number } = {}): void {
    if (!this.canInsert()) throw new Error('the slot is closed: no cash-in waits for notes');
    const bunch = notes.map(({ value, count, level }) => {
      const type = typeOfValue(value);
      if (!type)
        throw new Error(`value: there is no note of ${value}; there are ${NOTE_TYPES.map((each) => each.value)}`);
      if (!Number.isInteger(count) || count < 0) throw new Error(`count: ${count} is no number of notes`);
      return { item: itemKey(type, level), count };
    });
    const items = bunch.reduce((sum, { count }) => sum + count, unrecognised);
    if (items === 0 || items > this.#machine.options.itemsMax) {
      throw new Error(`notes: ${items} at once; the slot takes 1 to ${this.#machine.options.itemsMax}`);
    }
    this.#machine.change((draft) => {
      for (const { item, count } of bunch) bring(draft, 'feeder', item, count);
      bring(draft, 'feeder', UNRECOGNIZED, unrecognised);
    });
    if (this.#slot.waiting()) this.#slot.insert();
    else this.#machine.positionEvent('CashManagement.ItemsInsertedEvent', INPUT);
  }

  /** Waits (by the machine's clock) until a cash-in opens the slot, then puts notes in. */
  async insertWhenOpen(
    notes: readonly InsertedNotes[],
    options: { readonly unrecognised?: number } = {},
  ): Promise<void> {
    const { clock, power } = this.#machine.runtime;
    for (let waited = 0; !this.canInsert(); waited += 10) {
      if (waited >= SLOT_WAIT_MS) throw new Error(`the slot stayed closed for ${SLOT_WAIT_MS} ms`);
      await clock.sleep(10, power);
    }
    this.insertNotes(notes, options);
  }

  /** Takes presented notes, all or the first `some` of them. Throws when none are in reach. */
  async takeNotes({ some }: { readonly some?: number } = {}): Promise<Tally> {
    return await this.#take('output', 'exit', some);
  }

  /** Takes what was refused or returned at the slot. */
  async takeReturned({ some }: { readonly some?: number } = {}): Promise<Tally> {
    return await this.#take('input', 'return', some);
  }

  async #take(position: Position, place: 'exit' | 'return', some = Number.POSITIVE_INFINITY): Promise<Tally> {
    const machine = this.#machine;
    const lots = first(machine.state.places[place], some);
    const shutter = position === 'output' ? machine.state.outputShutter : machine.state.inputShutter;
    if (lots.length === 0 || shutter === 'closed' || shutter === 'jammedClosed') {
      throw new Error('nothing lies in reach there');
    }
    const blind = machine.runtime.faults.strikes(sensorOff, (fault) => fault.position === position) !== null;
    if (blind) machine.setBlind(position, true);
    machine.move(...lots.map(({ item, origin, count }) => ({ from: place, to: 'hand', item, origin, count }) as const));
    if (machine.count(place) === 0 && !blind) {
      machine.positionEvent(
        'CashManagement.ItemsTakenEvent',
        position === 'output' ? OUTPUT : RETURN,
        this.#bunchesLeft(position),
      );
      await closeShutter(machine, position);
    }
    const taken: Tally = {};
    for (const { item, count } of lots) taken[item] = (taken[item] ?? 0) + count;
    return taken;
  }

  #bunchesLeft(position: Position): number {
    if (position === 'input') return 0;
    return Math.ceil(this.#machine.count('stacker') / this.#machine.options.bunchItemsMax);
  }

  /** Puts something that is no paper at a position, or takes it away. */
  foreignItem(position: Position, there: boolean): void {
    this.#machine.change((draft) => {
      draft[position === 'output' ? 'foreignAtOutput' : 'foreignAtInput'] = there;
    });
  }

  /** Pulls a unit out, with what is in it. */
  removeUnit(id: string): void {
    this.#changeUnit(id, (unit) => {
      if (unit.status === 'missing') throw new Error(`${id} is out already`);
      unit.status = 'missing';
    });
  }

  /** Pushes a unit back in. Outside an exchange the machine takes it for manipulated. */
  insertUnit(id: string): void {
    this.#changeUnit(id, (unit, state) => {
      if (unit.status !== 'missing') throw new Error(`${id} is in already`);
      unit.status = state.exchange ? 'ok' : 'manipulated';
    });
  }

  /**
   * Fills (or empties) a unit so that it holds so many fit notes of its value; a mixed unit can only be emptied. `told: false`:
   * nobody tells the machine, whose counts are wrong from then on.
   */
  load(id: string, count: number, { told = true }: { readonly told?: boolean } = {}): void {
    this.#changeUnit(id, (unit, state) => {
      const type = unit.value === null ? undefined : typeOfValue(unit.value);
      if (!Number.isInteger(count) || count < 0 || count > unit.capacity) {
        throw new Error(`count: ${id} holds 0 to ${unit.capacity} notes`);
      }
      if (!type && count > 0) throw new Error(`count: ${id} holds mixed notes and can only be emptied`);
      for (const [item, held] of Object.entries(unit.notes)) {
        move(state, { from: { unit: id }, to: 'vault', item, count: held });
      }
      if (type) bring(state, { unit: id }, itemKey(type), count);
      unit.sensedEmpty = false;
      if (told) setInitial(unit, type ? { [itemKey(type)]: count } : {});
    });
  }

  #changeUnit(id: string, step: (unit: CashState['units'][string], state: CashState) => void): void {
    this.#machine.unit(id);
    this.#machine.change((draft) => step(draft.units[id]!, draft));
  }

  /** Where every note is, by the physical truth. */
  where(): Whereabouts {
    const { state } = this.#machine;
    const units = Object.fromEntries(Object.entries(state.units).map(([id, { notes }]) => [id, notes]));
    const place = (name: Place) => contents(state, name);
    const places = Object.fromEntries(Object.keys(state.places).map((name) => [name, place(name as Place)]));
    const worthOf = (...names: Place[]) => names.reduce((sum, name) => sum + worth(place(name)), 0);
    return {
      units,
      places: places as Record<Place, Tally>,
      came: state.came,
      worth: {
        inside:
          Object.values(units).reduce((sum, notes) => sum + worth(notes), 0) +
          worthOf('stacker', 'transport', 'escrow', 'feeder'),
        inReach: worthOf('exit', 'return'),
        withCustomers: worthOf('hand'),
      },
    };
  }

  /** The same for people: counts in XFS4IoT's form, and how many notes lie in each place. */
  summary(): Readonly<Record<string, unknown>> {
    const { units, places, worth: values } = this.where();
    const told = (all: Readonly<Record<string, Tally>>) =>
      Object.fromEntries(
        Object.entries(all).map(([name, tally]) => [name, { notes: total(tally), counts: toCounts(tally) }]),
      );
    return { units: told(units), places: told(places), worth: values };
  }
}
