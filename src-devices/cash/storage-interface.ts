/** XFS4IoT Storage: what is in the units, and the exchange in which staff changes it. */
import { z } from 'zod';
import { command, done, ended, failed, type Interface, type Outcome } from '../command.ts';
import { LEVELS, NOTE_TYPES, UNRECOGNIZED } from '../notes/items.ts';
import { setInitial } from '../notes/move.ts';
import type { Tally } from '../notes/tally.ts';
import type { CashMachine } from './machine.ts';
import { storageView } from './storage-view.ts';

const Count = z.int().nonnegative();
const Counts = z.record(z.string(), z.union([Count, z.partialRecord(z.enum(LEVELS), Count.nullish())]).nullish());
const UnitChange = z.object({
  cash: z
    .object({
      configuration: z
        .object({
          types: z.record(z.string(), z.boolean()).nullish(),
          items: z.record(z.string(), z.boolean()).nullish(),
          currency: z.string().nullish(),
          value: z.number().nullish(),
          highThreshold: Count.nullish(),
          lowThreshold: Count.nullish(),
          appLockIn: z.boolean().nullish(),
          appLockOut: z.boolean().nullish(),
          name: z.string().min(1).max(5).nullish(),
        })
        .nullish(),
      status: z.object({ initial: Counts.nullish() }).nullish(),
    })
    .nullish(),
});
type UnitChange = z.output<typeof UnitChange>;

export function storageInterface(machine: CashMachine): Interface {
  return {
    name: 'Storage',
    events: [
      'Storage.StorageChangedEvent',
      'Storage.StorageThresholdEvent',
      'Storage.CountsChangedEvent',
      'Storage.StorageErrorEvent',
    ],
    commands: {
      'Storage.GetStorage': command(z.object({}), () => done({ storage: storageView(machine.state) }), {
        withoutDevice: true,
      }),
      'Storage.SetStorage': command(z.object({ storage: z.record(z.string(), UnitChange) }), ({ storage }) =>
        setStorage(machine, storage),
      ),
      'Storage.StartExchange': command(z.object({}), () => exchange(machine, true)),
      'Storage.EndExchange': command(z.object({}), () => exchange(machine, false)),
    },
  };
}

function exchange(machine: CashMachine, active: boolean): Outcome {
  if (machine.state.exchange === active) {
    if (machine.runtime.dialect().repeatedStateChange === 'success') {
      return { ...done(), description: active ? 'exchange was active' : 'no exchange was active' };
    }
    return failed(active ? 'exchangeActive' : 'noExchangeActive');
  }
  if (active && machine.state.cashIn?.status === 'active') return failed('transactionActive', 'a cash-in is active');
  machine.change((draft) => {
    draft.exchange = active;
    // What staff put back is in order again once they close the door.
    for (const unit of Object.values(draft.units)) {
      if (!active && (unit.status === 'manipulated' || unit.status === 'inoperative')) unit.status = 'ok';
    }
  });
  return done();
}

/** All units or none: what does not fit is refused before anything changes. */
function setStorage(machine: CashMachine, changes: Readonly<Record<string, UnitChange>>): Outcome {
  const draftSteps: ((draft: typeof machine.state) => void)[] = [];
  for (const [id, { cash }] of Object.entries(changes)) {
    const unit = machine.state.units[id];
    if (!unit) return failed('invalidUnit', `there is no ${id}`);
    const { configuration, status } = cash ?? {};
    const inExchange = status?.initial || configuration?.types || configuration?.items || configuration?.value != null;
    if ((inExchange || configuration?.currency) && !machine.state.exchange) {
      return failed('noExchangeActive', `${id}: counts and kind change in an exchange only`);
    }
    if (configuration?.value != null && configuration.value !== (unit.value ?? 0)) {
      return ended('unsupportedData', `${id}: value is fixed by the unit's hardware`);
    }
    if (configuration?.currency && configuration.currency !== 'JPY') {
      return ended('unsupportedData', `${id}: currency ${configuration.currency}`);
    }
    for (const threshold of ['highThreshold', 'lowThreshold'] as const) {
      const value = configuration?.[threshold];
      if (value != null && value >= unit.capacity)
        return ended('invalidData', `${id}: ${threshold} is not below capacity`);
    }
    const initial = status?.initial ? tallyOf(status.initial) : null;
    if (typeof initial === 'string') return ended('invalidData', `${id}: initial: ${initial}`);
    draftSteps.push((draft) => {
      const changed = draft.units[id]!;
      if (configuration?.highThreshold != null) changed.highThreshold = configuration.highThreshold;
      if (configuration?.lowThreshold != null) changed.lowThreshold = configuration.lowThreshold;
      if (configuration?.appLockIn != null) changed.appLockIn = configuration.appLockIn;
      if (configuration?.appLockOut != null) changed.appLockOut = configuration.appLockOut;
      if (configuration?.name) changed.name = configuration.name;
      if (initial) setInitial(changed, initial);
    });
  }
  machine.change((draft) => {
    for (const step of draftSteps) step(draft);
  });
  return done();
}

/** A sentence when a count is of nothing this machine knows. */
function tallyOf(counts: z.output<typeof Counts>): Tally | string {
  const tally: Tally = {};
  for (const [type, levels] of Object.entries(counts)) {
    if (levels == null) continue;
    if (type === UNRECOGNIZED) {
      if (typeof levels !== 'number') return `${type} must be a number`;
      tally[UNRECOGNIZED] = levels;
    } else if (!NOTE_TYPES.some(({ id }) => id === type) || typeof levels === 'number') {
      return `${type} is no cash item with levels`;
    } else {
      for (const level of LEVELS) if (levels[level]) tally[`${type}/${level}`] = levels[level];
    }
  }
  return tally;
}
