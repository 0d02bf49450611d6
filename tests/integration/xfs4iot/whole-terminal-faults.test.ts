/**
 * Each fault of the machine and of its wire, armed once during a withdrawal and once during a deposit at a whole terminal: session,
 * journal, outbox, the reference bank with its tokens and proofs, the drivers, real sockets, the machine. Afterwards journal, bank
 * and the notes themselves agree, or the transaction is suspect and its device blocked (whole-terminal-checker.ts). No customer is
 * charged for notes they did not get, and no note is out without a charge or a hold.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASH_FAULTS } from '../../../src-devices/cash/cash-faults.ts';
import { PERIPHERAL_FAULTS } from '../../../src-devices/peripherals.ts';
import { WIRE_FAULTS } from '../../../src-devices/wire-faults.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person } from '../../support/visits.ts';
import { type Conduct, openWholeTerminal, visits, type WholeTerminal } from './whole-terminal.ts';
import { historyOf, isFilled, settles } from './whole-terminal-checker.ts';

type Fault = Readonly<Record<string, unknown>> & { readonly fault: string };
type Row = readonly [fault: Fault, outcome: string, conduct?: Partial<Conduct>];

/** Beyond the terminal's patience for any command. */
const SLOW_MS = 90_000;

let world: World;
/** Several: what suspects hold of them adds up. */
const people: Person[] = [];
beforeAll(async () => {
  world = await openWorld();
  const branch = await world.terminal();
  await branch.start();
  for (let n = 0; n < 3; n += 1) people.push(await enrolled(branch, newFace(), { yen: 900_000 }));
  await branch.stop();
});

/** Stand side by side, since a case waits; each serves case after case, as terminals do, until something is left that a person has to see to. */
const TERMINALS = 5;
const terminals = Array.from({ length: TERMINALS }, () => ({
  whole: null as WholeTerminal | null,
  before: Promise.resolve<unknown>(undefined),
}));
afterAll(async () => {
  for (const { whole } of terminals) await whole?.close();
  await world.close();
});

interface Trial {
  readonly outcome: string;
  readonly armed: readonly string[];
}

let served = 0;
function trial(faults: readonly Fault[], conduct: Conduct): Promise<Trial> {
  const terminal = terminals[served % terminals.length]!;
  const person = people[served % people.length]!;
  served += 1;
  const done = terminal.before.then(async () => {
    terminal.whole ??= await openWholeTerminal(world);
    const { whole } = terminal;
    terminal.whole = null;
    let serves = false;
    try {
      const sofar = historyOf(whole);
      for (const fault of faults) whole.machine.atm.faults.arm(fault);
      await visits(whole, person, conduct);
      const armed = whole.machine.atm.faults.armed().map(({ fault }) => fault);
      const { ending, incidents } = await settles(whole, person, conduct, sofar, nextAfter(conduct, faults));
      serves = ending !== 'suspect' && incidents.length === 0 && (await isFilled(whole));
      return { outcome: [ending, ...incidents].join(' and '), armed };
    } finally {
      if (serves) terminal.whole = whole;
      else await whole.close();
    }
  });
  terminal.before = done.catch(() => undefined);
  return done;
}

/** Those who come next: the proof of their withdrawal settles what the one before left unconfirmed. */
const NEXT_WITHDRAWAL: Conduct = { service: 'withdraw', yen: 5_000 };
const NEXT_DEPOSIT: Conduct = { service: 'deposit', notes: { 1000: 1 } };

/** A fault that strikes at one command of the acceptor's is over with its connection; one of the mechanism may concern the way notes go out. */
function nextAfter({ service }: Conduct, faults: readonly Fault[]): readonly Conduct[] {
  if (service === 'withdraw') return [NEXT_WITHDRAWAL];
  return faults.every(({ command }) => command) ? [NEXT_DEPOSIT] : [NEXT_WITHDRAWAL, NEXT_DEPOSIT];
}

const command = (name: string, ...rows: readonly (readonly [fault: Fault, outcome: string])[]): Row[] =>
  rows.map(([fault, outcome]) => [{ ...fault, command: name }, outcome]);
const drop = (when: 'beforeAct' | 'afterAct'): Fault => ({ fault: 'connectionDrop', when });
const fails = (code: string): Fault => ({ fault: 'deviceFailure', code });
const SLOW: Fault = { fault: 'slowCompletion', delayMs: SLOW_MS };
/** Longer than a command, and then a device that starts anew, are waited for. */
const SILENT: Fault = { fault: 'slowCompletion', delayMs: 300_000 };
const HARMLESS = ['duplicateCompletion', 'strayCompletion', 'garbage', 'unknownFields'].map((fault) => ({ fault }));

const withdrawals: Row[] = [
  [{ fault: 'pickFailure', afterNotes: 0, failure: 'empty' }, 'not-paid'],
  [{ fault: 'pickFailure', afterNotes: 3 }, 'not-paid'],
  [{ fault: 'noteRejected', notes: 2 }, 'paid'],
  [{ fault: 'dispenseJam', afterNotes: 2 }, 'not-paid'],
  [{ fault: 'shutterStuck', when: 'opening' }, 'not-paid'],
  [{ fault: 'shutterStuck', when: 'closing' }, 'paid'],
  [{ fault: 'presentError', kind: 'noItems' }, 'not-paid'],
  [{ fault: 'presentError', kind: 'items', accessibleNotes: 2 }, 'suspect'],
  [{ fault: 'presentError', kind: 'items', accessibleNotes: 2 }, 'suspect', { takes: 'at once' }],
  [{ fault: 'presentError', kind: 'unknown', accessible: true }, 'suspect', { takes: 'at once' }],
  [{ fault: 'presentError', kind: 'unknown', accessible: false }, 'suspect'],
  [{ fault: 'sensorOff' }, 'paid'],
  [{ fault: 'takenDuringRetract', notes: 2 }, 'paid', { takes: 'never' }],
  [{ fault: 'retractUnitFull', roomNotes: 1 }, 'not-paid', { takes: 'never' }],
  [{ fault: 'retractUnitFull', roomNotes: 1, times: 2 }, 'suspect', { takes: 'never' }],
  [{ fault: 'uncountedRetract' }, 'suspect', { takes: 'never' }],
  [{ fault: 'foreignItems', position: 'output' }, 'suspect', { takes: 'never' }],
  [{ fault: 'nonceTimeout' }, 'not-paid'],
  // No proof of anything is to be had from it: the bank takes the terminal's word, and tells its staff.
  [{ fault: 'keysMissing' }, 'not-paid and dispense-unproven'],
  [{ fault: 'entryTimeout' }, 'none begun'],
  [{ fault: 'pinKeyLost' }, 'none begun'],
  [{ fault: 'paperOut' }, 'paid', { receipt: true }],
  [{ fault: 'paperLow' }, 'paid', { receipt: true }],
  [{ fault: 'paperJam' }, 'paid', { receipt: true }],
  [{ fault: 'ejectJam' }, 'paid', { receipt: true }],
  [{ fault: 'lightFailure' }, 'paid'],
  ...command(
    'CashDispenser.Dispense',
    [drop('beforeAct'), 'not-paid'],
    [drop('afterAct'), 'not-paid'],
    [SLOW, 'not-paid'],
    [SILENT, 'suspect'],
    [{ fault: 'lateResult' }, 'paid'],
    [fails('hardwareError'), 'not-paid'],
    [{ fault: 'missingCompletion' }, 'not-paid'],
    ...HARMLESS.map((fault) => [fault, 'paid'] as const),
  ),
  ...command(
    'CashDispenser.Present',
    [drop('beforeAct'), 'not-paid'],
    [drop('afterAct'), 'not-paid'],
    [SLOW, 'not-paid'],
    [{ fault: 'lateResult' }, 'paid'],
    [fails('fraudAttempt'), 'not-paid'],
    [{ fault: 'missingCompletion' }, 'not-paid'],
  ),
  ...command(
    'CashDispenser.Present',
    [drop('afterAct'), 'paid'],
    [{ fault: 'missingCompletion' }, 'paid'],
    [SLOW, 'paid'],
  ).map(([fault, outcome]): Row => [fault, outcome, { takes: 'at once' }]),
  ...command(
    'CashDispenser.GetPresentStatus',
    [drop('beforeAct'), 'not-paid'],
    [drop('afterAct'), 'not-paid'],
    [SLOW, 'not-paid'],
    [{ fault: 'missingCompletion' }, 'paid'],
    [fails('hardwareError'), 'paid'],
  ),
  ...command(
    'CashManagement.Retract',
    [drop('beforeAct'), 'not-paid'],
    [drop('afterAct'), 'not-paid'],
    [SLOW, 'not-paid'],
    [{ fault: 'missingCompletion' }, 'not-paid'],
  ).map(([fault, outcome]): Row => [fault, outcome, { takes: 'never' }]),
  ...command('Common.GetCommandNonce', [drop('afterAct'), 'no-nonce'], [{ fault: 'missingCompletion' }, 'no-nonce']),
  ...['CashManagement.ItemsTakenEvent', 'Common.StatusChangedEvent'].flatMap((event): Row[] => [
    [{ fault: 'missingEvent', event }, 'paid'],
    [{ fault: 'duplicateEvent', event }, 'paid'],
  ]),
];

const deposits: Row[] = [
  [{ fault: 'escrowFull', roomNotes: 2 }, 'stored'],
  [{ fault: 'refuseNotes', notes: 2 }, 'stored'],
  [{ fault: 'refuseNotes', notes: 5, reason: 'counterfeit' }, 'returned'],
  [{ fault: 'foreignItems', position: 'input' }, 'suspect'],
  [{ fault: 'cashInJam', afterNotes: 2 }, 'suspect'],
  [{ fault: 'cashInEndJam', afterNotes: 2 }, 'suspect'],
  [{ fault: 'shutterStuck', position: 'input', when: 'opening' }, 'returned'],
  [{ fault: 'shutterStuck', position: 'input', when: 'closing' }, 'suspect'],
  [{ fault: 'sensorOff', position: 'input' }, 'returned', { confirms: false }],
  [{ fault: 'rollbackJam', afterNotes: 2 }, 'suspect', { confirms: false }],
  [{ fault: 'paperOut' }, 'stored', { receipt: true }],
  [{ fault: 'ejectJam' }, 'stored', { receipt: true }],
  [{ fault: 'lightFailure' }, 'stored'],
  ...command(
    'CashAcceptor.CashInStart',
    [drop('beforeAct'), 'returned'],
    [drop('afterAct'), 'returned'],
    [SLOW, 'returned'],
    [fails('hardwareError'), 'returned'],
    [{ fault: 'missingCompletion' }, 'returned'],
  ),
  ...command(
    'CashAcceptor.CashIn',
    [drop('beforeAct'), 'returned'],
    [drop('afterAct'), 'returned'],
    [SLOW, 'returned'],
    [{ fault: 'lateResult' }, 'stored'],
    [fails('hardwareError'), 'returned'],
    [{ fault: 'missingCompletion' }, 'returned'],
  ),
  ...command(
    'CashAcceptor.CashInEnd',
    [drop('beforeAct'), 'returned'],
    [drop('afterAct'), 'stored'],
    [SLOW, 'stored'],
    [SILENT, 'suspect'],
    [{ fault: 'lateResult' }, 'stored'],
    [fails('fraudAttempt'), 'returned'],
    [{ fault: 'missingCompletion' }, 'stored'],
    ...HARMLESS.map((fault) => [fault, 'stored'] as const),
  ),
  ...command(
    'CashAcceptor.CashInRollback',
    [drop('beforeAct'), 'returned'],
    [drop('afterAct'), 'returned'],
    [SLOW, 'returned'],
    [{ fault: 'missingCompletion' }, 'returned'],
  ).map(([fault, outcome]): Row => [fault, outcome, { confirms: false }]),
  ...command(
    'CashAcceptor.GetCashInStatus',
    [drop('beforeAct'), 'returned'],
    [drop('afterAct'), 'returned'],
    [fails('hardwareError'), 'returned'],
    [{ fault: 'missingCompletion' }, 'returned'],
  ),
  ...[
    [{ fault: 'missingEvent', event: 'CashManagement.ItemsTakenEvent' }, 'returned', { confirms: false }] as const,
    [{ fault: 'duplicateEvent', event: 'CashManagement.ItemsTakenEvent' }, 'returned', { confirms: false }] as const,
    [{ fault: 'missingEvent', event: 'Common.StatusChangedEvent' }, 'stored'] as const,
    [{ fault: 'duplicateEvent', event: 'Common.StatusChangedEvent' }, 'stored'] as const,
  ],
];

const told = ({ fault, command, ...rest }: Fault) => {
  const more = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return [fault, ...(more.length > 0 ? [`(${more.join(', ')})`] : []), ...(command ? [`at ${command}`] : [])].join(' ');
};
const whose = ({ takes = 'when told', confirms = true }: Partial<Conduct>) => {
  if (!confirms) return 'given up, ';
  return { 'when told': '', 'at once': 'whose notes are grabbed at once, ', never: 'whose notes nobody takes, ' }[
    takes
  ];
};
const cases = (rows: readonly Row[]) =>
  rows.map(
    ([fault, outcome, conduct = {}]) =>
      [`${whose(conduct)}in which ${told(fault)} strikes`, outcome, fault, conduct] as const,
  );

const WITHDRAWAL: Conduct = { service: 'withdraw', yen: 23_000 };
const DEPOSIT: Conduct = { service: 'deposit', notes: { 1000: 3, 10000: 2 } };

describe.each([
  ['a withdrawal', WITHDRAWAL, withdrawals, 'paid'],
  ['a deposit', DEPOSIT, deposits, 'stored'],
] as const)('%s', (_, usual, rows, well) => {
  it.concurrent.each(cases(rows))('%s is %s', async (_name, outcome, fault, conduct) => {
    expect(await trial([fault], { ...usual, ...conduct })).toEqual({ outcome, armed: [] });
  });

  it(`is ${well} whatever else could fail that it does not use`, async () => {
    const used = new Set(rows.map(([{ fault }]) => fault));
    const others = [...CASH_FAULTS, ...PERIPHERAL_FAULTS].map(({ name }) => name).filter((name) => !used.has(name));
    const faults = others.map((fault) => ({ fault, ...(fault === 'presentError' ? { kind: 'unknown' } : {}) }));
    expect(await trial(faults, usual)).toEqual({ outcome: well, armed: others });
  });

  it('meets every fault of the wire', () => {
    const met = new Set(rows.map(([{ fault }]) => fault));
    expect(WIRE_FAULTS.map(({ name }) => name).filter((name) => !met.has(name))).toEqual([]);
  });
});
