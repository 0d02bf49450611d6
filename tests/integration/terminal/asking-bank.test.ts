/**
 * The power goes while the bank is asked, and the bank is away when the terminal is back: only the bank can say whether it holds
 * the money. Nobody waits for that, no device is blocked, and it is settled once when the bank is back, whatever happens meanwhile.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { SecureElement } from '../../support/secured-dispenser.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Asks for money; the request is lost on its way, or its answer is, and then the power goes. Answers the transaction. */
async function cutWhileAsking(fault: 'no-answer' | 'lost'): Promise<string> {
  const { customer, journal } = atm.run;
  customer.comes(person.face);
  await customer.chooses('withdraw');
  await customer.asksFor(20_000);
  await customer.sees('pin');
  world.disturb(fault, '/v1/authorisations');
  await customer.keys(PIN);
  await world.clock.sleep(2_000, never);
  const last = journal.transactions({ limit: 1 })[0]!;
  expect(last.state).toBe('authorising');
  await atm.cutPower();
  world.mend();
  return last.transactionId;
}

const stateOf = (transactionId: string) => atm.run.journal.transaction(transactionId as never)?.state;
const asked = () => world.requests.filter((one) => one.endsWith('/v1/inquiries')).length;
const holds = async () => (await world.holds()).filter(({ terminalId }) => terminalId === atm.run.terminalId);

describe.each([
  ['under the bank’s token', true],
  ['without tokens', false],
])('a withdrawal %s that was cut off while the bank was asked', (_, secured) => {
  beforeEach(async () => {
    const element = secured ? new SecureElement() : undefined;
    atm = await world.terminal('atm', element ? { element } : {});
    const { terminalId } = await atm.start();
    if (element) await world.admin.post(`/admin/terminals/${terminalId}/dispenser-keys`, element.keys.keysHex);
    person = await registered(atm, newFace(), { yen: 200_000 });
  });
  afterEach(() => atm.dispose());

  test('is settled at the start while the bank is there, and reversed when it holds the money', async () => {
    const transactionId = await cutWhileAsking('no-answer');
    const { recovered } = await atm.start();
    expect(recovered).toMatchObject([{ from: 'authorising', to: 'not-paid' }]);
    expect(stateOf(transactionId)).toBe('not-paid');
    await atm.run.sync.flush(never);
    // Under a token nothing is certain before the next withdrawal (docs/threat-model.md).
    expect((await holds()).at(-1)?.state).toBe(secured ? 'held' : 'released');
  });

  test('is over when the bank never saw it, and the request can never arrive', async () => {
    const transactionId = await cutWhileAsking('lost');
    const { recovered } = await atm.start();
    expect(recovered).toMatchObject([{ from: 'authorising', to: 'interrupted' }]);
    expect(stateOf(transactionId)).toBe('interrupted');
    expect(await holds()).toEqual([]);
    expect(atm.run.journal.outboxSize()).toBe(0);
    await reckon(atm);
  });

  test('waits while the bank is away, keeps nobody waiting, and is settled once when it is back', async () => {
    const transactionId = await cutWhileAsking('no-answer');
    world.disturb('down', '/', Number.POSITIVE_INFINITY);
    const { blocked, recovered } = await atm.start();
    expect(recovered).toMatchObject([{ from: 'authorising', to: 'asking-bank' }]);
    expect([...blocked]).toEqual([]);
    await world.clock.sleep(300_000, never);
    expect(stateOf(transactionId)).toBe('asking-bank');
    const before = asked();
    world.mend();
    await world.clock.sleep(30_000, never);
    expect(stateOf(transactionId)).toBe('not-paid');
    expect(asked() - before).toBe(1);
    // A visit right after it is one like any other.
    const { customer } = atm.run;
    customer.comes(person.face);
    await customer.chooses('withdraw');
    await customer.asksFor(10_000);
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    await reckon(atm);
    expect(await world.balanceOf(person.personId)).toEqual({ ledger: 190_000, available: 190_000 });
  });

  test('waits while the bank does not believe who asks, as when the clock is off, and is settled once it does', async () => {
    const transactionId = await cutWhileAsking('no-answer');
    world.disturb('not-believed', '/v1/inquiries', Number.POSITIVE_INFINITY);
    await atm.start();
    const before = asked();
    await world.clock.sleep(150_000, never);
    expect(asked()).toBeGreaterThan(before);
    expect(stateOf(transactionId)).toBe('asking-bank');
    world.mend();
    await world.clock.sleep(90_000, never);
    expect(stateOf(transactionId)).toBe('not-paid');
    expect(atm.failures).toEqual([]);
  });

  test('keeps its place over further power cuts, under one key', async () => {
    const transactionId = await cutWhileAsking('no-answer');
    world.disturb('down', '/', Number.POSITIVE_INFINITY);
    for (let cuts = 0; cuts < 3; cuts += 1) {
      await atm.start();
      expect(stateOf(transactionId)).toBe('asking-bank');
      await atm.cutPower();
    }
    world.mend();
    world.disturb('answer-lost', '/v1/inquiries');
    await atm.start();
    await world.clock.sleep(120_000, never);
    expect(stateOf(transactionId)).toBe('not-paid');
    const events = atm.run.journal.transaction(transactionId as never)!.events;
    expect(events.filter(({ state }) => state === 'asking-bank')).toHaveLength(1);
    expect(atm.failures).toEqual([]);
  });
});
