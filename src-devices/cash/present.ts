/** XFS4IoT CashDispenser.Present and .Reject: notes from the stacker into the customer's reach, or into the reject unit. */
import { type CommandContext, done, ended, failed, type Outcome } from '../command.ts';
import { type CashState, type Lot, NO_EARLIER_STACKS } from '../notes/cash-state.ts';
import { move } from '../notes/move.ts';
import { worth } from '../notes/tally.ts';
import type { DispenseGuard } from '../security/dispense-guard.ts';
import { presentError } from './cash-faults.ts';
import { type CashMachine, MS, OUTPUT } from './machine.ts';
import { openShutter, positionNamed } from './shutter.ts';

export async function present(
  machine: CashMachine,
  guard: DispenseGuard,
  position: string | null | undefined,
  context: CommandContext,
): Promise<Outcome> {
  const { state } = machine;
  if (state.exchange) return failed('exchangeActive');
  if (positionNamed(position ?? 'outDefault') !== 'output') return failed('unsupportedPosition', `no ${position}`);
  if (state.dispenserJam) return ended('hardwareError', state.dispenserJam);
  if (machine.count('stacker') === 0) return failed('noItems');
  // The last bunch is still there.
  if (machine.occupied('output')) return failed('shutterOpen', 'the bunch before was not taken');
  const fault = machine.runtime.faults.strikes(presentError);
  await machine.runtime.act(MS.bunch);
  if (fault?.kind === 'noItems') return failed('presentErrorNoItems', 'the bunch did not reach the exit');
  if (!(await openShutter(machine, 'output'))) return failed('shutterNotOpen', 'the shutter is stuck');
  if (fault?.kind === 'items') return presentSome(machine, guard, fault.accessibleNotes);
  if (fault?.kind === 'unknown') return presentUnknown(machine, guard, fault.accessible);
  show(machine, guard, machine.options.bunchItemsMax);
  guard.settle();
  const additionalBunches = Math.ceil(machine.count('stacker') / machine.options.bunchItemsMax);
  if (machine.runtime.dialect().itemsPresentedOnPresent) {
    machine.positionEvent('CashManagement.ItemsPresentedEvent', OUTPUT, additionalBunches, context);
  }
  return done({ position: { position: OUTPUT, additionalBunches: String(additionalBunches) } });
}

/** Up to so many notes into the customer's reach. */
function show(
  machine: CashMachine,
  guard: DispenseGuard,
  most: number,
  state: 'presented' | 'unknown' = 'presented',
): void {
  const shown = first(machine.state.places.stacker, most);
  machine.moveAnd(
    shown.map(({ item, origin, count }) => ({ from: 'stacker', to: 'exit', item, origin, count }) as const),
    (draft) => {
      draft.present ??= unknownPresent();
      draft.present.state = state;
      for (const { item, count } of shown) {
        draft.present.presented[item] = (draft.present.presented[item] ?? 0) + count;
      }
    },
  );
  guard.presented(shown.reduce((sum, { item, count }) => sum + worth({ [item]: count }), 0));
}

/** Notes that lie on the stacker without a dispense that is remembered. */
const unknownPresent = () =>
  ({
    tokenHmac: null,
    units: {},
    dispensed: {},
    state: 'notPresented',
    presented: {},
    retracted: {},
    wasRetracted: false,
    earlier: NO_EARLIER_STACKS,
  }) satisfies CashState['present'];

function presentSome(machine: CashMachine, guard: DispenseGuard, accessibleNotes: number): Outcome {
  show(machine, guard, Math.max(1, accessibleNotes));
  jamStacker(machine, 'notes are stuck behind the exit');
  guard.settle();
  return failed('presentErrorItems', 'only some notes reached the exit');
}

function presentUnknown(machine: CashMachine, guard: DispenseGuard, accessible: boolean): Outcome {
  if (accessible) show(machine, guard, machine.options.bunchItemsMax, 'unknown');
  else {
    machine.change((draft) => {
      draft.present ??= unknownPresent();
      draft.present.state = 'unknown';
    });
  }
  return failed('presentErrorUnknown', 'the sensors of the exit contradict each other');
}

function jamStacker(machine: CashMachine, says: string): void {
  machine.change((draft) => {
    for (const { item, origin, count } of [...draft.places.stacker]) {
      move(draft, { from: 'stacker', to: 'transport', item, origin, count });
    }
    draft.dispenserJam = says;
  });
}

/** XFS4IoT CashDispenser.Reject. */
export async function reject(machine: CashMachine): Promise<Outcome> {
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.state.dispenserJam) return ended('hardwareError', machine.state.dispenserJam);
  if (machine.count('stacker') === 0) return failed('noItems');
  await machine.runtime.act(MS.bunch);
  for (const { item, origin, count } of machine.state.places.stacker) {
    for (let left = count; left > 0; left--) {
      const bin = machine.bin('reject');
      if (!bin) return failed('cashUnitError', 'the reject unit takes no more');
      machine.move({ from: 'stacker', to: { unit: bin }, item, origin, count: 1, into: 'rejected' });
    }
  }
  return done();
}

/** The first notes of a place, as parts of its lots. */
export function first(lots: readonly Lot[], most: number): Lot[] {
  let left = most;
  return lots.flatMap((lot) => {
    const count = Math.min(left, lot.count);
    left -= count;
    return count > 0 ? [{ ...lot, count }] : [];
  });
}
