/** XFS4IoT CashAcceptor, commands of a self-service acceptor with escrow and one slot for in, refused and returned notes. */
import { z } from 'zod';
import { type CommandContext, command, done, ended, failed, type Interface, type Outcome } from '../command.ts';
import type { Payload } from '../envelope.ts';
import { contents } from '../notes/cash-state.ts';
import { NOTE_TYPES } from '../notes/items.ts';
import { setInitial } from '../notes/move.ts';
import { toCounts, total } from '../notes/tally.ts';
import { cashIn, cashInEnd, cashInRollback, cashInStart } from './cash-in.ts';
import type { InputSlot } from './input-slot.ts';
import { type CashMachine, INPUT, MS, RETURN } from './machine.ts';
import { openShutter, positionNamed } from './shutter.ts';

const Nothing = z.object({});

export function acceptorInterface(machine: CashMachine, slot: InputSlot): Interface {
  const exclusive = (act: () => Promise<Outcome>) => machine.exclusive(act);
  const usage = (position: string, uses: readonly string[]) => ({
    position,
    usage: { in: uses.includes('in'), refuse: uses.includes('refuse'), rollback: uses.includes('rollback') },
    shutterControl: !machine.options.explicitShutter,
    itemsTakenSensor: true,
    itemsInsertedSensor: true,
    retractAreas: null,
    presentControl: !machine.options.explicitShutter,
    preparePresent: false,
  });
  return {
    name: 'CashAcceptor',
    events: ['CashAcceptor.InsertItemsEvent', 'CashAcceptor.InputRefuseEvent', 'CashAcceptor.SubCashInEvent'],
    capabilities: () => ({
      type: 'selfServiceBill',
      maxCashInItems: machine.options.itemsMax,
      shutter: true,
      shutterControl: !machine.options.explicitShutter,
      intermediateStacker: machine.options.escrowItemsMax,
      itemsTakenSensor: true,
      itemsInsertedSensor: true,
      positions: [usage(INPUT, ['in']), usage(RETURN, ['refuse', 'rollback'])],
      retractAreas: {
        retract: true,
        transport: false,
        stacker: false,
        reject: true,
        itemCassette: false,
        cashIn: false,
      },
      retractTransportActions: { present: false, retract: true, reject: true, itemCassette: false, cashIn: false },
      retractStackerActions: { present: true, retract: true, reject: true, itemCassette: false, cashIn: false },
      cashInLimit: { byTotalItems: true, byAmount: true },
      countActions: { individual: true, all: true },
      retainAction: null,
    }),
    commands: {
      'CashAcceptor.CashInStart': command(
        z.object({
          useRecycleUnits: z.boolean().nullish(),
          inputPosition: z.string().nullish(),
          outputPosition: z.string().nullish(),
          totalItemsLimit: z.int().nonnegative().nullish(),
          amountLimit: z
            .array(z.object({ currency: z.string().regex(/^[A-Z]{3}$/), value: z.number().nonnegative().nullish() }))
            .nullish(),
          tellerID: z.int().nullish(),
        }),
        (order) => cashInStart(machine, order),
      ),
      'CashAcceptor.CashIn': command(Nothing, (_payload, context) => cashIn(machine, slot, context)),
      'CashAcceptor.CashInEnd': command(Nothing, () => exclusive(() => cashInEnd(machine))),
      'CashAcceptor.CashInRollback': command(Nothing, (_payload, context) =>
        exclusive(() => cashInRollback(machine, context)),
      ),
      'CashAcceptor.GetCashInStatus': command(Nothing, () => done(cashInStatus(machine)), { withoutDevice: true }),
      'CashAcceptor.GetPresentStatus': command(Nothing, () => done(returnStatus(machine)), { withoutDevice: true }),
      'CashAcceptor.PresentMedia': command(z.object({ position: z.string().nullish() }), ({ position }, context) =>
        exclusive(() => presentMedia(machine, position, context)),
      ),
      'CashAcceptor.CashUnitCount': command(z.object({ units: z.array(z.string()).min(1) }), ({ units }) =>
        exclusive(() => countUnits(machine, units)),
      ),
      'CashAcceptor.ConfigureNoteTypes': command(
        z.object({ items: z.array(z.object({ item: z.string(), enabled: z.boolean() })).nullish() }),
        ({ items }) => configure(machine, items ?? []),
      ),
    },
  };
}

function cashInStatus(machine: CashMachine): Payload {
  const record = machine.state.cashIn;
  return {
    status: record?.status ?? 'unknown',
    numOfRefused: record?.refused ?? 0,
    noteNumberList: { unrecognized: 0, ...toCounts(record?.identified ?? {}) },
  };
}

function returnStatus(machine: CashMachine): Payload {
  const returned = toCounts(contents(machine.state, 'return'));
  return {
    position: RETURN,
    presentState: machine.count('return') > 0 ? 'presented' : 'notPresented',
    additionalBunches: 'none',
    bunchesRemaining: 0,
    returnedItems: returned,
    totalReturnedItems: returned,
    remainingItems: {},
  };
}

/** Opens the slot over notes that were refused or returned behind it; under `presentControl` it is open already. */
async function presentMedia(
  machine: CashMachine,
  position: string | null | undefined,
  context: CommandContext,
): Promise<Outcome> {
  if (position && positionNamed(position) !== 'input' && position !== 'outDefault')
    return failed('unsupportedPosition');
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.count('return') === 0) return failed('noItems');
  if (machine.state.foreignAtInput) return failed('foreignItemsDetected');
  if (!(await openShutter(machine, 'input'))) return failed('shutterNotOpen', 'the shutter is stuck');
  machine.positionEvent('CashManagement.ItemsPresentedEvent', RETURN, 0, context);
  return done();
}

/** Each unit's notes are run past the reader: from then on it counts what it holds. */
async function countUnits(machine: CashMachine, ids: readonly string[]): Promise<Outcome> {
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.state.cashIn?.status === 'active') return failed('cashInActive');
  const strange = ids.find((id) => !['cashIn', 'recycle'].includes(machine.state.units[id]?.kind ?? ''));
  if (strange) return failed('invalidCashUnit', `${strange} can't be counted`);
  const broken = ids.find((id) => machine.unit(id).status !== 'ok');
  if (broken) return failed('cashUnitError', `${broken} is ${machine.unit(broken).status}`);
  for (const id of ids) {
    await machine.runtime.act(MS.note * total(machine.unit(id).notes));
    machine.change((draft) => setInitial(draft.units[id]!, draft.units[id]!.notes));
  }
  return done();
}

function configure(machine: CashMachine, items: readonly { item: string; enabled: boolean }[]): Outcome {
  if (machine.state.exchange) return failed('exchangeActive');
  if (machine.state.cashIn?.status === 'active') return failed('cashInActive');
  const strange = items.find(({ item }) => !NOTE_TYPES.some(({ id }) => id === item));
  if (strange) return ended('unsupportedData', `items: no ${strange.item}`);
  machine.change((draft) => {
    for (const { item, enabled } of items) {
      draft.disabledTypes = draft.disabledTypes.filter((id) => id !== item);
      if (!enabled) draft.disabledTypes.push(item);
    }
  });
  return done();
}

/** XFS4IoT, Common.Status `cashAcceptor`. */
export function acceptorStatus(machine: CashMachine): Payload {
  const { state } = machine;
  const escrow = machine.count('escrow');
  const slot = {
    shutter: state.inputShutter,
    transport: state.acceptorJam ? 'inoperative' : 'ok',
    transportStatus: machine.count('transport') > 0 ? 'notEmpty' : 'empty',
  };
  const returned = state.foreignAtInput ? 'foreignItems' : machine.occupied('input') ? 'notEmpty' : 'empty';
  return {
    intermediateStacker: escrow === 0 ? 'empty' : escrow >= machine.options.escrowItemsMax ? 'full' : 'notEmpty',
    stackerItems: escrow === 0 ? 'noItems' : 'noCustomerAccess',
    banknoteReader: 'ok',
    dropBox: false,
    positions: [
      {
        position: INPUT,
        ...slot,
        positionStatus: state.foreignAtInput ? 'foreignItems' : machine.count('feeder') > 0 ? 'notEmpty' : 'empty',
      },
      { position: RETURN, ...slot, positionStatus: returned },
    ],
  };
}
