/**
 * XFS4IoT CashAcceptor: a cash-in transaction. Notes a customer put in are counted into the escrow or given back; the end stores
 * them, a rollback returns them. The transaction survives a power cut; the escrow too.
 */
import { type CommandContext, CommandEnded, done, ended, failed, type Outcome } from '../command.ts';
import type { CashInRecord, Lot } from '../notes/cash-state.ts';
import { itemOf } from '../notes/items.ts';
import { move, room } from '../notes/move.ts';
import { type Tally, toCounts, total } from '../notes/tally.ts';
import { cashInEndJam, cashInJam, escrowFull, foreignItems, refuseNotes, rollbackJam } from './cash-faults.ts';
import type { InputSlot } from './input-slot.ts';
import { type CashMachine, INPUT, MS, RETURN } from './machine.ts';
import { first } from './present.ts';
import { closeShutter, openShutter } from './shutter.ts';

export interface CashInOrder {
  readonly useRecycleUnits?: boolean | null | undefined;
  readonly inputPosition?: string | null | undefined;
  readonly outputPosition?: string | null | undefined;
  readonly totalItemsLimit?: number | null | undefined;
  readonly amountLimit?:
    | readonly { readonly currency: string; readonly value?: number | null | undefined }[]
    | null
    | undefined;
  readonly tellerID?: number | null | undefined;
}

export function cashInStart(machine: CashMachine, order: CashInOrder): Outcome {
  if (machine.state.exchange) return failed('exchangeActive');
  if (order.tellerID) return failed('invalidTellerId', 'this is a self-service machine');
  if (order.inputPosition && ![INPUT, 'inDefault'].includes(order.inputPosition)) return failed('unsupportedPosition');
  if (order.outputPosition && ![RETURN, 'outDefault'].includes(order.outputPosition))
    return failed('unsupportedPosition');
  if (machine.state.cashIn?.status === 'active') return failed('cashInActive');
  if (machine.state.acceptorJam) return ended('hardwareError', machine.state.acceptorJam);
  machine.change((draft) => {
    draft.cashIn = {
      status: 'active',
      useRecycleUnits: order.useRecycleUnits ?? true,
      itemsLimit: order.totalItemsLimit ?? 0,
      amountLimits: order.amountLimit
        ? Object.fromEntries(order.amountLimit.map(({ currency, value }) => [currency, value ?? null]))
        : null,
      refused: 0,
      identified: {},
    };
  });
  return done();
}

/** Why a cash-in command can't be done now; null: it can. */
function hindered(machine: CashMachine): Outcome | null {
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.state.cashIn?.status !== 'active') return failed('noCashInActive');
  return null;
}

export async function cashIn(machine: CashMachine, slot: InputSlot, context: CommandContext): Promise<Outcome> {
  const hindrance = hindered(machine);
  if (hindrance) return hindrance;
  const { state } = machine;
  if (state.acceptorJam) return ended('hardwareError', state.acceptorJam);
  if (machine.occupied('input')) return failed('positionNotEmpty', 'returned notes were not taken');
  if (state.foreignAtInput) return failed('foreignItemsDetected');
  const { itemsLimit, identified } = state.cashIn!;
  if (
    machine.count('escrow') >= machine.options.escrowItemsMax ||
    (itemsLimit > 0 && total(identified) >= itemsLimit)
  ) {
    return failed('tooManyItems', 'nothing more can be taken in this transaction');
  }
  if (machine.options.explicitShutter) {
    if (state.inputShutter !== 'closed') return failed('shutterNotClosed', 'the client closes the shutter first');
    if (machine.count('feeder') === 0) return failed('noItems', 'nothing was put in while the shutter was open');
  } else if (machine.count('feeder') === 0) {
    const nothing = await waitForNotes(machine, slot, context);
    if (nothing) return nothing;
  }
  return await machine.exclusive(() => countFeeder(machine, context));
}

/** Opens, prompts, and waits for a hand. Null once notes lie in the feeder behind a closed shutter. */
async function waitForNotes(machine: CashMachine, slot: InputSlot, context: CommandContext): Promise<Outcome | null> {
  if (!(await openShutter(machine, 'input'))) return failed('shutterNotOpen', 'the shutter is stuck');
  context.event('CashAcceptor.InsertItemsEvent');
  try {
    await slot.inserted(context.signal);
  } catch (why) {
    if (!(why instanceof CommandEnded)) throw why;
    // A hand that was faster than the end of the wait: its notes are in the feeder and are counted.
    if (machine.count('feeder') === 0) {
      await closeShutter(machine, 'input');
      throw why;
    }
  }
  machine.positionEvent('CashManagement.ItemsInsertedEvent', INPUT, undefined, context);
  if (!(await closeShutter(machine, 'input'))) return failed('shutterNotClosed', 'the shutter is stuck');
  return null;
}

type RefuseReason = string;

/** Note by note, so that a power cut finds each where it is. From here on the command can't be called off. */
async function countFeeder(machine: CashMachine, context: CommandContext): Promise<Outcome> {
  const { faults, act, dialect } = machine.runtime;
  const jam = faults.strikes(cashInJam);
  const full = faults.strikes(escrowFull);
  const refusing = faults.strikes(refuseNotes);
  const foreign = faults.strikes(foreignItems, ({ position }) => position === 'input') !== null;
  const accepted: Tally = {};
  const refusals = new Map<RefuseReason, number>();
  let counted = 0;
  let escrowRoom = Math.min(
    machine.options.escrowItemsMax - machine.count('escrow'),
    full?.roomNotes ?? Number.POSITIVE_INFINITY,
  );
  await act(MS.start);
  const back: Tally = {};
  for (const { item, count } of machine.state.places.feeder) {
    for (let left = count; left > 0; left--) {
      await act(MS.note);
      if (jam && counted >= jam.afterNotes) return jamFeeder(machine);
      const reason =
        (foreign && 'foreignItemsDetected') ||
        (refusing && total(back) < refusing.notes && refusing.reason) ||
        refusalOf(machine, item, escrowRoom);
      counted++;
      if (reason) {
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
        back[item] = (back[item] ?? 0) + 1;
        continue;
      }
      escrowRoom--;
      accepted[item] = (accepted[item] ?? 0) + 1;
      machine.moveAnd([{ from: 'feeder', to: 'escrow', item, count: 1 }], (draft) => {
        const { identified } = draft.cashIn!;
        identified[item] = (identified[item] ?? 0) + 1;
      });
    }
  }
  if (total(accepted) > 0) context.event('CashAcceptor.SubCashInEvent', toCounts(accepted));
  const counts = { unrecognized: 0, ...toCounts(accepted) };
  const payload = dialect().cashInItems === 'wrapped' ? { items: counts } : counts;
  if (refusals.size === 0) return done(payload);
  machine.change((draft) => {
    draft.cashIn!.refused += total(back);
    if (foreign) draft.foreignAtInput = true;
  });
  for (const reason of refusals.keys()) context.event('CashAcceptor.InputRefuseEvent', { reason });
  if (!(await giveBack(machine, 'feeder', null, context))) {
    return failed('shutterNotOpen', 'refused notes can’t be given back', payload);
  }
  return foreign ? failed('foreignItemsDetected', 'something that is no note was put in', payload) : done(payload);
}

/** Why this note is not taken; null: it is. */
function refusalOf(machine: CashMachine, item: string, escrowRoom: number): RefuseReason | null {
  const { cashIn, disabledTypes } = machine.state;
  const { itemsLimit, amountLimits, identified, useRecycleUnits } = cashIn!;
  const known = itemOf(item);
  if (!known || disabledTypes.includes(known.type.id)) return 'invalidBill';
  if (known.level === 'counterfeit') return 'counterfeit';
  if (known.level === 'suspect' || known.level === 'inked') return 'invalidBill';
  if (escrowRoom <= 0) return 'stackerFull';
  if (itemsLimit > 0 && total(identified) >= itemsLimit) return 'limitOverTotalItems';
  if (amountLimits) {
    const limit = amountLimits[known.type.currency];
    if (limit === undefined) return 'invalidBill';
    const taken = Object.entries(identified).reduce(
      (sum, [key, count]) => sum + (itemOf(key)?.type.value ?? 0) * count,
      0,
    );
    if (limit !== null && taken + known.type.value > limit) return 'limitOverAmount';
  }
  return storingUnit(machine, item, useRecycleUnits, escrowCount(machine, item)) ? null : 'cashInUnitFull';
}

const escrowCount = (machine: CashMachine, item: string): number =>
  machine.state.places.escrow.filter((lot) => lot.item === item).reduce((sum, { count }) => sum + count, 0);

function jamFeeder(machine: CashMachine): Outcome {
  machine.change((draft) => {
    for (const { item, count } of [...draft.places.feeder])
      move(draft, { from: 'feeder', to: 'transport', item, count });
    draft.acceptorJam = 'notes are stuck behind the feeder';
  });
  return ended('hardwareError', machine.state.acceptorJam!);
}

/** Notes to the slot, and the slot open unless that is the client's to do; false when it does not open: they stay where they were. */
async function giveBack(
  machine: CashMachine,
  from: 'feeder' | 'escrow',
  most: number | null,
  context: CommandContext,
): Promise<boolean> {
  const { explicitShutter } = machine.options;
  await machine.runtime.act(MS.bunch);
  if (!explicitShutter && !(await openShutter(machine, 'input'))) return false;
  const lots = first(machine.state.places[from], most ?? Number.POSITIVE_INFINITY);
  machine.move(...lots.map(({ item, count }) => ({ from, to: 'return', item, count }) as const));
  // Behind a shutter that the client moves, nothing is presented yet.
  if (!explicitShutter) machine.positionEvent('CashManagement.ItemsPresentedEvent', RETURN, 0, context);
  return true;
}

/** XFS4IoT CashAcceptor.CashInEnd: the transaction is over, however this ends. */
export async function cashInEnd(machine: CashMachine): Promise<Outcome> {
  const hindrance = hindered(machine);
  if (hindrance) return hindrance;
  const record = finish(machine, 'ok');
  if (machine.count('escrow') === 0) return failed('noItems');
  if (machine.state.acceptorJam) return ended('hardwareError', machine.state.acceptorJam);
  if (machine.occupied('input')) return failed('positionNotEmpty', 'returned notes were not taken');
  const jam = machine.runtime.faults.strikes(cashInEndJam);
  const stored: Record<string, Tally> = {};
  let storedNotes = 0;
  await machine.runtime.act(MS.start);
  for (const { item, count } of machine.state.places.escrow) {
    for (let left = count; left > 0; left--) {
      await machine.runtime.act(MS.note);
      const unit = storingUnit(machine, item, record.useRecycleUnits, 0);
      if (jam && storedNotes >= jam.afterNotes) {
        jamEscrow(machine, unit, jam.stuckNotes);
        return { ...ended('hardwareError', machine.state.acceptorJam!), payload: { storage: depositedTo(stored) } };
      }
      if (!unit) return failed('cashUnitError', 'no unit has room', { storage: depositedTo(stored) });
      machine.move({ from: 'escrow', to: { unit }, item, count: 1, into: 'deposited' });
      stored[unit] = { ...stored[unit], [item]: (stored[unit]?.[item] ?? 0) + 1 };
      storedNotes++;
    }
  }
  return done({ storage: depositedTo(stored) });
}

const depositedTo = (stored: Readonly<Record<string, Tally>>) =>
  Object.fromEntries(Object.entries(stored).map(([id, notes]) => [id, { deposited: toCounts(notes) }]));

function jamEscrow(machine: CashMachine, meant: string | null, stuckNotes: number): void {
  machine.change((draft) => {
    for (const { item, count } of first(draft.places.escrow as Lot[], stuckNotes)) {
      move(draft, { from: 'escrow', to: 'transport', item, count, ...(meant && { bound: meant }) });
    }
    draft.acceptorJam = 'notes are stuck between escrow and units';
  });
}

/** XFS4IoT CashAcceptor.CashInRollback: the transaction is over, however this ends. */
export async function cashInRollback(machine: CashMachine, context: CommandContext): Promise<Outcome> {
  const hindrance = hindered(machine);
  if (hindrance) return hindrance;
  finish(machine, 'rollback');
  if (machine.count('escrow') === 0) return failed('noItems');
  if (machine.state.acceptorJam) return ended('hardwareError', machine.state.acceptorJam);
  if (machine.occupied('input')) return failed('positionNotEmpty', 'refused notes were not taken');
  const jam = machine.runtime.faults.strikes(rollbackJam);
  if (!(await giveBack(machine, 'escrow', jam ? jam.afterNotes : null, context))) {
    return failed('shutterNotOpen', 'the shutter is stuck');
  }
  if (!jam) return done({ storage: {} });
  machine.change((draft) => {
    for (const { item, count } of [...draft.places.escrow])
      move(draft, { from: 'escrow', to: 'transport', item, count });
    draft.acceptorJam = 'notes are stuck between escrow and slot';
  });
  return ended('hardwareError', machine.state.acceptorJam!);
}

function finish(machine: CashMachine, status: 'ok' | 'rollback'): CashInRecord {
  machine.change((draft) => {
    draft.cashIn!.status = status;
  });
  return machine.state.cashIn!;
}

/** Where one note of the escrow goes; `ahead` notes of its kind go there before it. Null: no unit takes it. */
function storingUnit(machine: CashMachine, item: string, recycle: boolean, ahead: number): string | null {
  const known = itemOf(item);
  const fits = machine.units('recycle', 'cashIn').filter(([, unit]) => {
    if (unit.status !== 'ok' || unit.appLockIn || room(unit) <= ahead) return false;
    // A recycling unit pays out again: only fit notes of its own value.
    return unit.kind === 'recycle' ? recycle && known?.level === 'fit' && unit.value === known.type.value : true;
  });
  return (fits.find(([, unit]) => unit.kind === 'recycle') ?? fits[0])?.[0] ?? null;
}
