/**
 * Opting out at whole terminals: forgotten at once, for good, with or without the bank; the other terminals hear of it, buy nothing by
 * that face, and sign one receipt each, though the plug be pulled at any moment.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person, registered } from '../../support/visits.ts';
import { PowerCut } from '../../support/world-clock.ts';

const BOOK = '4900000000061'; // ¥800

let world: World;
const terminals: TestedTerminal[] = [];
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
afterEach(async () => {
  world.mend();
  for (const terminal of terminals.splice(0)) {
    expect(terminal.failures).toEqual([]);
    await terminal.dispose();
  }
});

const started = async (profile: 'atm' | 'checkout' = 'atm') => {
  const terminal = await world.terminal(profile);
  terminals.push(terminal);
  await terminal.start();
  return terminal;
};
const offline = () => world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);
const receiptsOf = async ({ personId }: Person) => {
  const { body } = await world.admin.get<{
    status: string;
    terminals: { terminalId: string; receipt: { cursor: number | null } | null }[];
  }>(`/admin/people/${personId}/erasure`);
  return body;
};
const receiptBy = async (person: Person, terminal: TestedTerminal) =>
  (await receiptsOf(person)).terminals.find(({ terminalId }) => terminalId === terminal.run.terminalId)?.receipt;

const feedOf = (terminal: TestedTerminal) => terminal.run.gallery.feeds[0]!;

async function optsOut({ run: { customer } }: TestedTerminal, face: Float32Array): Promise<void> {
  customer.comes(face);
  await customer.chooses('opt-out');
  await customer.sees('opt-out');
  await customer.confirms();
  await customer.sees('done', { service: 'opt-out' });
  await customer.confirms();
  await customer.sees('attract');
}
async function isNobody({ run: { customer } }: TestedTerminal, face: Float32Array): Promise<void> {
  customer.comes(face);
  await customer.chooses('opt-out');
  await customer.sees('sorry', { code: 'nobody' });
  await customer.cancels();
  await customer.sees('attract');
}

test('the face is nobody’s from then on, the money stays, and both sides have it in writing', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  await optsOut(atm, person.face);
  await isNobody(atm, person.face);
  await reckon(atm);
  expect(await receiptBy(person, atm)).toMatchObject({ cursor: null });
  expect(await receiptsOf(person)).toMatchObject({ status: 'erased' });
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 10_000, available: 10_000 });
  // The same face may register again, as somebody new.
  const again = await enrolled(atm, person.face);
  expect(again.personId).not.toBe(person.personId);
});

test('nothing ends without a yes', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace());
  atm.run.customer.comes(person.face);
  await atm.run.customer.chooses('opt-out');
  await atm.run.customer.sees('opt-out');
  await atm.run.customer.cancels();
  await atm.run.customer.sees('attract');
  await reckon(atm);
  expect(await receiptsOf(person)).toMatchObject({ status: 'enrolled' });
});

test('a stranger ends nobody’s registration', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace());
  atm.run.customer.comes(newFace());
  await atm.run.customer.chooses('opt-out');
  await atm.run.customer.sees('sorry', { code: 'nobody' });
  await reckon(atm);
  expect(await receiptsOf(person)).toMatchObject({ status: 'enrolled' });
});

test('without the bank it takes effect at once, lasts over a restart, and no template from before brings it back', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace());
  offline();
  await optsOut(atm, person.face);
  await isNobody(atm, person.face);
  const template = atm.run.gallery.protectedTemplate(person.face);
  await atm.cutPower();
  await atm.start();
  await isNobody(atm, person.face);
  // What a feed that does not know yet would bring.
  feedOf(atm).applyFeed({
    entries: [{ kind: 'put', cursor: 1, personId: person.personId, template, lookAlikeOf: null }],
    next: feedOf(atm).cursor,
    more: false,
  });
  await isNobody(atm, person.face);
  expect(await receiptsOf(person)).toMatchObject({ status: 'enrolled' });
  await reckon(atm);
  expect(await receiptsOf(person)).toMatchObject({ status: 'erased' });
  expect(await receiptBy(person, atm)).toMatchObject({ cursor: null });
});

test('a gallery that was lost and pulled anew does not bring back who opted out', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace());
  offline();
  await optsOut(atm, person.face);
  await atm.run.customer.waits(10_000);
  await atm.stop();
  const { rmSync } = await import('node:fs');
  for (const path of atm.files().keys()) if (path.includes('gallery')) rmSync(path);
  await atm.start();
  world.mend();
  await atm.run.sync.pull(never);
  expect(atm.run.gallery.isErased(person.personId)).toBe(true);
  await isNobody(atm, person.face);
  await reckon(atm);
});

test('at a checkout that was away: what was bought before is charged, and nothing is bought after it has heard', async () => {
  const atm = await started();
  const shop = await started('checkout');
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  await shop.run.sync.pull(never);
  const buys = async () => {
    const { customer } = shop.run;
    customer.comes(person.face);
    await customer.sees('attract');
    await customer.shows(BOOK);
    await customer.sees('basket');
    await customer.does('pay');
  };
  offline();
  await buys();
  await shop.run.customer.wantsReceipt(false);
  await shop.run.customer.sees('done', { standIn: true });
  await shop.run.customer.confirms();
  await shop.run.customer.waits(10_000);
  await optsOut(atm, person.face);
  await shop.run.customer.waits(10_000);
  // It cannot know yet: the goods go, and the bank bears them.
  await buys();
  await shop.run.customer.wantsReceipt(false);
  await shop.run.customer.sees('done', { standIn: true });
  await shop.run.customer.confirms();
  await reckon(atm);
  await shop.run.sync.flush(never);
  await shop.run.sync.pull(never);
  await shop.run.customer.waits(30_000);
  await buys();
  await shop.run.customer.sees('sorry', { code: 'nobody' });
  await reckon(shop, { suspects: 0, incidents: ['charge-after-withdrawal'] });
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 9_200, available: 9_200 });
  expect(await receiptBy(person, shop)).toMatchObject({ cursor: expect.any(Number) });
});

test('told in the middle of a purchase, a checkout does not stand in for the bank, and acknowledges after its end', async () => {
  const atm = await started();
  const shop = await started('checkout');
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  await shop.run.sync.pull(never);
  const { customer, gallery, journal } = shop.run;
  customer.comes(person.face);
  await customer.sees('attract');
  await customer.shows(BOOK);
  await customer.sees('basket');
  world.disturb('no-answer', '/v1/authorisations');
  await customer.does('pay');
  await customer.sees('wait', { what: 'asking-bank' });
  await customer.waits(1_000);
  feedOf(shop).applyFeed({
    entries: [{ kind: 'erase', cursor: 900, personId: person.personId }],
    next: feedOf(shop).cursor,
    more: false,
  });
  expect(journal.openTransactions()).toHaveLength(1);
  expect(gallery.unacknowledged()).toEqual([{ personId: person.personId, cursor: 900 }]);
  await customer.sees('sorry', { code: 'nobody' });
  await customer.waits(30_000);
  expect(gallery.unacknowledged()).toEqual([]);
  expect(journal.transactions({ limit: 1 })[0]).toMatchObject({ state: 'consent-withdrawn', final: true });
  await reckon(shop);
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 10_000, available: 10_000 });
});

/** Longer than a round with the bank is waited for (SYNC_DEFAULT), and one takes. */
const ROUND_MS = 12_000;
async function waits(terminal: TestedTerminal): Promise<void> {
  await terminal.run.customer.waits(ROUND_MS);
  if (!terminal.isOn) throw new PowerCut('while it waited');
}

/** Runs `act` with the power cut at its n-th moment, for every n, each time for somebody new; then everything is as it should be. Each is
 *  cut in the run that the restart after the one before began. */
async function everyCut(act: (terminal: TestedTerminal, person: Person) => Promise<void>): Promise<string[]> {
  const moments: string[] = [];
  const atm = await started();
  // It hears of everybody who opted out before.
  await waits(atm);
  for (let n = 1; ; n += 1) {
    const person = await registered(atm, newFace());
    try {
      atm.run.mains.cutAfter(n);
      await act(atm, person);
    } catch (error) {
      if (!(error instanceof PowerCut) && atm.isOn) throw error;
    }
    const moment = atm.isOn ? null : await atm.lastMoment();
    if (atm.isOn) await atm.stop();
    await atm.start();
    const told = `cut at moment ${n} (${moment ?? 'none'})`;
    const before = moment !== null && !atm.run.gallery.isErased(person.personId);
    // Cut before the yes was recorded, or the feed was applied: it is said again.
    if (before) await act(atm, person);
    await waits(atm);
    expect(atm.run.gallery.unacknowledged(), told).toEqual([]);
    await reckon(atm);
    const sent = world.requests.filter((request) => request === 'POST /v1/erasure-receipts').length;
    expect(await receiptBy(person, atm), told).not.toBeNull();
    expect(
      atm.run.journal.erasedPeople().filter((one) => one === person.personId),
      told,
    ).toHaveLength(1);
    expect(sent, told).toBeGreaterThan(0);
    if (moment === null) return moments;
    moments.push(moment);
  }
}

test('at any moment of opting out the plug may be pulled: forgotten, and one receipt', {
  timeout: 120_000,
}, async () => {
  const moments = await everyCut(async (terminal, { face }) => {
    await optsOut(terminal, face);
    await waits(terminal);
  });
  expect(moments).toEqual(
    expect.arrayContaining([
      ...['before begin opt-out', 'after begin opt-out', 'before erase', 'after erase', 'before forgotten'],
      ...['after forgotten', 'before receipt', 'after receipt', 'before acknowledged', 'after acknowledged'],
    ]),
  );
});

test('at any moment of hearing of it, too', { timeout: 120_000 }, async () => {
  const moments = await everyCut(async (terminal, { personId }) => {
    await world.admin.delete(`/admin/people/${personId}/template`);
    await waits(terminal);
  });
  expect(moments).toEqual(
    expect.arrayContaining([
      ...['before erase by feed', 'after erase by feed', 'before receipt', 'after receipt'],
      ...['before acknowledged', 'after acknowledged'],
    ]),
  );
});
