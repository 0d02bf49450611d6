/**
 * The physical truth of a cash recycler: every note is in exactly one place. Deposited notes go to the unit of their
 * denomination (and can be handed out again) or, where that is full or there is none, to the mixed deposit unit.
 *
 * loaded + inserted = units + escrow + stacker + output + input + returned + taken + takenBack, per denomination. A file
 * that breaks this is refused on load: notes are neither made nor lost by a device.
 */
import { z } from 'zod';
import type { CashUnit } from '../cash-dispenser.ts';
import { countIn, isEmpty, NOTHING, noteTotal, one, plus, sameNotes, sumOf, Tally, toNotes } from '../tally.ts';

/** Notes of Japan a banknote reader knows: Bank of Japan, series D, E and F. */
export const JPY_DENOMINATIONS = [1_000, 2_000, 5_000, 10_000] as const;

const UnitState = z.strictObject({
  id: z.string().regex(/^[A-Z]{3}\d?$/),
  kind: z.enum(['cashOut', 'cashIn', 'recycle', 'reject', 'retract']),
  denominationMinor: z.int().positive().nullable(),
  capacity: z.int().positive(),
  notes: Tally,
});
export type UnitState = z.infer<typeof UnitState>;

/** Paper that is in the machine's feeder or in the customer's reach at the input; `unrecognised` is not money to the machine. */
export const Bunch = z.strictObject({ notes: Tally, unrecognised: z.int().nonnegative() });
export type Bunch = z.infer<typeof Bunch>;
export const NO_BUNCH: Bunch = { notes: NOTHING, unrecognised: 0 };

const DispenseRecord = z.strictObject({
  transactionId: z.string().min(1),
  presentState: z.enum(['notPresented', 'presented', 'unknown']),
  presented: Tally,
  retracted: Tally,
  rejected: Tally,
});
export type DispenseRecord = z.infer<typeof DispenseRecord>;

const CashInRecord = z.strictObject({
  transactionId: z.string().min(1),
  state: z.enum(['active', 'ok', 'rollback', 'retract', 'unknown']),
  /** Recognised and taken to escrow in this transaction, wherever they went from there. */
  identified: Tally,
  refusedNotes: z.int().nonnegative(),
  /** Taken back from the customer's reach. */
  retracted: Tally.default(NOTHING),
});
export type CashInRecord = z.infer<typeof CashInRecord>;

const Shape = z.strictObject({
  version: z.literal(1),
  units: z.array(UnitState).min(1),
  /** Between units and shutter, not in the customer's reach. */
  stacker: Tally,
  /** In the customer's reach at the output. */
  output: Tally,
  shutter: z.enum(['closed', 'open', 'jammed']),
  escrow: Tally,
  /** In the feeder, put in by the customer and not counted yet. */
  input: Bunch,
  /** In the customer's reach at the input: refused, or rolled back. */
  returned: Bunch,
  loaded: Tally,
  inserted: Bunch,
  taken: Tally,
  takenBack: Bunch,
  /** Sentence for the technician while the path is jammed; only a reset clears it. */
  dispenserJam: z.string().nullable(),
  acceptorJam: z.string().nullable(),
  /** The device does not know what became of its last present; its sensors say nothing until a reset. */
  sensorsLost: z.boolean(),
  lastDispense: DispenseRecord.nullable(),
  lastCashIn: CashInRecord.nullable(),
});
export type CashState = z.infer<typeof Shape>;

export const CashState = Shape.superRefine((state, context) => {
  for (const unit of state.units) {
    const strange = Object.keys(unit.notes).find(
      (denomination) => unit.denominationMinor !== null && Number(denomination) !== unit.denominationMinor,
    );
    if (strange)
      context.addIssue({ code: 'custom', message: `${unit.id} holds a note of ${strange}`, path: ['units'] });
    if (noteTotal(unit.notes) > unit.capacity) {
      context.addIssue({ code: 'custom', message: `${unit.id} holds more than its capacity`, path: ['units'] });
    }
  }
  const { came, are } = conservation(state);
  if (!sameNotes(came, are)) {
    context.addIssue({
      code: 'custom',
      message: `notes are not conserved: loaded and inserted ${JSON.stringify(came)}, found ${JSON.stringify(are)}`,
    });
  }
});

/** Notes that ever came into the machine, and where all places together say notes are now. Equal at every moment. */
export function conservation(state: CashState): { came: Tally; are: Tally } {
  return {
    came: plus(state.loaded, state.inserted.notes),
    are: sumOf([
      ...state.units.map((unit) => unit.notes),
      state.stacker,
      state.output,
      state.escrow,
      state.input.notes,
      state.returned.notes,
      state.taken,
      state.takenBack.notes,
    ]),
  };
}

/** What the machine holds behind its doors: units and path, without what lies in the customer's reach. */
export function insideMachine(state: CashState): Tally {
  return sumOf([...state.units.map((unit) => unit.notes), state.stacker, state.escrow, state.input.notes]);
}

export interface UnitLoad {
  readonly id: string;
  readonly kind: UnitState['kind'];
  readonly denominationMinor: number | null;
  readonly count: number;
  readonly capacity: number;
}

/** ¥2,700,000 in three recycling units; a mixed deposit unit, a reject bin and a retract bin, empty. */
export const DEFAULT_LOAD: readonly UnitLoad[] = [
  { id: 'CST1', kind: 'recycle', denominationMinor: 1_000, count: 200, capacity: 2_000 },
  { id: 'CST2', kind: 'recycle', denominationMinor: 5_000, count: 100, capacity: 1_000 },
  { id: 'CST3', kind: 'recycle', denominationMinor: 10_000, count: 200, capacity: 2_000 },
  { id: 'CIN', kind: 'cashIn', denominationMinor: null, count: 0, capacity: 1_000 },
  { id: 'REJ', kind: 'reject', denominationMinor: null, count: 0, capacity: 300 },
  { id: 'RET', kind: 'retract', denominationMinor: null, count: 0, capacity: 300 },
];

export function loadedState(load: readonly UnitLoad[]): CashState {
  const units = load.map(({ id, kind, denominationMinor, count, capacity }) => ({
    id,
    kind,
    denominationMinor,
    capacity,
    notes: denominationMinor === null ? NOTHING : one(denominationMinor, count),
  }));
  return CashState.parse({
    version: 1,
    units,
    stacker: NOTHING,
    output: NOTHING,
    shutter: 'closed',
    escrow: NOTHING,
    input: NO_BUNCH,
    returned: NO_BUNCH,
    loaded: sumOf(units.map((unit) => unit.notes)),
    inserted: NO_BUNCH,
    taken: NOTHING,
    takenBack: NO_BUNCH,
    dispenserJam: null,
    acceptorJam: null,
    sensorsLost: false,
    lastDispense: null,
    lastCashIn: null,
  });
}

/** Notes at which a unit that hands out is called low: fewer than one dispense may take. */
const LOW_NOTES = 20;

/** A unit as the ports show it. High above nine tenths of its capacity. */
export function unitView(unit: UnitState, sensedEmpty: boolean): CashUnit {
  const count = noteTotal(unit.notes);
  const givesOut = unit.kind === 'cashOut' || unit.kind === 'recycle';
  const state = (): CashUnit['state'] => {
    if (givesOut && (count === 0 || sensedEmpty)) return 'empty';
    if (count >= unit.capacity) return 'full';
    if (givesOut && count < LOW_NOTES) return 'low';
    return count * 10 > unit.capacity * 9 ? 'high' : 'ok';
  };
  return {
    id: unit.id,
    kind: unit.kind,
    denominationMinor: unit.denominationMinor as CashUnit['denominationMinor'],
    count,
    capacity: unit.capacity,
    state: state(),
    notes: toNotes(unit.notes),
  };
}

export function withUnit(state: CashState, id: string, change: (notes: Tally) => Tally): CashState {
  return {
    ...state,
    units: state.units.map((unit) => (unit.id === id ? { ...unit, notes: change(unit.notes) } : unit)),
  };
}

/** Puts notes into the bin of one kind; null when there is none or it has no room for all of them. */
export function intoBin(state: CashState, kind: 'reject' | 'retract', notes: Tally): CashState | null {
  if (isEmpty(notes)) return state;
  const bin = state.units.find(
    (unit) => unit.kind === kind && noteTotal(unit.notes) + noteTotal(notes) <= unit.capacity,
  );
  return bin ? withUnit(state, bin.id, (held) => plus(held, notes)) : null;
}

/** Where one deposited note goes: the unit of its denomination, else the mixed one; null when both are full. */
export function storingUnit(state: CashState, denominationMinor: number): UnitState | null {
  const room = (unit: UnitState) => noteTotal(unit.notes) < unit.capacity;
  return (
    state.units.find((unit) => unit.kind === 'recycle' && unit.denominationMinor === denominationMinor && room(unit)) ??
    state.units.find((unit) => unit.kind === 'cashIn' && room(unit)) ??
    null
  );
}

/** Units to pick from for one denomination, fullest first. */
export function givingUnits(state: CashState, denominationMinor: number): UnitState[] {
  return state.units
    .filter(
      (unit) => (unit.kind === 'recycle' || unit.kind === 'cashOut') && unit.denominationMinor === denominationMinor,
    )
    .sort((a, b) => countIn(b.notes, denominationMinor) - countIn(a.notes, denominationMinor));
}
