/** XFS4IoT CashManagement: what dispenser and acceptor have in common. */
import { z } from 'zod';
import { command, done, ended, failed, type Interface, type Outcome } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { NOTE_TYPES } from '../notes/items.ts';
import { room } from '../notes/move.ts';
import { paysOut } from './denomination.ts';
import { type CashMachine, type Halves, RETURN } from './machine.ts';
import { reset, retract } from './retract.ts';
import { closeShutter, openShutter, positionNamed } from './shutter.ts';
import { replenishment } from './storage-view.ts';

const Nothing = z.object({});
const Location = z.object({
  outputPosition: z.string().nullish(),
  retractArea: z.string().nullish(),
  index: z.int().min(1).nullish(),
});
const ResetPosition = z.object({
  target: z.string(),
  unit: z.string().nullish(),
  index: z.int().min(1).nullish(),
});

export function managementInterface(machine: CashMachine, halves: Halves): Interface {
  return {
    name: 'CashManagement',
    events: [
      'CashManagement.ItemsTakenEvent',
      'CashManagement.ItemsInsertedEvent',
      'CashManagement.ItemsPresentedEvent',
      'CashManagement.MediaDetectedEvent',
      'CashManagement.ShutterStatusChangedEvent',
      'CashManagement.NoteErrorEvent',
      'CashManagement.IncompleteRetractEvent',
    ],
    capabilities: () => ({
      cashBox: false,
      exchangeType: { byHand: true },
      itemInfoTypes: null,
      classificationList: false,
      classifications: { unrecognized: true, counterfeit: true, suspect: true, inked: true, fit: true, unfit: true },
    }),
    commands: {
      'CashManagement.GetBankNoteTypes': command(
        Nothing,
        () => {
          const { disabledTypes } = machine.state;
          return done({
            items: Object.fromEntries(
              NOTE_TYPES.map(({ id, noteId, currency, value }) => [
                id,
                { cashItem: { noteID: noteId, currency, value, release: 1 }, enabled: !disabledTypes.includes(id) },
              ]),
            ),
          });
        },
        { withoutDevice: true },
      ),
      'CashManagement.OpenShutter': command(z.object({ position: z.string().nullish() }), ({ position }) =>
        machine.exclusive(() => moveShutter(machine, halves, position, true)),
      ),
      'CashManagement.CloseShutter': command(z.object({ position: z.string().nullish() }), ({ position }) =>
        machine.exclusive(() => moveShutter(machine, halves, position, false)),
      ),
      'CashManagement.Retract': command(z.object({ location: Location.nullish() }), ({ location }, context) =>
        machine.exclusive(() => retract(machine, halves, location ?? {}, context)),
      ),
      'CashManagement.Reset': command(z.object({ position: ResetPosition.nullish() }), ({ position }, context) =>
        machine.exclusive(() => reset(machine, halves, position ?? null, context)),
      ),
    },
  };
}

async function moveShutter(
  machine: CashMachine,
  halves: Halves,
  name: string | null | undefined,
  open: boolean,
): Promise<Outcome> {
  // The reference does not default a missing position either.
  const position = name ? positionNamed(name) : null;
  if (!position || !(position === 'output' ? halves.dispenser : halves.acceptor)) {
    return failed('unsupportedPosition', `no ${name ?? 'position given'}`);
  }
  const { state } = machine;
  if (state.exchange) return failed('exchangeActive');
  const is = position === 'output' ? state.outputShutter : state.inputShutter;
  if (is === (open ? 'open' : 'closed')) {
    if (machine.runtime.dialect().repeatedStateChange === 'success') return done();
    return failed(open ? 'shutterOpen' : 'shutterClosed');
  }
  if (is.startsWith('jammed')) return failed(open ? 'shutterNotOpen' : 'shutterNotClosed', `the shutter is ${is}`);
  if (!open && machine.occupied(position)) return failed('tooManyItems', 'notes lie in the way');
  const moved = open ? await openShutter(machine, position) : await closeShutter(machine, position);
  if (moved && open && position === 'input' && machine.count('return') > 0) {
    machine.positionEvent('CashManagement.ItemsPresentedEvent', RETURN, 0);
  }
  if (moved) return done();
  return ended('userError', 'the shutter did not move');
}

/** XFS4IoT, Common.Status `cashManagement`. */
export function managementStatus(machine: CashMachine, halves: Halves): Payload {
  return {
    ...(halves.dispenser && { dispenser: dispenserUnits(machine) }),
    ...(halves.acceptor && { acceptor: acceptorUnits(machine) }),
  };
}

type UnitsState = 'ok' | 'attention' | 'stop';

function dispenserUnits(machine: CashMachine): UnitsState {
  const units = machine.units('cashOut', 'recycle').map(([, unit]) => unit);
  if (!units.some(paysOut) || !machine.bin('reject') || !machine.bin('retract')) return 'stop';
  if (units.every(({ appLockOut }) => appLockOut)) return 'stop';
  return units.every((unit) => paysOut(unit) && replenishment(unit) !== 'low') ? 'ok' : 'attention';
}

function acceptorUnits(machine: CashMachine): UnitsState {
  const units = machine.units('cashIn', 'recycle').map(([, unit]) => unit);
  const takes = units.filter((unit) => unit.status === 'ok' && !unit.appLockIn && room(unit) > 0);
  if (takes.length === 0 || !machine.bin('retract')) return 'stop';
  const crowded = units.some((unit) => ['high', 'full'].includes(replenishment(unit)));
  return takes.length === units.length && !crowded ? 'ok' : 'attention';
}
