/** Withdrawals at a whole terminal. After each, machine, journal and bank agree to the yen, or one suspect says why not. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultOrder } from '../../../src-main/devices/simulated/faults.ts';
import { obeying } from '../../support/obeying.ts';
import { reckon } from '../../support/reckoning.ts';
import { blurred, living, newFace, pictureOf } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

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
  person = await registered(atm, newFace(), { yen: 100_000 });
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

const break_ = (fault: string, more: Partial<FaultOrder> = {}) =>
  atm.run.simulated.control.armFault({ device: 'cash-dispenser', fault, ...more });
/** Up to the PIN. */
const asks = async (yen: number) => {
  await atm.run.customer.chooses('withdraw');
  await atm.run.customer.asksFor(yen);
  await atm.run.customer.sees('pin', { purpose: 'verify' });
};
const left = async () => await world.balanceOf(person.personId);
const lastState = () => atm.run.journal.transactions({ limit: 1 })[0]?.state;
const isOffered = async (service: string) => {
  await atm.run.customer.sees('attract');
  await atm.run.customer.does('begin');
  const { services } = await atm.run.customer.sees('menu');
  await atm.run.customer.cancels();
  return services.find((one) => one.service === service);
};

describe('what the customer gets', () => {
  test('is what was asked for, and exactly that is charged', async () => {
    const { customer } = atm.run;
    await asks(20_000);
    await customer.keys(PIN);
    expect(await customer.sees('take-cash')).toMatchObject({ amount: { amountMinor: 20_000 } });
    expect(atm.run.simulated.control.state().lights.cashOutput).toBe('quickFlash');
    await customer.takesCash();
    expect(await customer.sees('receipt')).toMatchObject({ balance: { amountMinor: 80_000 } });
    expect(atm.run.simulated.control.state().lights.cashOutput).toBe('off');
    await customer.wantsReceipt();
    expect(await customer.sees('done')).toMatchObject({
      service: 'withdraw',
      amount: { amountMinor: 20_000 },
      balance: { amountMinor: 80_000 },
      receipt: 'printed',
      standIn: false,
    });
    expect(await atm.run.simulated.control.receipts()).toHaveLength(1);
    await customer.sees('attract');
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 80_000, available: 80_000 });
    expect(atm.run.simulated.control.state().cash?.conservation.takenMinor).toBe(20_000);
  });

  test('comes without a receipt where there is no paper, and nobody waits for it', async () => {
    const { customer, simulated } = atm.run;
    simulated.control.setPaper(0);
    await asks(1_000);
    await customer.keys(PIN);
    await customer.takesCash();
    expect(await customer.sees('done')).toMatchObject({ receipt: 'unavailable' });
    await reckon(atm);
  });

  test('is settled before a printer that never answers is given up', async () => {
    const { customer, simulated } = atm.run;
    simulated.control.armFault({ device: 'receipt-printer', fault: 'answer-lost' });
    await asks(1_000);
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt();
    expect(await customer.sees('done')).toMatchObject({ receipt: 'unavailable' });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 99_000, available: 99_000 });
  });

  test('is never more than the account has', async () => {
    const { customer } = atm.run;
    atm.run.camera.acting = obeying(() => customer.view);
    await asks(101_000);
    await customer.keys(PIN);
    expect(await customer.sees('sorry')).toMatchObject({ code: 'insufficient-funds', madeWhole: null });
    await customer.cancels();
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
  });

  test.each([
    [1_500, 'cannot-make-amount', [1_000, 2_000]],
    [600_000, 'over-limit', [500_000]],
    [0, 'cannot-make-amount', [1_000, 2_000]],
  ])('cannot be %i yen, and the screen says what can', async (yen, reason, nearest) => {
    const { customer } = atm.run;
    await customer.chooses('withdraw');
    await customer.asksFor(yen);
    const { refused } = await customer.sees('amount', { refused: { askedMinor: yen, reason } as never });
    expect(refused?.possibleMinor).toEqual(expect.arrayContaining(nearest.slice(0, 1)));
    for (const possible of refused?.possibleMinor ?? []) expect(possible).toBeLessThanOrEqual(500_000);
    await customer.cancels();
    await customer.sees('attract');
    expect(lastState()).toBeUndefined();
    await reckon(atm);
  });

  test('can be made of what the cassettes have left', async () => {
    const poor = await world.terminal('atm', {
      load: [
        { id: 'CST1', kind: 'recycle', denominationMinor: 1_000, count: 0, capacity: 100 },
        { id: 'CST2', kind: 'recycle', denominationMinor: 5_000, count: 3, capacity: 100 },
        { id: 'CST3', kind: 'recycle', denominationMinor: 10_000, count: 2, capacity: 100 },
        { id: 'CIN', kind: 'cashIn', denominationMinor: null, count: 0, capacity: 100 },
        { id: 'REJ', kind: 'reject', denominationMinor: null, count: 0, capacity: 100 },
        { id: 'RET', kind: 'retract', denominationMinor: null, count: 0, capacity: 100 },
      ],
    });
    const { customer, sync } = await poor.start();
    await sync.pull(new AbortController().signal);
    customer.comes(person.face);
    await customer.chooses('withdraw');
    expect(await customer.sees('amount')).toMatchObject({
      choices: [5_000, 10_000, 20_000, 30_000],
      stepMinor: 5_000,
      maxMinor: 35_000,
    });
    await customer.asksFor(3_000);
    expect((await customer.sees('amount', { refused: { askedMinor: 3_000 } as never })).refused).toMatchObject({
      reason: 'cannot-make-amount',
      possibleMinor: [5_000, 10_000, 15_000, 20_000],
    });
    await customer.asksFor(35_000);
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(poor);
    await poor.dispose();
  });
});

describe('who gets it', () => {
  test('is somebody who knows the PIN: a wrong one moves nothing, and the right one then does', async () => {
    const { customer } = atm.run;
    await asks(5_000);
    await customer.keys('1357E');
    expect(await customer.sees('pin', { problem: 'wrong' })).toMatchObject({ attemptsLeft: 2, digits: 0 });
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 95_000, available: 95_000 });
  });

  test('is nobody after three wrong PINs: locked, here and for every service', async () => {
    const { customer } = atm.run;
    await asks(5_000);
    for (const attemptsLeft of [2, 1]) {
      await customer.keys('1357E');
      await customer.sees('pin', { problem: 'wrong', attemptsLeft });
    }
    await customer.keys('1357E');
    await customer.sees('sorry', { code: 'pin-locked' });
    expect(customer.view.offers).not.toContain('retry');
    await customer.cancels();
    await asks(5_000);
    await customer.keys(PIN);
    await customer.sees('sorry', { code: 'pin-locked' });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
  });

  test('is nobody who gives up at the PIN after a wrong one', async () => {
    const { customer } = atm.run;
    await asks(5_000);
    await customer.keys('1357E');
    await customer.sees('pin', { problem: 'wrong' });
    await customer.keys('C');
    await customer.sees('sorry', { code: 'pin-cancelled' });
    expect(lastState()).toBe('cancelled');
    await reckon(atm);
  });

  test.each([
    ['a stranger', 'nobody', () => atm.run.customer.comes(newFace())],
    ['a picture of the customer', 'presentation-attack', () => atm.run.customer.stands(pictureOf(person.face))],
    ['two people', 'several-faces', () => atm.run.customer.stands(living(person.face), living(newFace()))],
    ['nobody at all', 'no-face', () => atm.run.customer.leaves()],
    ['a face that is never sharp', 'poor-quality', () => atm.run.customer.stands(blurred(person.face))],
  ] as const)('is not %s', async (_, code, stand) => {
    const { customer, journal } = atm.run;
    stand();
    await customer.chooses('withdraw');
    await customer.asksFor(5_000);
    await customer.sees('sorry', { code });
    expect(customer.view.offers).toContain('retry');
    await customer.cancels();
    expect(journal.transactions({ limit: 9 }).map(({ service }) => service)).not.toContain('withdraw');
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
  });

  test('is not somebody who steps before the camera in another’s place', async () => {
    const { customer } = atm.run;
    await customer.chooses('withdraw');
    await customer.asksFor(5_000);
    await customer.sees('look');
    await customer.waits(700);
    customer.comes(newFace());
    await customer.sees('sorry', { code: 'nobody' });
    await reckon(atm);
  });
});

describe('notes that do not reach the customer', () => {
  test('left lying go back inside, and are not charged', async () => {
    const { customer } = atm.run;
    await asks(30_000);
    await customer.keys(PIN);
    await customer.sees('take-cash');
    expect(await customer.sees('sorry')).toMatchObject({
      code: 'cash-not-taken',
      madeWhole: { amountMinor: 30_000 },
    });
    expect(atm.run.simulated.control.state().lights.cashOutput).toBe('off');
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    expect(atm.run.simulated.control.state().cash?.units.find(({ id }) => id === 'RET')?.count).toBe(3);
  });

  test.each([
    ['jam-on-dispense', {}],
    ['jam-on-present', {}],
    ['short', {}],
    ['shutter-jam', {}],
    ['cassette-empty', { unit: null }],
    ['answer-lost', { command: 'dispense' }],
  ])('because of %s are not charged, and the customer is told', async (fault, more) => {
    const { customer } = atm.run;
    await asks(20_000);
    break_(fault, more);
    await customer.keys(PIN);
    expect(await customer.sees('sorry')).toMatchObject({ code: 'cash-jammed', madeWhole: { amountMinor: 20_000 } });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    await customer.cancels();
    expect(await isOffered('withdraw')).toMatchObject({ available: true });
  });

  test('within reach when the answer to "present" is lost go back inside, and are not charged', async () => {
    const { customer } = atm.run;
    await asks(20_000);
    break_('answer-lost', { command: 'present' });
    await customer.keys(PIN);
    expect(await customer.sees('sorry')).toMatchObject({ madeWhole: { amountMinor: 20_000 } });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
  });

  test('taken before the answer to "present" was given up are charged, whatever the screen had to say', async () => {
    const { customer, simulated } = atm.run;
    await asks(20_000);
    break_('answer-lost', { command: 'present' });
    await customer.keys(PIN);
    expect(await simulated.control.takeNotes({ waitMs: 30_000 })).toEqual({ ok: true });
    expect(await customer.sees('done')).toMatchObject({ amount: { amountMinor: 20_000 } });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 80_000, available: 80_000 });
  });

  test('that nobody can say the whereabouts of leave one suspect, held, and no more service from that device', async () => {
    const { customer } = atm.run;
    await asks(20_000);
    break_('present-unknown');
    await customer.keys(PIN);
    expect(await customer.sees('sorry')).toMatchObject({ code: 'suspect', madeWhole: null });
    expect(customer.view.offers).not.toContain('retry');
    await customer.cancels();
    await reckon(atm, { suspects: 1 });
    expect(await left()).toEqual({ ledger: 100_000, available: 80_000 });
    expect(await isOffered('withdraw')).toMatchObject({ available: false, reason: 'device-unavailable' });
    expect(atm.log.join('')).toContain('until a technician has looked');

    await atm.stop();
    await atm.start();
    await reckon(atm, { suspects: 1 });
    expect(await isOffered('withdraw')).toMatchObject({ available: false, reason: 'device-unavailable' });
    expect(await isOffered('balance')).toMatchObject({ available: true });
  });

  test.each([
    ['presented', 'take-cash', 'cash-not-taken'],
    ['dispensing', 'wait', 'cash-jammed'],
  ] as const)(
    'of a dispenser that starts anew at "%s" are known when it is back, and nothing is suspect',
    async (_, shown, said) => {
      const { customer, simulated } = atm.run;
      await asks(20_000);
      if (shown === 'wait') break_('answer-lost', { command: 'dispense' });
      await customer.keys(PIN);
      await customer.sees(shown, shown === 'wait' ? { what: 'dispensing' } : {});
      break_('gone', { mode: 'untilCleared' });
      // The command's own time, or that of the customer, and then almost as long as a start would wait for it.
      await customer.waits((shown === 'wait' ? 60_000 : 35_000) + 35_000);
      simulated.control.clearFault('cash-dispenser', 'gone');
      await customer.sees('sorry', { code: said });
      await reckon(atm);
      expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    },
  );

  test('of a dispenser that went away leave one suspect, not a guess', async () => {
    const { customer } = atm.run;
    await asks(20_000);
    break_('answer-lost', { command: 'dispense' });
    await customer.keys(PIN);
    await customer.sees('wait', { what: 'dispensing' });
    break_('gone', { mode: 'untilCleared' });
    await customer.sees('sorry', { code: 'suspect' });
    await reckon(atm, { suspects: 1 });
  });
});

describe('the bank', () => {
  test.each([
    ['cannot be reached', 'down', '/v1/'],
    ['answers that it is in trouble', 'server-error', '/v1/authorisations'],
    ['answers garbage', 'garbage', '/v1/authorisations'],
    ['answers what is no approval', 'wrong-shape', '/v1/authorisations'],
    ['never answers', 'no-answer', '/v1/authorisations'],
    ['approves and its answer is lost', 'answer-lost', '/v1/authorisations'],
    ['never answers to match results', 'no-answer', '/v1/results'],
    ['answers garbage to match results', 'garbage', '/v1/results'],
  ] as const)('that %s lets no note out, and holds nothing in the end', async (_, fault, to) => {
    const { customer } = atm.run;
    await asks(20_000);
    world.disturb(fault, to, Number.POSITIVE_INFINITY);
    await customer.keys(PIN);
    await customer.sees('sorry', { code: 'offline-service' });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    expect(atm.run.simulated.control.state().cash?.lastDispense).toBeNull();
  });

  test('that went away meanwhile is not needed to hand out what it approved, and is told afterwards', async () => {
    const { customer } = atm.run;
    await asks(20_000);
    await customer.keys(PIN);
    await customer.sees('take-cash');
    world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done', { amount: { amountMinor: 20_000 } as never });
    await customer.sees('attract');
    await customer.waits(60_000); // By then it was tried to tell the bank.
    expect(await isOffered('withdraw')).toMatchObject({ available: false, reason: 'offline-service' });
    await reckon(atm);
    expect(await left()).toEqual({ ledger: 80_000, available: 80_000 });
  });
});
