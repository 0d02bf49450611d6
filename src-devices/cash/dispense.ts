/** XFS4IoT CashDispenser.Dispense: notes from the units to the stacker, one by one, under a token where one is needed. */
import { type CommandContext, type CommandEnded, done, ended, failed, type Outcome } from '../command.ts';
import { type EarlierStacks, NO_EARLIER_STACKS, type PresentRecord } from '../notes/cash-state.ts';
import { worth } from '../notes/tally.ts';
import type { DispenseGuard } from '../security/dispense-guard.ts';
import type { Token } from '../security/token.ts';
import { dispenseJam, keysMissing, nonceTimeout, noteRejected, pickFailure } from './cash-faults.ts';
import { type Denomination, type DenominationRequest, denominate, denominationResult } from './denomination.ts';
import { type CashMachine, MS } from './machine.ts';
import { pickable } from './pickable.ts';
import type { CashSecurity } from './security.ts';
import { positionNamed } from './shutter.ts';
import { unitView } from './storage-view.ts';

export interface DispenseOrder {
  readonly denomination: DenominationRequest;
  readonly position?: string | null | undefined;
  readonly token?: string | null | undefined;
}

export async function dispense(
  machine: CashMachine,
  { guard, loseKeys }: CashSecurity,
  order: DispenseOrder,
  context: CommandContext,
): Promise<Outcome> {
  const { faults } = machine.runtime;
  if (faults.strikes(nonceTimeout)) guard.drop('the nonce timed out');
  if (faults.strikes(keysMissing)) loseKeys();
  // The token first: who may not dispense learns nothing else, and changes nothing.
  const admitted = guard.admit(order.token ?? null);
  if (admitted.refusal) return ended(admitted.refusal.code, admitted.refusal.description);
  const hindrance = hindered(machine, order);
  if (hindrance) return hindrance;
  const chosen = denominate(machine, order.denomination);
  if ('refusal' in chosen) return chosen.refusal;
  const { denomination } = chosen;
  if (admitted.token) {
    // Yen have no minor units: the amount is the same number.
    const refusal = guard.allow(admitted.token, { currency: denomination.currency, minor: denomination.amount });
    if (refusal) return ended(refusal.code, refusal.description);
  }
  return await pickAll(machine, guard, denomination, admitted.token, context);
}

function hindered(machine: CashMachine, { position }: DispenseOrder): Outcome | null {
  const { state } = machine;
  if (state.exchange) return failed('exchangeActive');
  if (positionNamed(position ?? 'outDefault') !== 'output') return failed('unsupportedPosition', `no ${position}`);
  if (state.dispenserJam) return ended('hardwareError', state.dispenserJam);
  if (machine.occupied('output') || machine.count('transport') > 0) return failed('itemsLeft');
  // Bunches of a stack that was presented in part wait for Present, Reject or Retract; new notes would get mixed with them.
  if (machine.count('stacker') > 0 && state.present?.state !== 'notPresented') return failed('itemsLeft');
  if (state.outputShutter !== 'closed') return failed('shutterOpen');
  return null;
}

/** One note of the order. */
interface Pick {
  readonly unit: string;
  readonly item: string;
}

async function pickAll(
  machine: CashMachine,
  guard: DispenseGuard,
  { units, currency }: Denomination,
  token: Token | null,
  context: CommandContext,
): Promise<Outcome> {
  const { faults, act, dialect } = machine.runtime;
  const failure = faults.strikes(pickFailure);
  const jam = faults.strikes(dispenseJam);
  let toReject = faults.strikes(noteRejected)?.notes ?? 0;
  if (dialect().startDispense) context.event('CashDispenser.StartDispenseEvent');
  // A command that is cancelled while the motors start leaves the record of the last payout alone.
  await act(MS.start, context.signal);
  begin(machine, token);
  const before = { ...machine.state.present!.units };
  let stacked = 0;
  const wanted = Object.values(units).reduce((sum, count) => sum + count, 0);

  /** What lies on the stacker is told, and stays there: the client decides. */
  const stopped = (outcome: Outcome): Outcome => {
    const { dispensed } = machine.state.present!;
    const result = denominationResult(currency, worth(dispensed), machine.state.present!.units);
    if (stacked > 0) context.event('CashDispenser.IncompleteDispenseEvent', result);
    guard.settle();
    return { ...outcome, payload: { denomination: result, bunches: '0', ...outcome.payload } };
  };
  const unitFailed = (unit: string, why: 'empty' | 'error' | 'full'): Outcome => {
    reportUnit(machine, unit, why, context);
    return stopped(failed('cashUnitError', `${unit}: ${why}`));
  };

  for (const [unit, count] of Object.entries(units)) {
    for (let picked = 0; picked < count; ) {
      if (context.signal.aborted) {
        const { code } = context.signal.reason as CommandEnded;
        // Who went away hears nothing; the notes stay on the stacker all the same.
        const told = code === 'timeOut' ? code : 'canceled';
        return stopped(ended(told, `stopped after ${stacked} of ${wanted} notes`));
      }
      const item = pickable(machine.unit(unit));
      if (failure && stacked >= failure.afterNotes) {
        failUnit(machine, unit, failure.failure);
        return unitFailed(unit, failure.failure);
      }
      if (item === null) {
        failUnit(machine, unit, 'empty');
        return unitFailed(unit, 'empty');
      }
      await act(MS.note);
      if (jam && stacked >= jam.afterNotes) return stopped(jamOn(machine, { unit, item }));
      if (toReject > 0) {
        const bin = machine.bin('reject');
        if (!bin) return unitFailed(machine.units('reject')[0]?.[0] ?? unit, 'full');
        toReject--;
        machine.move({ from: { unit }, to: { unit: bin }, item, count: 1, into: 'rejected' });
        context.event('CashManagement.NoteErrorEvent', { reason: 'doubleNote' });
        continue;
      }
      stack(machine, { unit, item });
      guard.dispensed(machine.unit(unit).value!);
      stacked++;
      picked++;
    }
  }
  guard.settle();
  const { present } = machine.state;
  const bunches = Math.ceil(machine.count('stacker') / machine.options.bunchItemsMax);
  return done({
    denomination: denominationResult(currency, worth(present!.dispensed), present!.units),
    bunches: String(bunches),
    storage: { in: null, out: movedOut(machine, before) },
  });
}

/** From here on the last present status is of this dispense; onto notes that still lie on the stacker it adds. */
function begin(machine: CashMachine, token: Token | null): void {
  const adding = machine.count('stacker') > 0 && machine.state.present?.state === 'notPresented';
  machine.change((draft) => {
    const fresh = { state: 'notPresented', presented: {}, retracted: {}, wasRetracted: false } as const;
    draft.present = {
      ...fresh,
      tokenHmac: token?.hmac ?? null,
      units: adding ? draft.present!.units : {},
      dispensed: adding ? draft.present!.dispensed : {},
      earlier: earlierUnder(token, draft.present, adding),
    };
  });
}

/** The stacks before this one under the same token; notes that still lie on the stacker belong to this one. */
function earlierUnder(token: Token | null, last: PresentRecord | null, adding: boolean): EarlierStacks {
  if (!token || last?.tokenHmac !== token.hmac) return NO_EARLIER_STACKS;
  if (adding) return last.earlier;
  const { earlier } = last;
  const sum = (before: number | null, now: number | null) => (before === null || now === null ? null : before + now);
  return {
    dispensed: earlier.dispensed + worth(last.dispensed),
    presented: sum(earlier.presented, last.state === 'unknown' ? null : worth(last.presented)),
    retracted: sum(earlier.retracted, last.retracted && worth(last.retracted)),
    wasRetracted: earlier.wasRetracted || last.wasRetracted,
  };
}

function stack(machine: CashMachine, { unit, item }: Pick): void {
  machine.moveAnd([{ from: { unit }, to: 'stacker', item, count: 1 }], (draft) => {
    const present = draft.present!;
    present.units[unit] = (present.units[unit] ?? 0) + 1;
    present.dispensed[item] = (present.dispensed[item] ?? 0) + 1;
  });
}

function jamOn(machine: CashMachine, { unit, item }: Pick): Outcome {
  machine.moveAnd([{ from: { unit }, to: 'transport', item, count: 1 }], (draft) => {
    draft.dispenserJam = `a note from ${unit} is stuck in the transport`;
  });
  return ended('hardwareError', machine.state.dispenserJam!);
}

function failUnit(machine: CashMachine, id: string, why: 'empty' | 'error'): void {
  machine.change((draft) => {
    const unit = draft.units[id]!;
    if (why === 'empty') unit.sensedEmpty = true;
    else unit.status = 'inoperative';
  });
}

function reportUnit(
  machine: CashMachine,
  id: string,
  failure: 'empty' | 'error' | 'full',
  context: CommandContext,
): void {
  const index = Object.keys(machine.state.units).indexOf(id);
  context.event('Storage.StorageErrorEvent', { failure, unit: { [id]: unitView(machine.unit(id), index) } });
}

function movedOut(machine: CashMachine, before: Readonly<Record<string, number>>): Record<string, unknown> {
  const now = machine.state.present?.units ?? {};
  return Object.fromEntries(
    Object.entries(now).flatMap(([id, count]) => {
      const moved = count - (before[id] ?? 0);
      const value = machine.unit(id).value;
      return moved > 0 ? [[id, { stacked: { [`type${value}JPY1`]: { fit: moved } } }]] : [];
    }),
  );
}
