/** Purchases at a whole checkout: with the bank, and without it within what the bank lets a terminal decide. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { newFace, pictureOf } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

const RICE_BALL = '4900000000016'; // ¥180
const BENTO = '4900000000030'; // ¥650
const UMBRELLA = '4900000000054'; // ¥3,300
const BOOK = '4900000000061'; // ¥800

let world: World;
let shop: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  world.mend();
  shop = await world.terminal('checkout');
  await shop.start();
  person = await registered(shop, newFace(), { yen: 10_000 });
});
afterEach(async () => {
  expect(shop.failures).toEqual([]);
  await shop.dispose();
});

const left = async () => await world.balanceOf(person.personId);
/** Scans and pays. */
const buys = async (...barcodes: string[]) => {
  const { customer } = shop.run;
  await customer.sees('attract');
  for (const barcode of barcodes) await customer.shows(barcode);
  await customer.sees('basket');
  await customer.does('pay');
};
const ends = async (code: 'done' | 'sorry') => {
  const { customer } = shop.run;
  if (code === 'done') await customer.wantsReceipt(false);
  const screen = await customer.sees(code);
  if (code === 'done') await customer.confirms();
  else await customer.cancels();
  return screen;
};
const entries = async () =>
  (await world.entries()).filter(({ terminalId }) => terminalId === shop.run.terminalId).map(({ kind }) => kind);
const offline = () => world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);

describe('with the bank', () => {
  test('a small purchase takes a look, and nothing else', async () => {
    const { customer } = shop.run;
    await customer.sees('attract');
    await customer.shows(RICE_BALL);
    await customer.shows(RICE_BALL);
    await customer.shows(BENTO);
    const basket = await customer.sees('basket', { total: { amountMinor: 1_010, currency: 'JPY' } as never });
    expect(basket.lines.map(({ quantity }) => quantity)).toEqual([2, 1]);
    await customer.does('pay');
    await customer.sees('look', { amount: { amountMinor: 1_010, currency: 'JPY' } as never });
    await customer.wantsReceipt();
    await customer.sees('done', { service: 'purchase', receipt: 'printed', standIn: false, balance: null });
    expect(shop.views.join('')).not.toContain('"name":"pin"');
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 8_990, available: 8_990 });
    expect(await entries()).toEqual(['purchase']);
  });

  test('a line can be taken out, and a code nobody knows changes nothing', async () => {
    const { customer } = shop.run;
    await customer.sees('attract');
    await customer.shows(RICE_BALL);
    await customer.shows(BENTO);
    await customer.shows('9999999999994');
    const { lines } = await customer.sees('basket', { problem: 'unknown-barcode' });
    expect(customer.says({ kind: 'remove-line', lineId: lines[0]!.lineId })).toEqual({ ok: true });
    await customer.sees('basket', { total: { amountMinor: 650, currency: 'JPY' } as never, problem: null });
    await customer.does('pay');
    await ends('done');
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 9_350, available: 9_350 });
  });

  test('a larger one takes the PIN, too', async () => {
    const { customer } = shop.run;
    await buys(UMBRELLA);
    await customer.sees('pin', { purpose: 'verify', amount: { amountMinor: 3_300, currency: 'JPY' } as never });
    await customer.keys('1357E');
    await customer.sees('pin', { problem: 'wrong', attemptsLeft: 2 });
    expect(await left()).toEqual({ ledger: 10_000, available: 10_000 });
    await customer.keys(PIN);
    await ends('done');
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 6_700, available: 6_700 });
  });

  test('more than there is in the account is declined', async () => {
    const { customer } = shop.run;
    await buys(UMBRELLA, UMBRELLA, UMBRELLA, UMBRELLA);
    await customer.keys(PIN);
    await customer.sees('sorry', { code: 'insufficient-funds' });
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 10_000, available: 10_000 });
  });

  test('more than the policy lets anybody buy is refused before a look', async () => {
    const { customer } = shop.run;
    await buys(...Array<string>(31).fill(UMBRELLA));
    await customer.sees('sorry', { code: 'over-limit' });
    expect(shop.run.journal.head()).toBeNull();
    await reckon(shop);
  });

  test('a picture buys nothing', async () => {
    shop.run.customer.stands(pictureOf(person.face));
    await buys(RICE_BALL);
    await shop.run.customer.sees('sorry', { code: 'presentation-attack' });
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 10_000, available: 10_000 });
  });

  test('without a PIN pad a large one is refused by saying so', async () => {
    const { customer, simulated } = shop.run;
    await buys(UMBRELLA);
    await customer.sees('pin');
    simulated.control.armFault({ device: 'pin-pad', fault: 'gone', mode: 'untilCleared' });
    await customer.sees('sorry', { code: 'device-unavailable' });
    await reckon(shop);
  });
});

describe('without the bank', () => {
  test('a small purchase is approved by the terminal, said to be so, and booked once afterwards', async () => {
    offline();
    await buys(BOOK);
    expect(await ends('done')).toMatchObject({ standIn: true, balance: null });
    expect(await entries()).toEqual([]);
    await reckon(shop);
    expect(await entries()).toEqual(['stand-in']);
    expect(await left()).toEqual({ ledger: 9_200, available: 9_200 });
    expect(shop.run.journal.standIn.spentInAll()).toBe(0);
  });

  test('one is told at the time the bank gave, when the machine’s own clock is set two days ahead in its middle', async () => {
    offline();
    await buys(BOOK);
    shop.run.mains.setClockOff(2 * 86_400_000);
    await shop.run.customer.wantsReceipt(false);
    await shop.run.customer.sees('done', { standIn: true });
    shop.run.mains.setClockOff(0);
    await reckon(shop);
    expect(await entries()).toEqual(['stand-in']);
    const { body } = await world.admin.get<{ incidents: { terminalId: string }[] }>('/admin/incidents');
    expect(body.incidents.filter(({ terminalId }) => terminalId === shop.run.terminalId)).toEqual([]);
  });

  test('one above the limit for a purchase is refused', async () => {
    offline();
    await buys(UMBRELLA);
    await shop.run.customer.keys(PIN);
    expect(await ends('sorry')).toMatchObject({ code: 'offline-limit' });
    await reckon(shop);
    expect(await entries()).toEqual([]);
    expect(await left()).toEqual({ ledger: 10_000, available: 10_000 });
  });

  test('a person’s purchases add up to their limit over restarts, and begin anew when the bank has heard of them', async () => {
    offline();
    for (let n = 0; n < 2; n += 1) {
      await buys(BOOK, BOOK, BOOK);
      await ends('done');
    }
    await shop.stop();
    await shop.start();
    shop.run.customer.comes(person.face);
    await buys(BENTO);
    expect(await ends('sorry')).toMatchObject({ code: 'offline-limit' });
    await buys(RICE_BALL);
    await ends('done');
    expect(shop.run.journal.standIn.spent(person.personId)).toBe(4_980);
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 5_020, available: 5_020 });
    offline();
    await buys(BENTO);
    await ends('done');
    await reckon(shop);
    expect(await left()).toEqual({ ledger: 4_370, available: 4_370 });
  });

  test.each(['answer-lost', 'no-answer', 'garbage', 'wrong-shape'] as const)(
    'an authorisation whose answer is %s is reversed, and the purchase booked exactly once',
    async (fault) => {
      world.disturb(fault, '/v1/authorisations');
      await buys(BOOK);
      expect(await ends('done')).toMatchObject({ standIn: true });
      await reckon(shop);
      expect(await entries()).toEqual(['stand-in']);
      expect(await left()).toEqual({ ledger: 9_200, available: 9_200 });
    },
  );

  test('a purchase cut off by a power cut before the goods were released is not booked', async () => {
    world.disturb('no-answer', '/v1/authorisations');
    await buys(BOOK);
    await shop.run.customer.sees('wait', { what: 'asking-bank' });
    await shop.run.customer.waits(1_000);
    await shop.cutPower();
    await shop.start();
    expect(shop.run.recovered).toMatchObject([{ service: 'purchase', to: 'interrupted' }]);
    await reckon(shop);
    expect(await entries()).toEqual([]);
    expect(await left()).toEqual({ ledger: 10_000, available: 10_000 });
  });
});
