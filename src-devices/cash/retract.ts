/**
 * XFS4IoT CashManagement.Retract and .Reset: what lies where it should not goes into a unit that keeps it, and a cash-in
 * transaction is over.
 */
import { type CommandContext, done, ended, failed, type Outcome } from '../command.ts';
import type { CashState, Lot, Place } from '../notes/cash-state.ts';
import { move, room } from '../notes/move.ts';
import { sum, type Tally, toCounts, total } from '../notes/tally.ts';
import { foreignItems, retractUnitFull, takenDuringRetract, uncountedRetract } from './cash-faults.ts';
import { type CashMachine, type Halves, MS, OUTPUT } from './machine.ts';
import { closeShutter, type Position, positionNamed } from './shutter.ts';

export interface RetractLocation {
  readonly outputPosition?: string | null | undefined;
  readonly retractArea?: string | null | undefined;
  readonly index?: number | null | undefined;
}

export async function retract(
  machine: CashMachine,
  halves: Halves,
  location: RetractLocation,
  context: CommandContext,
): Promise<Outcome> {
  const { state } = machine;
  const { faults, dialect } = machine.runtime;
  if (dialect().retractPositionAndArea === 'refused' && location.outputPosition && location.retractArea) {
    return ended('invalidData', 'location: either outputPosition or retractArea');
  }
  if (state.exchange) return failed('exchangeActive');
  const target = targetUnit(machine, location.retractArea ?? 'retract', location.index ?? null);
  if ('refusal' in target) return target.refusal;
  const from = sources(halves, location.outputPosition);
  if (!from) return failed('positionNotEmpty', `no position ${location.outputPosition}`);
  if (from.every((place) => machine.count(place) === 0)) {
    endCashIn(machine, halves, 'retract');
    // A sensor that was blind is right again: nothing is there.
    await settlePositions(machine, halves, from);
    return failed('noItems');
  }
  const foreign = faults.strikes(foreignItems, ({ position }) => position === 'output');
  if (foreign || state.foreignAtOutput) {
    machine.change((draft) => {
      draft.foreignAtOutput = true;
    });
    return failed('foreignItemsDetected', 'something that is no note lies at the exit');
  }
  endCashIn(machine, halves, 'retract');
  const pulled = faults.strikes(takenDuringRetract);
  if (pulled) pullOut(machine, pulled.notes);
  await machine.runtime.act(MS.bunch);
  const full = faults.strikes(retractUnitFull);
  const uncounted = faults.strikes(uncountedRetract) !== null;
  const moved = sweep(machine, from, target.unit, { roomNotes: full?.roomNotes ?? null, uncounted, operation: true });
  const storage = { [target.unit]: inObject(moved, uncounted) };
  const left = from.reduce((notes, place) => notes + machine.count(place), 0);
  if (left > 0) {
    context.event('CashManagement.IncompleteRetractEvent', { itemNumberList: storage, reason: 'retractAreaFull' });
    return failed('incompleteRetract', `${left} notes did not fit`, { storage });
  }
  const closed = await settlePositions(machine, halves, from);
  if (pulled) {
    machine.positionEvent('CashManagement.ItemsTakenEvent', OUTPUT, 0);
    return failed('itemsTaken', 'somebody pulled notes out', { storage });
  }
  return closed ? done({ storage }) : failed('shutterNotClosed', 'the shutter is stuck', { storage });
}

export interface ResetTarget {
  readonly target: string;
  readonly unit?: string | null | undefined;
  readonly index?: number | null | undefined;
}

/** Jams, stuck shutters and dead feeds are cleared; what is found goes to a bin. */
export async function reset(
  machine: CashMachine,
  halves: Halves,
  position: ResetTarget | null,
  context: CommandContext,
): Promise<Outcome> {
  if (machine.state.exchange) return failed('exchangeActive');
  const wanted = position ? resetUnit(machine, position) : null;
  if (wanted && 'refusal' in wanted) return wanted.refusal;
  await machine.runtime.act(MS.start + MS.bunch);
  endCashIn(machine, halves, 'reset');
  machine.change((draft) => {
    if (halves.dispenser) {
      draft.dispenserJam = null;
      for (const unit of Object.values(draft.units)) if (unit.status === 'inoperative') unit.status = 'ok';
      if (draft.outputShutter.startsWith('jammed')) draft.outputShutter = 'open';
    }
    if (halves.acceptor) {
      draft.acceptorJam = null;
      if (draft.inputShutter.startsWith('jammed')) draft.inputShutter = 'open';
    }
  });
  const from = sources(halves, null)!;
  const found: Record<string, Tally> = {};
  for (const place of from.filter((each) => machine.count(each) > 0)) {
    // What comes from the units and was in nobody's reach is rejected; a customer's notes are kept apart.
    const fromUnits = machine.state.places[place].every(({ origin }) => origin !== null);
    const kind = place === 'stacker' || (place === 'transport' && fromUnits) ? 'reject' : 'retract';
    const unit = wanted?.unit ?? machine.bin(kind) ?? machine.bin(kind === 'reject' ? 'retract' : 'reject');
    if (!unit) return failed('cashUnitError', 'no bin takes what was found', { storage: told(machine, found) });
    const moved = sweep(machine, [place], unit, { roomNotes: null, uncounted: false, operation: kind === 'retract' });
    found[unit] = sum([found[unit] ?? {}, moved]);
    if (machine.unit(unit).kind === 'retract') {
      machine.unsolicited(halves.dispenser ? 'dispenser' : 'acceptor', 'CashManagement.MediaDetectedEvent', {
        target: 'retract',
        index: 1,
      });
    } else
      machine.unsolicited(halves.dispenser ? 'dispenser' : 'acceptor', 'CashManagement.MediaDetectedEvent', {
        target: 'singleUnit',
        unit,
      });
  }
  const storage = told(machine, found);
  const left = from.reduce((notes, place) => notes + machine.count(place), 0);
  if (left > 0) {
    context.event('CashManagement.IncompleteRetractEvent', { itemNumberList: storage, reason: 'retractAreaFull' });
    return failed('incompleteRetract', `${left} notes did not fit`, { storage });
  }
  if (machine.state.foreignAtOutput || machine.state.foreignAtInput) return failed('foreignItemsDetected');
  await settlePositions(machine, halves, from);
  return done({ storage });
}

/** Places a retract or reset of these halves looks into. Null when the position is none of theirs. */
function sources(halves: Halves, position: string | null | undefined): Place[] | null {
  const dispenser: Place[] = ['exit', 'stacker', 'transport'];
  const acceptor: Place[] = ['return', 'feeder', 'escrow', ...(halves.dispenser ? [] : (['transport'] as const))];
  if (position) {
    const named = positionNamed(position);
    if (named === 'output' && halves.dispenser) return dispenser;
    return named === 'input' && halves.acceptor ? acceptor : null;
  }
  return [...(halves.dispenser ? dispenser : []), ...(halves.acceptor ? acceptor : [])];
}

type Target = { readonly unit: string } | { readonly refusal: Outcome };

function targetUnit(machine: CashMachine, area: string, index: number | null): Target {
  if (area !== 'retract' && area !== 'reject') return { refusal: failed('notRetractArea', `no area ${area}`) };
  const bins = machine.units(area);
  const chosen = area === 'retract' && index !== null ? bins[index - 1] : bins[0];
  if (!chosen) return { refusal: failed('invalidRetractPosition', `no ${area} position ${index ?? 1}`) };
  if (chosen[1].status !== 'ok') return { refusal: failed('cashUnitError', `${chosen[0]} is ${chosen[1].status}`) };
  return { unit: chosen[0] };
}

function resetUnit(machine: CashMachine, { target, unit, index }: ResetTarget): Target {
  if (target === 'singleUnit') {
    const kind = unit ? machine.state.units[unit]?.kind : undefined;
    return kind === 'reject' || kind === 'retract'
      ? { unit: unit! }
      : { refusal: failed('invalidCashUnit', `${unit} keeps nothing that was found`) };
  }
  if (target.startsWith('out'))
    return { refusal: failed('unsupportedPosition', 'nothing that was found is given out') };
  return targetUnit(machine, target, index ?? null);
}

interface SweepOptions {
  /** Most notes that go in; null: as many as there is room for. */
  readonly roomNotes: number | null;
  readonly uncounted: boolean;
  /** Counts as an operation of the retract unit. */
  readonly operation: boolean;
}

/** Everything of these places into one unit, as far as it fits; answers what went in. */
function sweep(machine: CashMachine, from: readonly Place[], unitId: string, options: SweepOptions): Tally {
  const moved: Tally = {};
  const into = machine.unit(unitId).kind === 'reject' ? 'rejected' : 'retracted';
  let left = Math.min(room(machine.unit(unitId)), options.roomNotes ?? Number.POSITIVE_INFINITY);
  machine.change((draft) => {
    for (const place of from) {
      for (const lot of [...draft.places[place]] as Lot[]) {
        const count = Math.min(lot.count, left);
        if (count === 0) continue;
        left -= count;
        const { item, origin } = lot;
        move(draft, {
          from: place,
          to: { unit: unitId },
          item,
          origin,
          count,
          ...(!options.uncounted && { into }),
        });
        moved[item] = (moved[item] ?? 0) + count;
        if (place === 'exit') rememberRetracted(draft, item, count, options.uncounted);
      }
    }
    const unit = draft.units[unitId]!;
    if (options.operation && unit.kind === 'retract') unit.retractOperations++;
    if (options.uncounted) unit.accuracy = 'inaccurate';
  });
  return moved;
}

function rememberRetracted(draft: CashState, item: string, count: number, uncounted: boolean): void {
  if (!draft.present) return;
  draft.present.wasRetracted = true;
  if (uncounted) draft.present.retracted = null;
  else if (draft.present.retracted) {
    draft.present.retracted[item] = (draft.present.retracted[item] ?? 0) + count;
  }
}

const told = (machine: CashMachine, found: Readonly<Record<string, Tally>>) =>
  Object.fromEntries(Object.entries(found).map(([id, moved]) => [id, inObject(moved, false, machine.unit(id).kind)]));

/** What one operation put into a unit. */
function inObject(moved: Tally, uncounted: boolean, kind: string = 'retract'): Record<string, unknown> {
  const bucket = kind === 'reject' ? 'rejected' : 'retracted';
  const counts = uncounted || total(moved) === 0 ? {} : { [bucket]: toCounts(moved) };
  return kind === 'retract' ? { retractOperations: 1, ...counts } : counts;
}

function pullOut(machine: CashMachine, notes: number): void {
  machine.change((draft) => {
    let left = notes;
    for (const { item, origin, count } of [...draft.places.exit]) {
      const taken = Math.min(left, count);
      left -= taken;
      move(draft, { from: 'exit', to: 'hand', item, origin, count: taken });
    }
  });
}

/** A cash-in transaction ends with a retract or reset of its device, whether or not it succeeds. */
export function endCashIn(machine: CashMachine, halves: Halves, status: 'retract' | 'reset'): void {
  if (!halves.acceptor || machine.state.cashIn?.status !== 'active') return;
  machine.change((draft) => {
    draft.cashIn!.status = status;
  });
}

/** Positions that are empty now close; false when one did not. */
async function settlePositions(machine: CashMachine, halves: Halves, from: readonly Place[]): Promise<boolean> {
  let closed = true;
  const settle = async (position: Position, place: Place) => {
    if (!from.includes(place) || machine.count(place) > 0) return;
    machine.setBlind(position, false);
    machine.notify();
    if (!(await closeShutter(machine, position))) closed = false;
  };
  if (halves.dispenser) await settle('output', 'exit');
  if (halves.acceptor) await settle('input', 'return');
  return closed;
}
