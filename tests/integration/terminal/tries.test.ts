/** Who keeps trying at a whole terminal: told apart by the face that is presented, and slowed alone. */
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ATTEMPTS_DEFAULT } from '../../../src-contract/attempts.ts';
import { MatchResult } from '../../../src-contract/match-result.ts';
import { reckon } from '../../support/reckoning.ts';
import { living, newFace, pictureOf, resembling, type Seen } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person, PIN } from '../../support/visits.ts';

let world: World;
const terminals: TestedTerminal[] = [];
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
afterEach(async () => {
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

const looks = async ({ run: { customer } }: TestedTerminal, seen: Seen, code: string) => {
  customer.stands(seen);
  await customer.chooses('withdraw');
  await customer.asksFor(1_000);
  await customer.sees('sorry', { code: code as never });
  await customer.cancels();
  await customer.sees('attract');
};
const withdraws = async ({ run: { customer } }: TestedTerminal, { face }: Pick<Person, 'face'>, pin = PIN) => {
  customer.comes(face);
  await customer.chooses('withdraw');
  await customer.asksFor(1_000);
  await customer.keys(pin);
};
const succeeds = async ({ run: { customer } }: TestedTerminal) => {
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done');
  await customer.confirms();
  await customer.sees('attract');
};
/** Of the newest result that reached the bank from this terminal. */
const newestFace = async (terminal: TestedTerminal) => {
  await terminal.run.sync.flush(never);
  const { body } = await world.admin.get<{ results: { jws: string }[] }>(
    `/admin/results?terminalId=${terminal.run.terminalId}`,
  );
  return MatchResult.parse(decodeJwt(body.results.at(-1)!.jws)).presentedFace;
};

test('a stranger who is nobody again and again has to rest; the next person is served at once', async () => {
  const atm = await started();
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  const stranger = newFace();
  for (let n = 0; n < ATTEMPTS_DEFAULT.refusedLooks; n += 1) await looks(atm, living(stranger), 'nobody');
  await looks(atm, living(stranger), 'too-many-tries');
  // Over a restart, too; and only for a while.
  await atm.cutPower();
  await atm.start();
  await looks(atm, living(stranger), 'too-many-tries');
  await withdraws(atm, person);
  await succeeds(atm);
  await atm.run.customer.waits(ATTEMPTS_DEFAULT.refusedPauseMs);
  await looks(atm, living(stranger), 'nobody');
  await reckon(atm);
});

test('who passes for the owner and guesses is locked out; the owner withdraws there and elsewhere', async () => {
  const [atm, lobby] = [await started(), await started()];
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  await lobby.run.sync.pull(never);
  const stranger = resembling(person.face, 0.52);
  await withdraws(atm, { face: stranger }, '1357E');
  for (const attemptsLeft of [2, 1]) {
    await atm.run.customer.sees('pin', { problem: 'wrong', attemptsLeft });
    await atm.run.customer.keys('1357E');
  }
  await atm.run.customer.sees('sorry', { code: 'pin-locked' });
  await atm.run.customer.cancels();
  const strangers = await newestFace(atm);
  await withdraws(atm, { face: stranger });
  await atm.run.customer.sees('sorry', { code: 'pin-locked' });
  await atm.run.customer.cancels();
  expect(await newestFace(atm)).toBe(strangers);
  for (const terminal of [atm, lobby]) {
    await withdraws(terminal, person);
    await succeeds(terminal);
  }
  // The owner's own face has one name everywhere, and it is not the stranger's.
  expect(await newestFace(atm)).toBe(await newestFace(lobby));
  expect(await newestFace(atm)).not.toBe(strangers);
  await reckon(atm);
});

test('whose picture is held up again and again pays with the PIN for a while, and does not have to rest', async () => {
  const [atm, shop] = [await started(), await started('checkout')];
  const person = await enrolled(atm, newFace(), { yen: 10_000 });
  await shop.run.sync.pull(never);
  const { customer } = shop.run;
  const pays = async (seen: Seen) => {
    customer.stands(seen);
    await customer.sees('attract');
    await customer.shows('4900000000016');
    await customer.sees('basket');
    await customer.does('pay');
  };
  for (let n = 0; n < ATTEMPTS_DEFAULT.refusedLooks; n += 1) {
    await pays(pictureOf(person.face));
    await customer.sees('sorry', { code: 'presentation-attack' });
    await customer.cancels();
  }
  await pays(living(person.face));
  await customer.keys(PIN);
  await customer.wantsReceipt(false);
  await customer.sees('done', { service: 'purchase' });
  await customer.confirms();
  await customer.waits(ATTEMPTS_DEFAULT.refusedPauseMs);
  await pays(living(person.face));
  await customer.wantsReceipt(false);
  await customer.sees('done', { service: 'purchase' });
  await reckon(shop);
});
