/** Deposits at a whole terminal. What the device stored is credited, nothing else; every other note is the customer's again. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LOAD } from '../../../src-main/devices/simulated/cash-state.ts';
import type { FaultOrder } from '../../../src-main/devices/simulated/faults.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, registered } from '../../support/visits.ts';

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal();
  await atm.start();
  person = await registered(atm, newFace());
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

const break_ = (fault: string, more: Partial<FaultOrder> = {}) =>
  atm.run.simulated.control.armFault({ device: 'cash-acceptor', fault, ...more });
const begins = async () => {
  await atm.run.customer.chooses('deposit');
  await atm.run.customer.sees('insert-cash');
};
const credited = async () => (await world.balanceOf(person.personId))?.ledger;
const cash = () => atm.run.simulated.control.state().cash!;
const takenBackMinor = () => cash().conservation.takenBackMinor;
const isOffered = async () => {
  await atm.run.customer.sees('attract');
  await atm.run.customer.does('begin');
  const { services } = await atm.run.customer.sees('menu');
  await atm.run.customer.cancels();
  return services.find((one) => one.service === 'deposit');
};

describe('notes put in', () => {
  test('are counted, agreed to, stored and credited, and the receipt says when', async () => {
    const { customer, simulated } = atm.run;
    await begins();
    expect(simulated.control.state().lights.cashInput).toBe('slowFlash');
    await customer.inserts({ 1000: 3, 10000: 2 });
    await customer.confirms();
    expect(await customer.sees('confirm-deposit')).toEqual({
      name: 'confirm-deposit',
      notes: [
        { denominationMinor: 1_000, count: 3 },
        { denominationMinor: 10_000, count: 2 },
      ],
      amount: { amountMinor: 23_000, currency: 'JPY' },
      refusedNotes: 0,
    });
    expect(simulated.control.state().lights.cashInput).toBe('off');
    expect(await credited()).toBe(0);
    await customer.confirms();
    await customer.wantsReceipt();
    expect(await customer.sees('done')).toMatchObject({
      service: 'deposit',
      amount: { amountMinor: 23_000 },
      receipt: 'printed',
      standIn: false,
    });
    const [receipt] = await simulated.control.receipts();
    // Named by when it was printed, UTC.
    expect(receipt?.name.slice(0, 11)).toBe(
      new Date(world.clock.now()).toISOString().replaceAll(/[-:]/g, '').slice(0, 11),
    );
    await reckon(atm);
    expect(await credited()).toBe(23_000);
  });

  test('in several bunches are one deposit', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 1000: 1 });
    await customer.inserts({ 5000: 1 });
    await customer.confirms();
    await customer.sees('confirm-deposit', { amount: { amountMinor: 6_000, currency: 'JPY' } as never });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await credited()).toBe(6_000);
  });

  test('one after the other, slowly, are time enough: each is a sign of life', async () => {
    const { customer } = atm.run;
    await begins();
    for (let bunch = 0; bunch < 4; bunch += 1) {
      await customer.waits(30_000);
      await customer.inserts({ 1000: 1 });
    }
    await customer.confirms();
    await customer.sees('confirm-deposit', { amount: { amountMinor: 4_000, currency: 'JPY' } as never });
    await customer.cancels();
    await customer.takesReturned();
    await customer.sees('attract');
    await reckon(atm);
  });

  test('that are no money come back, and the rest counts', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 1000: 2 }, 1);
    await customer.sees('insert-cash', { problem: 'refused-notes' });
    await customer.takesReturned();
    await customer.confirms();
    await customer.sees('confirm-deposit', {
      refusedNotes: 1,
      amount: { amountMinor: 2_000, currency: 'JPY' } as never,
    });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await credited()).toBe(2_000);
  });

  test('that are refused and still lie there are taken before the rest is stored', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 1000: 2 }, 1);
    await customer.confirms();
    await customer.sees('take-returned', { which: 'refused', refusedNotes: 1 });
    await customer.takesReturned();
    await customer.sees('confirm-deposit', { amount: { amountMinor: 2_000, currency: 'JPY' } as never });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await credited()).toBe(2_000);
  });

  test.each(['left there', 'answered with "cancel"'])('that are refused and %s end the deposit', async (how) => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 1000: 2 }, 1);
    await customer.confirms();
    await customer.sees('take-returned', { which: 'refused' });
    if (how !== 'left there') await customer.cancels();
    await customer.sees('take-returned', { which: 'all' });
    if (how !== 'left there') await customer.takesReturned();
    await customer.sees(how === 'left there' ? 'sorry' : 'attract', how === 'left there' ? { code: 'notes-kept' } : {});
    await reckon(atm);
    expect([await credited(), takenBackMinor()]).toEqual([0, how === 'left there' ? 0 : 2_000]);
    // Whoever comes next finds an empty slot.
    expect((await atm.run.devices.cashAcceptor?.status(AbortSignal.timeout(5_000)))?.inputPosition).toBe('empty');
  });

  test('that are all refused make no deposit', async () => {
    const { customer } = atm.run;
    break_('refuse-notes');
    await begins();
    await customer.inserts({ 10000: 3 });
    await customer.sees('insert-cash', { problem: 'refused-notes' });
    await customer.takesReturned();
    await customer.confirms();
    await customer.sees('insert-cash', { problem: 'nothing-inserted' });
    await customer.cancels();
    await customer.sees('attract');
    await reckon(atm);
    expect(await credited()).toBe(0);
    expect(takenBackMinor()).toBe(30_000);
  });

  test('beyond what the escrow takes come back, and the rest counts', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 1000: 1 });
    break_('escrow-full');
    await customer.inserts({ 1000: 5 });
    await customer.takesReturned();
    await customer.confirms();
    await customer.sees('confirm-deposit', { amount: { amountMinor: 1_000, currency: 'JPY' } as never });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await credited()).toBe(1_000);
  });
});

describe('a machine that is nearly full', () => {
  /** What each unit has room for; units that are not named have plenty. */
  const withRoom = async (room: Readonly<Record<string, number>>, run: () => Promise<void>) => {
    await atm.dispose();
    const load = DEFAULT_LOAD.map((unit) => ({ ...unit, capacity: unit.count + (room[unit.id] ?? 500) }));
    // A mixed unit holds at least one note, so one is full only once it was filled.
    atm = await world.terminal('atm', { load: load.filter(({ id }) => room[id] !== 0 || id !== 'CIN') });
    await atm.start();
    person = await registered(atm, newFace());
    await run();
  };

  test('says how many notes it takes now, takes those, and gives the others back', async () => {
    await withRoom({ CST1: 3, CST2: 40, CST3: 30, CIN: 2 }, async () => {
      const { customer } = atm.run;
      await begins();
      expect(await customer.sees('insert-cash')).toMatchObject({ maxNotes: 5, fullFor: [] });
      await customer.inserts({ 1000: 8 });
      expect(await customer.sees('insert-cash', { problem: 'no-room' })).toMatchObject({ maxNotes: 5 });
      await customer.takesReturned();
      await customer.confirms();
      expect(await customer.sees('confirm-deposit')).toMatchObject({ amount: { amountMinor: 5_000 }, refusedNotes: 3 });
      await customer.confirms();
      await customer.wantsReceipt(false);
      await customer.sees('done');
      await customer.confirms();
      await reckon(atm);
      expect(await credited()).toBe(5_000);
      expect(takenBackMinor()).toBe(3_000);
    });
  });

  test('names the notes it has no room for, and takes the others', async () => {
    await withRoom({ CST1: 50, CST2: 20, CST3: 0, CIN: 0 }, async () => {
      const { customer } = atm.run;
      await begins();
      expect(await customer.sees('insert-cash')).toMatchObject({ maxNotes: 20, fullFor: [10_000] });
      await customer.inserts({ 1000: 2, 10000: 1 });
      await customer.sees('insert-cash', { problem: 'no-room' });
      await customer.takesReturned();
      await customer.confirms();
      await customer.sees('confirm-deposit', { amount: { amountMinor: 2_000, currency: 'JPY' } as never });
      await customer.confirms();
      await customer.wantsReceipt(false);
      await customer.sees('done');
      await reckon(atm);
      expect(takenBackMinor()).toBe(10_000);
    });
  });

  test('takes its last note, and then offers no deposit, only everything else', async () => {
    await withRoom({ CST1: 1, CST2: 0, CST3: 0, CIN: 0 }, async () => {
      const { customer } = atm.run;
      await begins();
      expect(await customer.sees('insert-cash')).toMatchObject({ maxNotes: 1, fullFor: [5_000, 10_000] });
      await customer.inserts({ 1000: 1 });
      await customer.confirms();
      await customer.sees('confirm-deposit');
      await customer.confirms();
      await customer.wantsReceipt(false);
      await customer.sees('done');
      expect(await isOffered()).toMatchObject({ available: false, reason: 'machine-full' });
      await customer.chooses('deposit');
      await customer.sees('sorry', { code: 'machine-full' });
      expect(customer.view.offers).not.toContain('retry');
      await customer.cancels();
      expect(atm.run.journal.openTransactions()).toEqual([]);
      await reckon(atm);
      expect(await credited()).toBe(1_000);
    });
  });

  test('that says nothing of its units while it should is not trusted with notes', async () => {
    const { customer } = atm.run;
    const acceptor = atm.run.devices.cashAcceptor!;
    Object.assign(acceptor, { status: () => Promise.reject(new Error('no answer')) });
    await customer.chooses('deposit');
    await customer.sees('sorry', { code: 'device-unavailable' });
    expect(atm.run.journal.transactions({ limit: 1 })[0]?.service).not.toBe('deposit');
  });
});

describe('notes that do not become a deposit', () => {
  test.each(['while inserting', 'at the count'])('are given back to who cancels %s', async (when) => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 3 });
    if (when === 'at the count') {
      await customer.confirms();
      await customer.sees('confirm-deposit');
    }
    await customer.cancels();
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('attract');
    await reckon(atm);
    expect(await credited()).toBe(0);
    expect(takenBackMinor()).toBe(30_000);
  });

  test('are given back when nobody answers any more', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 1 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('attract');
    await reckon(atm);
    expect(await credited()).toBe(0);
  });

  test('are given back when they are more than one deposit may be', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 101 });
    await customer.confirms();
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('sorry', { code: 'over-limit' });
    await reckon(atm);
    expect(await credited()).toBe(0);
  });

  test('do not exist when nothing was put in', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.cancels();
    await customer.sees('attract');
    await reckon(atm);
    expect(atm.run.journal.openTransactions()).toEqual([]);
  });

  test.each([
    ['jam-on-count', {}],
    ['answer-lost', { command: 'cashInStop' }],
  ])('because of %s are given back', async (fault, more) => {
    const { customer } = atm.run;
    await begins();
    break_(fault, more);
    const notes = [{ denominationMinor: 1_000, count: 4 }];
    expect(await atm.run.simulated.control.insertNotes(notes, { waitMs: 1_000 })).toEqual({ ok: true });
    await customer.waits(1_000);
    await customer.confirms();
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('sorry', { code: 'deposit-failed' });
    await reckon(atm);
    expect(await credited()).toBe(0);
  });

  test('because the input does not open are never taken', async () => {
    const { customer } = atm.run;
    break_('tray-blocked');
    await customer.chooses('deposit');
    await customer.sees('sorry', { code: 'deposit-failed' });
    await reckon(atm);
  });
});

describe('notes given back that nobody takes', () => {
  const leaves = async (notes: Readonly<Record<number, number>>, unrecognised = 0) => {
    await begins();
    await atm.run.customer.inserts(notes, unrecognised);
    await atm.run.customer.cancels();
    await atm.run.customer.sees('take-returned');
  };
  const last = () => atm.run.journal.transactions({ limit: 1 })[0]!;
  const binMinor = () =>
    cash()
      .units.filter(({ kind }) => kind === 'retract')
      .flatMap(({ notes = [] }) => notes)
      .reduce((sum, { denominationMinor, count }) => sum + denominationMinor * count, 0);

  test('are taken back after the wait, kept in the retract bin, and booked nowhere', async () => {
    const { customer } = atm.run;
    await leaves({ 10000: 3 });
    expect(last()).toMatchObject({ state: 'given-back', final: false });
    await customer.sees('sorry', { code: 'notes-kept' });
    expect(customer.view.offers).not.toContain('retry');
    await customer.cancels();
    expect(last().events.map(({ state }) => state)).toEqual([
      'begun',
      'accepting',
      'returning',
      'given-back',
      'retracting',
      'retracted',
    ]);
    expect(last().events.at(-1)?.detail).toEqual({
      notes: [{ denominationMinor: 10_000, count: 3 }],
      retracted: [{ denominationMinor: 10_000, count: 3 }],
    });
    expect([binMinor(), takenBackMinor(), await credited()]).toEqual([30_000, 0, 0]);
    await reckon(atm);
    expect((await world.entries()).filter(({ terminalId }) => terminalId === atm.run.terminalId)).toEqual([]);
    // Whoever comes next finds an empty slot.
    await begins();
    await customer.inserts({ 1000: 1 });
    await customer.cancels();
    await customer.takesReturned();
    await customer.sees('attract');
  });

  test('and refused ones that were all, are taken back too', async () => {
    break_('refuse-notes');
    await leaves({ 1000: 2 }, 1);
    await atm.run.customer.sees('sorry', { code: 'notes-kept' });
    expect(last()).toMatchObject({ state: 'retracted', final: true });
    expect(binMinor()).toBe(2_000);
    await reckon(atm);
  });

  test('into a retract bin without room leave one suspect, for they lie where anybody may take them', async () => {
    await atm.dispose();
    const load = DEFAULT_LOAD.map((unit) => (unit.kind === 'retract' ? { ...unit, capacity: 2 } : unit));
    atm = await world.terminal('atm', { load });
    await atm.start();
    person = await registered(atm, newFace());
    await leaves({ 1000: 3 });
    await atm.run.customer.sees('sorry', { code: 'suspect' });
    await reckon(atm, { suspects: 1 });
    expect(await isOffered()).toMatchObject({ available: false, reason: 'device-unavailable' });
  });

  test('are asked for when the answer to "take back" is lost', async () => {
    await leaves({ 1000: 3 });
    break_('answer-lost', { command: 'retract' });
    await atm.run.customer.sees('sorry', { code: 'notes-kept' });
    expect(last().events.filter(({ state }) => state === 'retracting')).toHaveLength(1);
    await reckon(atm);
  });
});

describe('answers that are lost', () => {
  test('to "store" are asked for: what was stored is credited', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 2 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    break_('answer-lost', { command: 'cashInEnd' });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done', { amount: { amountMinor: 20_000, currency: 'JPY' } as never });
    await reckon(atm);
    expect(await credited()).toBe(20_000);
  });

  test('to "give back" are asked for: what was given back is not credited', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 2 });
    break_('answer-lost', { command: 'cashInRollback' });
    await customer.cancels();
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('attract');
    await reckon(atm);
    expect(await credited()).toBe(0);
  });

  test('to "start" do not keep the notes', async () => {
    const { customer } = atm.run;
    break_('answer-lost', { command: 'cashInStart' });
    await begins();
    await customer.inserts({ 10000: 2 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await credited()).toBe(20_000);
  });

  test('of the bank do not credit twice', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 2 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    world.disturb('answer-lost', '/v1/deposits', 3);
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await customer.waits(60_000);
    await reckon(atm);
    expect(await credited()).toBe(20_000);
    expect((await world.entries()).filter(({ terminalId }) => terminalId === atm.run.terminalId)).toHaveLength(1);
  });

  test('of a bank that went away leave the deposit done, and it is credited later', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 2 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    world.disturb('no-answer', '/v1/', Number.POSITIVE_INFINITY);
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done', { amount: { amountMinor: 20_000, currency: 'JPY' } as never });
    expect(await credited()).toBeLessThanOrEqual(20_000);
    await reckon(atm);
    expect(await credited()).toBe(20_000);
  });
});

describe('notes that nobody can say the whereabouts of', () => {
  test.each([
    ['jam-on-store', 'confirms'],
    ['jam-on-return', 'cancels'],
  ] as const)('after a %s leave one suspect with its evidence, and no more deposits', async (fault, deed) => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 4 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    break_(fault);
    await customer[deed]();
    await customer.sees('sorry', { code: 'suspect' });
    expect(customer.view.offers).not.toContain('retry');
    await customer.cancels();
    await reckon(atm, { suspects: 1 });
    expect(await credited()).toBe(0);
    const [suspect] = atm.run.journal.openTransactions();
    expect(suspect?.events.at(-1)?.detail).toMatchObject({
      status: { state: 'unknown', notes: [{ denominationMinor: 10_000, count: 4 }] },
    });
    expect(await isOffered()).toMatchObject({ available: false, reason: 'device-unavailable' });
    await atm.stop();
    await atm.start();
    await reckon(atm, { suspects: 1 });
    expect(await isOffered()).toMatchObject({ available: false, reason: 'device-unavailable' });
  });

  test('in an acceptor that went away leave one suspect', async () => {
    const { customer } = atm.run;
    await begins();
    await customer.inserts({ 10000: 1 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    break_('gone', { mode: 'untilCleared' });
    await customer.confirms();
    await customer.sees('sorry', { code: 'suspect' });
    await reckon(atm, { suspects: 1 });
  });
});
