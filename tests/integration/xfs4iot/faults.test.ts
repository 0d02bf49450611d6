/**
 * Every fault of the machine once during a withdrawal and once during a deposit: what the driver says afterwards is what is
 * physically so, or it says that it cannot know. It never calls a payout unpaid that a customer holds, never credits what the
 * machine does not have, and notes are never made or lost.
 */
import { describe, expect, it } from 'vitest';
import { notes } from '../../contract/devices/vocabulary.ts';
import { deposit, takesAll, takesNothing, type Verdict, withdraw } from './conduct.ts';
import { Machine } from './machine.ts';

type Fault = Readonly<Record<string, unknown>> & { readonly fault: string };
const MIX = notes(10_000, 3, 1_000, 2);
const BUNCH = notes(10_000, 2, 1_000, 3);

const mechanical: Fault[] = [
  { fault: 'pickFailure', afterNotes: 0, failure: 'empty' },
  { fault: 'pickFailure', afterNotes: 3 },
  { fault: 'noteRejected', notes: 2 },
  { fault: 'dispenseJam', afterNotes: 2 },
  { fault: 'shutterStuck', when: 'opening' },
  { fault: 'shutterStuck', when: 'closing' },
  { fault: 'presentError', kind: 'noItems' },
  { fault: 'presentError', kind: 'items', accessibleNotes: 2 },
  { fault: 'presentError', kind: 'unknown', accessible: true },
  { fault: 'presentError', kind: 'unknown', accessible: false },
  { fault: 'takenDuringRetract', notes: 2 },
  { fault: 'retractUnitFull', roomNotes: 1 },
  { fault: 'uncountedRetract' },
  { fault: 'foreignItems', position: 'output' },
  { fault: 'sensorOff', position: 'output' },
];
const wireOf = (commands: readonly string[]): Fault[] =>
  commands.flatMap((command) => [
    { fault: 'connectionDrop', command, when: 'beforeAct' },
    { fault: 'connectionDrop', command, when: 'afterAct' },
    { fault: 'slowCompletion', command, delayMs: 150 },
    { fault: 'lateResult', command },
    { fault: 'deviceFailure', command, code: 'hardwareError' },
    { fault: 'deviceFailure', command, code: 'userError' },
    { fault: 'missingCompletion', command },
    { fault: 'duplicateCompletion', command },
    { fault: 'strayCompletion', command },
    { fault: 'garbage', command },
    { fault: 'unknownFields', command },
  ]);
const events: Fault[] = [
  'CashManagement.ItemsTakenEvent',
  'CashManagement.ItemsPresentedEvent',
  'Common.StatusChangedEvent',
  'Storage.CountsChangedEvent',
].flatMap((event) => [
  { fault: 'missingEvent', event },
  { fault: 'duplicateEvent', event },
]);

const told = ({ fault, ...rest }: Fault) => `${fault} ${Object.values(rest).join(' ')}`.trim();

function expectConserved(machine: Machine): void {
  const { units, places, came } = machine.hands.where();
  const held: Record<string, number> = {};
  for (const tally of [...Object.values(units), ...Object.values(places)]) {
    for (const [item, count] of Object.entries(tally)) held[item] = (held[item] ?? 0) + count;
  }
  expect(held).toEqual(came);
}

/** After these nobody can know without looking, and the driver has to say so; after any other it has to know. */
const UNKNOWABLE = new Set([
  'presentError items 2',
  'presentError unknown true',
  'presentError unknown false',
  'foreignItems output',
  'foreignItems input',
  'uncountedRetract',
  'cashInJam 2',
  'cashInEndJam 2',
  'rollbackJam 2',
  'shutterStuck input closing',
]);

/** Runs one conduct and holds its verdict against what the machine's notes say. */
async function trial(
  fault: Fault,
  conduct: (machine: Machine) => Promise<Verdict>,
  truth: (machine: Machine) => number,
): Promise<void> {
  const machine = await Machine.open();
  try {
    machine.atm.faults.arm(fault);
    const before = truth(machine);
    const verdict = await conduct(machine);
    expectConserved(machine);
    if (verdict.kind === 'settled') expect(verdict.yen, told(fault)).toBe(truth(machine) - before);
    else expect(UNKNOWABLE, `${told(fault)}: ${verdict.why}`).toContain(told(fault));
  } finally {
    await machine.close();
  }
}

/** Yen customers have in hand or in reach. */
const withCustomers = (machine: Machine) => machine.worth().withCustomers + machine.worth().inReach;
/** Yen in the machine: what customers bring was not in the world before. */
const inside = (machine: Machine) => machine.worth().inside;

describe.concurrent('a withdrawal', () => {
  const commands = ['CashDispenser.Dispense', 'CashDispenser.Present', 'CashDispenser.GetPresentStatus'];
  it.each([...mechanical, ...wireOf(commands), ...events].map((fault) => [told(fault), fault] as const))(
    'in which %s strikes, and the customer takes the notes, is told as it was',
    async (_, fault) => {
      await trial(fault, (machine) => withdraw(machine, { mix: MIX, customer: takesAll }), withCustomers);
    },
  );

  const taking = ['CashManagement.Retract', 'CashDispenser.Reject'];
  it.each([...mechanical, ...wireOf(taking), ...events].map((fault) => [told(fault), fault] as const))(
    'in which %s strikes, and nobody takes the notes, is told as it was',
    async (_, fault) => {
      await trial(fault, (machine) => withdraw(machine, { mix: MIX, customer: takesNothing }), withCustomers);
    },
  );
});

describe.concurrent('a deposit', () => {
  const faults: Fault[] = [
    { fault: 'escrowFull', roomNotes: 2 },
    { fault: 'refuseNotes', notes: 2 },
    { fault: 'refuseNotes', notes: 5, reason: 'counterfeit' },
    { fault: 'foreignItems', position: 'input' },
    { fault: 'cashInJam', afterNotes: 2 },
    { fault: 'cashInEndJam', afterNotes: 2 },
    { fault: 'rollbackJam', afterNotes: 2 },
    { fault: 'shutterStuck', position: 'input', when: 'opening' },
    { fault: 'shutterStuck', position: 'input', when: 'closing' },
    { fault: 'sensorOff', position: 'input' },
  ];
  const commands = ['CashAcceptor.CashInStart', 'CashAcceptor.CashIn', 'CashAcceptor.GetCashInStatus'];
  it.each(
    [...faults, ...wireOf([...commands, 'CashAcceptor.CashInEnd']), ...events].map(
      (fault) => [told(fault), fault] as const,
    ),
  )('in which %s strikes credits what the machine has', async (_, fault) => {
    await trial(fault, (machine) => deposit(machine, { bunches: [BUNCH] }), inside);
  });
  it.each(
    [...faults, ...wireOf(['CashAcceptor.CashInRollback']), ...events].map((fault) => [told(fault), fault] as const),
  )('given up in which %s strikes credits nothing it gave back', async (_, fault) => {
    await trial(fault, (machine) => deposit(machine, { bunches: [BUNCH], confirms: false }), inside);
  });
});
