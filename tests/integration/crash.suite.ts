/**
 * `npm run crash` in small: the real programs, one of them killed (SIGKILL) at a moment of each kind, and the sums afterwards; and
 * that the checker of those sums can fail.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DemoDevices } from '../../scripts/demo/devices.ts';
import { type Run, violations } from '../crash/check.ts';
import { crash, type RunResult } from '../crash/crash.ts';
import { deed } from '../crash/customer.ts';
import type { Observed, Transaction } from '../crash/observe.ts';
import type { PlannedRun } from '../crash/plan.ts';
import { line } from '../crash/report.ts';
import type { Terminal } from '../crash/world.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-crash-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const planned = (aim: Pick<PlannedRun, 'service' | 'victim' | 'moment'>): PlannedRun => ({
  ...aim,
  terminal: 'atm',
  delayMs: 0,
  awayMs: 0,
  grabs: false,
  intention: {
    service: aim.service,
    amountMinor: 3_000,
    notes: [{ denominationMinor: 1_000, count: 2 }],
    takes: 'all',
    confirms: true,
  },
});

it('whichever process is killed, and wherever a transaction stands, every yen is accounted for', {
  timeout: 300_000,
}, async ({ signal }) => {
  const results: RunResult[] = [];
  await crash({
    runs: 5,
    seed: 1,
    runsPerWorld: 5,
    services: ['withdraw', 'deposit', 'transfer'],
    dir,
    plan: [
      planned({ service: 'withdraw', victim: 'terminal', moment: 'presenting' }),
      planned({ service: 'withdraw', victim: 'bank', moment: 'authorising' }),
      planned({ service: 'deposit', victim: 'terminal', moment: 'storing' }),
      planned({ service: 'transfer', victim: 'bank', moment: 'sending' }),
      // Last: a busy machine takes its time until its devices are back, and the withdrawal that closes a world waits for that.
      planned({ service: 'withdraw', victim: 'devices', moment: 'dispensing' }),
    ],
    onResult: (result) => results.push(result),
    signal, // So that a test that ran out of time leaves no process behind.
  });
  expect(results.filter((result) => result.violations.length > 0).map(line)).toEqual([]);
  expect(results.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  expect(results.filter(({ moment }) => moment === 'nothing begun').map(line)).toEqual([]);
});

it('hands at a machine that was just killed find it dark, and the run goes on', async ({ signal }) => {
  // What there is of a machine between its end and its next start.
  const terminal = {
    machine: new DemoDevices({ dir, profile: 'atm', log: join(dir, 'devices.log'), dialect: [], speed: 1 }),
  } as unknown as Terminal;
  expect(await deed(terminal, '/api/notes/insert', { notes: [] }, signal)).toBe('broken-off');
});

describe('the checker', () => {
  const cash = (machineMinor: number, handMinor: number, somewhere = 100, retractMinor = 0) => ({
    came: { 'type1000JPY1/fit': 100 },
    somewhere: { 'type1000JPY1/fit': somewhere },
    cameMinor: 100_000,
    machineMinor,
    retractMinor,
    handMinor,
    exitMinor: 0,
    returnMinor: 0,
  });
  const observed = (change: {
    machineMinor: number;
    handMinor: number;
    somewhere?: number;
    retractMinor?: number;
    customerMinor: number;
    transactions?: readonly Partial<Transaction>[];
    entries?: Observed['books']['entries'];
    books?: Partial<Observed['books']>;
    journal?: Partial<Observed['terminals'][number]['journal']>;
    resultsAtBank?: readonly string[];
  }): Observed => ({
    books: {
      balanced: true,
      customerMinor: change.customerMinor,
      payeeMinor: 0,
      cashMinor: { T: change.customerMinor },
      entries: change.entries ?? [],
      held: [],
      dispenses: [],
      incidents: [],
      ...change.books,
    },
    terminals: [
      {
        name: 'atm',
        terminalId: 'T',
        cash: cash(change.machineMinor, change.handMinor, change.somewhere, change.retractMinor),
        journal: {
          integrity: 'ok',
          transactions: (change.transactions ?? []).map((one) => ({
            transactionId: 'A',
            service: 'withdraw',
            amountMinor: 3_000,
            state: 'paid',
            final: true,
            why: null,
            ...one,
          })),
          results: 1,
          waiting: 0,
          deadLetters: 0,
          ...change.journal,
        },
        chain: { results: 1, verified: true, problem: null },
        resultsAtBank: change.resultsAtBank ?? ['R'],
      },
    ],
  });
  const run = {
    terminal: 'atm',
    victim: 'terminal' as const,
    intention: { service: 'withdraw' as const, amountMinor: 3_000, takes: 'all' as const, confirms: true },
    visit: { insertedMinor: 0, unsureMinor: 0, said: null, ended: true },
  } satisfies Run;
  const before = observed({ machineMinor: 90_000, handMinor: 10_000, customerMinor: 5_000 });
  const entry = { transactionId: 'A', kind: 'withdraw', customerMinor: -3_000 };
  const honest = {
    machineMinor: 87_000,
    handMinor: 13_000,
    customerMinor: 2_000,
    transactions: [{}],
    entries: [entry],
  };

  it('finds nothing in an honest withdrawal', () => {
    expect(violations(before, observed(honest), run)).toEqual([]);
  });

  it('finds nothing in a suspect that is held and not booked', () => {
    const suspect = {
      ...honest,
      customerMinor: 5_000,
      transactions: [{ state: 'suspect', final: false }],
      entries: [],
      books: { held: [{ transactionId: 'A', amountMinor: 3_000 }] },
    };
    expect(violations(before, observed(suspect), run)).toEqual([]);
  });

  it.each([
    ['a note that is nowhere', { somewhere: 99 }, '100 of type1000JPY1/fit came, 99 are somewhere'],
    ['notes handed out and not charged', { customerMinor: 5_000 }, 'the customer was charged 0'],
    ['a charge without notes', { machineMinor: 90_000, handMinor: 10_000 }, 'the customer was charged 3000'],
    ['a charge booked twice', { entries: [entry, entry] }, 'has the entries withdraw, withdraw'],
    ['an end that was not booked', { entries: [] }, 'a withdraw paid has no entry'],
    ['an entry of nothing', { entries: [entry, { ...entry, transactionId: 'B' }] }, 'which no journal has'],
    ['a transaction left open', { transactions: [{ state: 'presented', final: false }] }, 'is still open'],
    ['money held for what is over', { books: { held: [{ transactionId: 'A', amountMinor: 1 }] } }, 'that is over'],
    ['a suspect without its hold', { transactions: [{ state: 'suspect', final: false }] }, 'holds nothing'],
    ['books that do not balance', { books: { balanced: false } }, 'do not balance'],
    ['a result that is not at the bank', { resultsAtBank: [] }, '1 results were signed, 0 are at the bank'],
    ['a message that never arrives', { journal: { waiting: 1 } }, '1 messages still wait'],
    ['a message set aside', { journal: { deadLetters: 1 } }, '1 messages were set aside'],
    ['a damaged journal', { journal: { integrity: 'row 7 missing' } }, 'the journal is damaged'],
    ['what the bank noticed', { books: { incidents: ['dispense-unproven: x'] } }, 'dispense-unproven'],
  ])('finds %s', (_what, lie, sentence) => {
    expect(violations(before, observed({ ...honest, ...lie }), run).join('\n')).toContain(sentence);
  });

  const transfer = { ...run, intention: { ...run.intention, service: 'transfer' as const } };
  const transferred = {
    machineMinor: 90_000,
    handMinor: 10_000,
    customerMinor: 2_000,
    transactions: [{ service: 'transfer', state: 'posted' }],
    entries: [{ transactionId: 'A', kind: 'transfer', customerMinor: 0 }],
    books: { payeeMinor: 3_000, cashMinor: { T: 5_000 } },
  };

  it('finds nothing in an honest transfer, nor in one that was never made and left the customer in doubt', () => {
    expect(violations(before, observed(transferred), transfer)).toEqual([]);
    const said = { name: 'sorry', service: 'transfer', code: 'transfer-open' } as never;
    const open = { ...transfer, visit: { ...run.visit, said } };
    expect(violations(before, observed(transferred), open)).toEqual([]);
    const never = { ...transferred, customerMinor: 5_000, entries: [], books: {} };
    const transactions = [{ service: 'transfer', state: 'not-posted' }];
    expect(violations(before, observed({ ...never, transactions }), open)).toEqual([]);
  });

  it.each([
    ['that arrived twice', { books: { payeeMinor: 6_000 } }, '6000 arrived at the payee, and 3000 was sent'],
    ['that was charged and did not arrive', { books: { payeeMinor: 0 } }, '0 arrived at the payee, and 3000 was sent'],
    ['that arrived and was not charged', { customerMinor: 5_000 }, 'a transfer is posted, and 0 was charged'],
    [
      'that was made and never ended',
      { transactions: [{ service: 'transfer', state: 'not-posted' }] },
      '3000 was charged',
    ],
    ['that is suspect', { transactions: [{ service: 'transfer', state: 'suspect', final: false }] }, 'asks no device'],
    ['that moved notes', { machineMinor: 89_000, handMinor: 11_000 }, 'notes moved in a transfer'],
    ['without its entry', { entries: [] }, 'a transfer posted has no entry'],
  ])('finds a transfer %s', (_what, lie, sentence) => {
    expect(violations(before, observed({ ...transferred, ...lie }), transfer).join('\n')).toContain(sentence);
  });

  it('finds a transfer that was made and of which the customer was told that it was not', () => {
    const said = { name: 'sorry', service: 'transfer', code: 'failed' } as never;
    const told = { ...transfer, visit: { ...run.visit, said } };
    expect(violations(before, observed(transferred), told).join()).toContain('was told "sorry" of a transfer');
  });

  it('knows notes given back that nobody took by the retract unit, and not by what is said of them', () => {
    const left = {
      machineMinor: 92_000,
      handMinor: 10_000,
      customerMinor: 5_000,
      transactions: [{ service: 'deposit', amountMinor: null, state: 'retracted' }],
    };
    const given = { ...run, intention: { ...run.intention, service: 'deposit' as const } };
    const came = (somewhere: Observed): Observed => ({
      ...somewhere,
      terminals: somewhere.terminals.map((one) => ({ ...one, cash: one.cash && { ...one.cash, cameMinor: 102_000 } })),
    });
    const visit = { ...run.visit, insertedMinor: 2_000 };
    const then = (retractMinor: number) => came(observed({ ...left, retractMinor }));
    expect(violations(before, then(2_000), { ...given, visit })).toEqual([]);
    expect(violations(before, then(0), { ...given, visit }).join()).toContain('no retract unit has more than before');
    expect(violations(before, then(1_000), { ...given, visit }).join()).toContain('the machine gained 2000');
  });

  it('finds a customer who was told otherwise', () => {
    const said = { name: 'done', service: 'withdraw', amount: { amountMinor: 4_000, currency: 'JPY' } } as never;
    expect(violations(before, observed(honest), { ...run, visit: { ...run.visit, said } }).join()).toContain(
      'was told 4000, moved 3000',
    );
  });
});
