/** The contract suites of dispenser and acceptor against the XFS4IoT drivers, over real sockets, for both arrangements of a machine. */
import { cashAcceptorContract } from '../../contract/devices/cash-acceptor.ts';
import { cashDispenserContract } from '../../contract/devices/cash-dispenser.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { until } from './waiting.ts';

const ARRANGEMENTS: readonly [string, MachineOptions][] = [
  ['a recycler', {}],
  ['dispenser and acceptor apart', { atm: { arrangement: 'split' } }],
  ['a slot whose shutter the terminal moves', { atm: { explicitShutter: true } }],
];

for (const [name, options] of ARRANGEMENTS) {
  cashDispenserContract(`XFS4IoT, ${name}`, async () => {
    const machine = await Machine.open(options);
    return {
      dispenser: machine.dispenser,
      takeNotes: async () => {
        await machine.hands.takeNotes();
      },
      close: () => machine.close(),
    };
  });

  cashAcceptorContract(`XFS4IoT, ${name}`, async () => {
    const machine = await Machine.open(options);
    return {
      acceptor: machine.acceptor,
      insert: async (notes, unrecognised) => {
        await machine.insert(notes, unrecognised);
        await until(() => !machine.hands.canInsert());
      },
      takeReturned: async () => {
        await until(() => machine.worth().inReach >= 0 && machine.hands.where().places.return !== undefined);
        await machine.hands.takeReturned();
      },
      close: () => machine.close(),
    };
  });
}
