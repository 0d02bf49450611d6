/**
 * Withdrawals at a whole terminal whose dispenser pays only under the bank's token (XFS4IoT end-to-end security). Whatever
 * happens, no nonce outlives its withdrawal, the bank learns from the dispenser itself, and nobody else ever sees a token.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultOrder } from '../../../src-main/devices/simulated/faults.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { SecureElement } from '../../support/secured-dispenser.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { TestDispenser } from '../../support/test-dispenser.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';
import { PowerCut } from '../../support/world-clock.ts';

let world: World;
let element: SecureElement;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  element = new SecureElement();
  atm = await world.terminal('atm', { element });
  const { terminalId } = await atm.start();
  await givesKeys(terminalId, element.keys);
  person = await registered(atm, newFace(), { yen: 200_000 });
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  expect(element.nonceLives, 'no nonce outlives its withdrawal').toBe(false);
  await atm.dispose();
});

const givesKeys = async (terminalId: string, { keysHex }: TestDispenser) =>
  expect((await world.admin.post(`/admin/terminals/${terminalId}/dispenser-keys`, keysHex)).status).toBe(200);
const asks = async (yen: number) => {
  await atm.run.customer.chooses('withdraw');
  await atm.run.customer.asksFor(yen);
  await atm.run.customer.keys(PIN);
};
const withdraws = async (yen: number) => {
  const { customer } = atm.run;
  customer.comes(person.face);
  await asks(yen);
  await customer.takesCash();
  await customer.wantsReceipt(false);
  await customer.sees('done', { service: 'withdraw' });
  await customer.confirms();
  await customer.sees('attract');
};
const left = async () => {
  await atm.run.sync.flush(new AbortController().signal);
  return await world.balanceOf(person.personId);
};
const lastStates = () =>
  atm.run.journal
    .transactions({ limit: 1 })[0]
    ?.events.map(({ state }) => state)
    .slice(1);

describe('a withdrawal under a token', () => {
  test('pays, is settled by the dispenser’s proof, and leaves no token anywhere', async () => {
    await withdraws(20_000);
    expect(element.heard).toEqual(['nonce', 'proof', 'dispense', 'proof', 'clear']);
    expect(await left()).toEqual({ ledger: 180_000, available: 180_000 });
    await reckon(atm);
    const text = [...atm.views, ...atm.log].join('\n');
    expect(text).not.toContain('TOKENFORMAT');
    for (const [path, bytes] of atm.files()) {
      // Proofs wait in journal and outbox; the token that pays is nowhere.
      expect(bytes.includes('DISPENSE1='), path).toBe(false);
    }
  });

  test('that nobody takes is released at once', async () => {
    await asks(30_000);
    await atm.run.customer.sees('sorry', { code: 'cash-not-taken' });
    expect(await left()).toEqual({ ledger: 200_000, available: 200_000 });
    await reckon(atm);
  });

  test('asks anew after a wrong PIN, and ends the nonce of the wrong one', async () => {
    const { customer } = atm.run;
    await customer.chooses('withdraw');
    await customer.asksFor(5_000);
    await customer.keys('9999E');
    await customer.sees('pin', { problem: 'wrong' });
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    expect(element.heard).toEqual(['nonce', 'clear', 'nonce', 'proof', 'dispense', 'proof', 'clear']);
    await reckon(atm);
  });
});

describe('a dispense that fails', () => {
  test.each<[string, Partial<FaultOrder>]>([
    ['jam-on-dispense', {}],
    ['jam-on-present', {}],
    ['short', {}],
    ['shutter-jam', {}],
    ['cassette-empty', { unit: null }],
    ['answer-lost', { command: 'dispense' }],
  ])('because of %s is not charged; the bank lets go of the money with the next withdrawal', async (fault, more) => {
    const { customer } = atm.run;
    await withdraws(10_000);
    await customer.chooses('withdraw');
    await customer.asksFor(20_000);
    await customer.sees('pin');
    atm.run.simulated.control.armFault({ device: 'cash-dispenser', fault, ...more });
    await customer.keys(PIN);
    expect(await customer.sees('sorry')).toMatchObject({ code: 'cash-jammed', madeWhole: { amountMinor: 20_000 } });
    await customer.cancels();
    expect(await left()).toEqual({ ledger: 190_000, available: 170_000 });
    expect(atm.alarms).toEqual([]);
    await withdraws(10_000);
    expect(await left()).toEqual({ ledger: 180_000, available: 180_000 });
    await reckon(atm);
  });

  test('because the dispenser refuses the token pays nothing, and says so', async () => {
    const { customer } = atm.run;
    await withdraws(10_000);
    await givesKeys(atm.run.terminalId, new TestDispenser());
    await asks(20_000);
    expect(await customer.sees('sorry')).toMatchObject({
      code: 'device-unavailable',
      madeWhole: { amountMinor: 20_000 },
    });
    expect(lastStates()).toEqual(['authorising', 'authorised', 'dispensing', 'token-refused', 'not-paid']);
    expect(element.heard.slice(-4)).toEqual(['proof', 'refused', 'proof', 'clear']);
    expect(await left()).toEqual({ ledger: 190_000, available: 170_000 });
    expect(atm.run.simulated.control.state().cash?.conservation.takenMinor).toBe(10_000);
    // The dispenser's proofs are made with keys that the bank no longer takes: for a person, and sent only once.
    expect(atm.alarms).toEqual([{ kind: 'bank-holds', message: expect.stringContaining('proof-invalid') }]);
    expect(atm.run.journal.outboxSize()).toBe(0);
  });

  test('because the dispenser gives no nonce does not bother the bank', async () => {
    const { customer } = atm.run;
    element.silent = true;
    const asked = () => world.requests.filter((path) => path.endsWith('/v1/authorisations')).length;
    const before = asked();
    await asks(20_000);
    await customer.sees('sorry', { code: 'device-unavailable' });
    expect(lastStates()).toEqual(['no-nonce']);
    expect(asked()).toBe(before);
    await reckon(atm);
    element.silent = false;
  });
});

test('a dispenser that asks for tokens at a bank without its keys pays nothing', async () => {
  const other = new SecureElement();
  const plain = await world.terminal('atm', { element: other });
  const { customer, sync, journal } = await plain.start();
  await sync.pull(new AbortController().signal);
  customer.comes(person.face);
  await customer.chooses('withdraw');
  await customer.asksFor(5_000);
  await customer.keys(PIN);
  await customer.sees('sorry', { code: 'device-unavailable' });
  expect(journal.transactions({ limit: 1 })[0]?.events.at(-1)).toMatchObject({
    state: 'declined',
    detail: { reason: 'dispense-not-secured' },
  });
  expect(other.heard).toEqual(['nonce', 'clear']);
  expect(await world.balanceOf(person.personId)).toEqual({ ledger: 200_000, available: 200_000 });
  await plain.dispose();
});

test('an answer of the bank that is lost holds the money until the next withdrawal, and no longer', async () => {
  const { customer } = atm.run;
  await withdraws(10_000);
  await customer.chooses('withdraw');
  await customer.asksFor(20_000);
  await customer.sees('pin');
  world.disturb('answer-lost', '/v1/authorisations');
  await customer.keys(PIN);
  await customer.sees('sorry', { code: 'offline-service' });
  await customer.cancels();
  world.mend();
  await withdraws(10_000);
  expect(await left()).toEqual({ ledger: 180_000, available: 180_000 });
  await reckon(atm);
});

test('power lost at any moment of it is settled by the restart and the next withdrawal', {
  timeout: 300_000,
}, async () => {
  const endings = new Set<string>();
  // Each is cut in the run that the restart after the one before began.
  for (let n = 1; ; n += 1) {
    try {
      const { customer, mains } = atm.run;
      mains.cutAfter(n);
      customer.comes(person.face);
      await customer.chooses('withdraw');
      await customer.asksFor(1_000);
      await customer.keys(PIN);
      await customer.takesCash();
      await customer.wantsReceipt(false);
      await customer.sees('done');
    } catch (error) {
      if (!(error instanceof PowerCut) && atm.isOn) throw error;
    }
    const uncut = atm.isOn;
    if (uncut) await atm.stop();
    const moment = uncut ? 'none' : await atm.lastMoment();
    const { recovered, journal } = await atm.start();
    for (const { from, to } of recovered) endings.add(`${from} → ${to}`);
    expect(journal.openTransactions(), moment).toEqual([]);
    await withdraws(1_000);
    await reckon(atm).catch((error: unknown) => {
      throw new Error(`cut at moment ${n} (${moment}): ${(error as Error).message}`, { cause: error });
    });
    if (uncut) break;
  }
  expect([...endings].sort()).toEqual([
    'authorised → not-paid',
    // The question never reached the bank, which bars it.
    'authorising → interrupted',
    'authorising → not-paid',
    'begun → interrupted',
    'dispensing → not-paid',
    'presented → not-paid',
    'presented → paid',
    'presenting → not-paid',
    'stacked → not-paid',
  ]);
});
