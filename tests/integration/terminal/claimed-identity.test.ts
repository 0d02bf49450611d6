/** Who is not told by a look says who they are, at whole terminals: number, face, PIN. */
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ATTEMPTS_DEFAULT } from '../../../src-contract/attempts.ts';
import { NUMBERS_PER_LOOK } from '../../../src-contract/claimed-identity.ts';
import { MatchResult } from '../../../src-contract/match-result.ts';
import { systemChance } from '../../../src-main/clock.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace, resembling } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person, PIN } from '../../support/visits.ts';

let world: World;
/** Where the person enrolled, and a terminal that the bank's feed does not reach any more. */
let home: TestedTerminal;
let lobby: TestedTerminal;
let person: Person;
let number: string;
const terminals: TestedTerminal[] = [];

const started = async (profile: 'atm' | 'checkout' = 'atm') => {
  const terminal = await world.terminal(profile);
  terminals.push(terminal);
  await terminal.start();
  return terminal;
};
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  lobby = await started();
  // Whatever the lobby asks of the feed from now on does not fit, so that it knows nobody who comes later.
  world.disturb('wrong-shape', '/v1/gallery', Number.POSITIVE_INFINITY);
  home = await started();
  person = await enrolled(home, newFace(), { yen: 50_000 });
  number = await world.numberOf(person.personId);
});
afterEach(async () => {
  world.mend();
  for (const terminal of terminals.splice(0)) {
    expect(terminal.failures).toEqual([]);
    await terminal.dispose();
  }
});

const questions = () => world.requests.filter((path) => path.includes('claimed')).length;
const results = async (terminal: TestedTerminal) => {
  await terminal.run.sync.flush(never);
  const { body } = await world.admin.get<{ results: { jws: string }[] }>(
    `/admin/results?terminalId=${terminal.run.terminalId}`,
  );
  return body.results.map(({ jws }) => MatchResult.parse(decodeJwt(jws)));
};
/** Wants to withdraw, and is not told by the look. */
const isUntold = async (
  { run: { customer } }: TestedTerminal,
  face: Float32Array,
  code: 'nobody' | 'look-alikes' = 'nobody',
) => {
  customer.comes(face);
  await customer.chooses('withdraw');
  await customer.asksFor(10_000);
  await customer.sees('sorry', { code });
};
const claims = async ({ run: { customer } }: TestedTerminal, accountNumber: string) => {
  if (customer.view.screen.name === 'sorry') expect(customer.says({ kind: 'claim-identity' })).toEqual({ ok: true });
  await customer.sees('claim');
  expect(customer.says({ kind: 'enter-claim', accountNumber })).toEqual({ ok: true });
};

test('somebody who enrolled elsewhere withdraws by number, face and PIN, and stays unknown to the terminal', async () => {
  const { customer } = lobby.run;
  await isUntold(lobby, person.face);
  await claims(lobby, number);
  await customer.keys('1357E');
  await customer.sees('pin', { problem: 'wrong' });
  await customer.keys(PIN);
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done');
  expect(await world.balanceOf(person.personId)).toMatchObject({ available: 40_000 });
  const [look, claim] = (await results(lobby)).slice(-2);
  expect(look).toMatchObject({ outcome: 'refused', reason: 'nobody', claimed: null });
  expect(claim).toMatchObject({
    outcome: 'accepted',
    personId: person.personId,
    secondFactor: 'pin',
    claimed: { by: 'account-number', template: 'bank' },
    comparison: { gallerySize: 1 },
  });
  // Their own face has one name everywhere.
  expect(claim?.presentedFace).toBe(lobby.run.gallery.ownFace(person.personId));
  expect(lobby.run.gallery.size).toBe(0);
  expect(lobby.views.join('')).not.toContain(person.personId);
  await reckon(lobby);
});

test('who enrols is shown the number, with time to write it down', async () => {
  const { customer } = home.run;
  customer.comes(newFace());
  await customer.chooses('enrol');
  await customer.agrees();
  await customer.keys(PIN);
  await customer.sees('pin', { purpose: 'repeat' });
  await customer.keys(PIN);
  const { accountNumber } = await customer.sees('done', { service: 'enrol' });
  expect(customer.view.offers).toContain('extend');
  await customer.confirms();
  const personId = home.run.journal.consents({ limit: 1 })[0]?.personId;
  expect(accountNumber).toBe(await world.numberOf(personId!));
});

test('at a checkout the PIN is wanted at any amount; without the bank nobody is asked for a number', async () => {
  const shop = await started('checkout');
  const { customer } = shop.run;
  customer.comes(person.face);
  const pays = async () => {
    await customer.shows('4900000000016');
    await customer.sees('basket');
    await customer.does('pay');
    await customer.sees('sorry', { code: 'nobody' });
  };
  await pays();
  await claims(shop, number);
  await customer.sees('pin');
  await customer.keys(PIN);
  await customer.wantsReceipt(false);
  await customer.sees('done', { service: 'purchase', standIn: false });
  await customer.confirms();
  await customer.sees('attract');
  world.disturb('down', '/', Number.POSITIVE_INFINITY);
  await shop.run.sync.flush(never);
  expect(shop.run.sync.online).toBe(false);
  await pays();
  expect(customer.view.offers).not.toContain('claim-identity');
  await customer.cancels();
  await reckon(shop);
});

test('a face that is not that person’s, a number that is nobody’s and a person who is gone are one answer', async () => {
  const gone = await enrolled(home, newFace());
  const goneNumber = await world.numberOf(gone.personId);
  expect((await world.admin.delete(`/admin/people/${gone.personId}/template`)).status).toBe(200);
  const { customer } = lobby.run;
  const seen: { entered: string; tookMs: number }[] = [];
  await isUntold(lobby, newFace());
  for (const one of [number, '0000000000', goneNumber]) {
    const began = world.clock.monotonicMs();
    await claims(lobby, one);
    if (seen.length < NUMBERS_PER_LOOK - 1) await customer.sees('claim', { problem: 'unconfirmed', entered: one });
    else await customer.sees('sorry', { code: 'claim-unconfirmed' });
    seen.push({ entered: one, tookMs: Math.round(world.clock.monotonicMs() - began) });
  }
  expect(new Set(seen.map(({ tookMs }) => tookMs)).size).toBe(1);
  expect(customer.view.offers).toContain('retry');
  expect((await results(lobby)).slice(-3).map(({ reason, personId }) => [reason, personId])).toEqual(
    Array(3).fill(['claim-unconfirmed', null]),
  );
  await customer.cancels();
  await reckon(lobby);
});

test('who goes on trying numbers has to rest, with the right one too; nobody else has', async () => {
  const { customer } = lobby.run;
  const stranger = newFace();
  await isUntold(lobby, stranger);
  // The look counts, and each number that is not confirmed: five, and then this face rests.
  for (let n = 0; n < NUMBERS_PER_LOOK; n += 1) await claims(lobby, `000000000${n}`);
  await customer.sees('sorry', { code: 'claim-unconfirmed' });
  await customer.cancels();
  expect(ATTEMPTS_DEFAULT.refusedLooks).toBe(1 + NUMBERS_PER_LOOK + 1);
  await isUntold(lobby, stranger);
  await claims(lobby, number);
  await customer.sees('sorry', { code: 'too-many-tries' });
  await customer.cancels();
  await isUntold(lobby, person.face);
  await claims(lobby, number);
  await customer.sees('pin');
  await customer.keys('C');
  await customer.sees('sorry', { code: 'pin-cancelled' });
  await reckon(lobby);
});

test('the person is offered nothing while the bank is away, and told so where it goes away meanwhile', async () => {
  const { customer } = lobby.run;
  await isUntold(lobby, person.face);
  expect(customer.says({ kind: 'claim-identity' })).toEqual({ ok: true });
  await customer.sees('claim');
  const before = questions();
  world.disturb('down', '/', Number.POSITIVE_INFINITY);
  await claims(lobby, number);
  await customer.sees('sorry', { code: 'offline-service' });
  await customer.cancels();
  expect(questions()).toBe(before);
  await customer.sees('attract');

  await customer.chooses('balance');
  await customer.sees('sorry', { code: 'offline-service' });
  await customer.cancels();
  await reckon(lobby);
});

test('more time can be asked for, and in the end the look is too old', async () => {
  const { customer } = lobby.run;
  await isUntold(lobby, person.face);
  expect(customer.says({ kind: 'claim-identity' })).toEqual({ ok: true });
  await customer.sees('claim');
  expect(customer.view.timeout).not.toBeNull();
  for (let n = 0; n < 10 && customer.view.screen.name === 'claim'; n += 1) {
    await customer.waits(35_000);
    if (customer.view.screen.name === 'claim') await customer.does('extend');
  }
  await customer.sees('sorry', { code: 'nobody' });
  expect(customer.view.offers).not.toContain('claim-identity');
  await customer.does('retry');
  await customer.sees('amount');
  await customer.cancels();
});

test('who is known here and not told from so many is compared with their own template alone', async () => {
  world.mend();
  await lobby.run.sync.pull(never);
  for (let n = 0; n < 4; n += 1) {
    lobby.run.gallery.put(systemChance.id(), lobby.run.gallery.protectedTemplate(newFace()), null);
  }
  const before = questions();
  // One stranger in 30,000 is as like: enough for one comparison and not among five people.
  await isUntold(lobby, resembling(person.face, 0.45));
  await claims(lobby, number);
  await lobby.run.customer.sees('pin');
  expect((await results(lobby)).at(-1)).toMatchObject({
    personId: person.personId,
    claimed: { template: 'gallery' },
    comparison: { gallerySize: 1 },
  });
  const { customer } = lobby.run;
  await customer.keys(PIN);
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done');
  await customer.confirms();
  // The bank said once whose number it is, and is not asked again; not by another face either, which is not that person's.
  expect(questions()).toBe(before + 1);
  await isUntold(lobby, newFace());
  await claims(lobby, number);
  await customer.sees('claim', { problem: 'unconfirmed' });
  await customer.cancels();
  await isUntold(lobby, resembling(person.face, 0.45));
  await claims(lobby, number);
  await customer.keys(PIN);
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done');
  await customer.confirms();
  expect(questions()).toBe(before + 1);
  expect((await results(lobby)).at(-1)).toMatchObject({ claimed: { template: 'gallery', questionId: null } });
  expect(await world.balanceOf(person.personId)).toMatchObject({ available: 30_000 });
  await reckon(lobby);
});
