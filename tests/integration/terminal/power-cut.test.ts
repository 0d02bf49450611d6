/**
 * The plug is pulled at every moment at which something becomes true: before and after each write to the journal, before each
 * motion of a device, before a request leaves and before its answer is read. After a restart cash, journal and bank agree to
 * the yen, or exactly one suspect says why not and its device serves nobody.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import type { TestCustomer } from '../../support/test-customer.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';
import { PowerCut } from '../../support/world-clock.ts';

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
afterEach(() => atm.dispose());

const fresh = async () => {
  atm = await world.terminal();
  await atm.start();
  person = await registered(atm, newFace(), { yen: 500_000 });
};

/** Runs the visit with power cut at its n-th moment; what that moment was, null when the visit ended before. */
async function cutAt(n: number, visit: (customer: TestCustomer) => Promise<void>): Promise<string | null> {
  const { customer, mains } = atm.run;
  mains.cutAfter(n);
  try {
    customer.comes(person.face);
    await visit(customer);
  } catch (error) {
    // With the power gone, whatever the customer tried fails.
    if (!(error instanceof PowerCut) && atm.isOn) throw error;
  }
  if (atm.isOn) {
    await atm.stop();
    return null;
  }
  return await atm.lastMoment();
}

/**
 * Every cut in turn, each in the run that the restart after the one before began; answers how the interrupted transactions ended.
 */
async function everyCut(
  visit: (customer: TestCustomer) => Promise<void>,
  { restMs = 0, check = async () => {} }: { restMs?: number; check?: () => Promise<void> } = {},
): Promise<string[]> {
  const endings = new Set<string>();
  await fresh();
  for (let n = 1; ; n += 1) {
    const moment = await cutAt(n, visit);
    const { recovered, journal } = await atm.start();
    const suspects = journal.openTransactions().length;
    const told = `cut at moment ${n} (${moment ?? 'none'})`;
    expect(suspects, told).toBeLessThanOrEqual(1);
    expect(recovered.length, told).toBeLessThanOrEqual(1);
    await reckon(atm, { suspects }).catch((error: unknown) => {
      throw new Error(`${told}: ${(error as Error).message}`, { cause: error });
    });
    for (const { from, to } of recovered) endings.add(`${from} → ${to}`);
    await check();
    if (moment === null) return [...endings].sort();
    if (suspects > 0) {
      await atm.dispose();
      await fresh();
    }
    if (restMs > 0) {
      await atm.stop();
      await world.clock.sleep(restMs, never);
      await atm.start();
    }
  }
}

test('at any moment of a withdrawal', { timeout: 300_000 }, async () => {
  const endings = await everyCut(async (customer) => {
    await customer.chooses('withdraw');
    await customer.asksFor(6_000);
    await customer.keys(PIN);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
  });
  expect(endings).toMatchInlineSnapshot(`
    [
      "authorised → not-paid",
      "authorising → interrupted",
      "authorising → not-paid",
      "begun → interrupted",
      "dispensing → not-paid",
      "presented → not-paid",
      "presented → paid",
      "presenting → not-paid",
      "stacked → not-paid",
    ]
  `);
});

test('at any moment of a withdrawal whose notes nobody takes', { timeout: 300_000 }, async () => {
  const endings = await everyCut(async (customer) => {
    await customer.chooses('withdraw');
    await customer.asksFor(6_000);
    await customer.keys(PIN);
    await customer.sees('sorry', { code: 'cash-not-taken' });
  });
  expect(endings).toMatchInlineSnapshot(`
    [
      "authorised → not-paid",
      "authorising → interrupted",
      "authorising → not-paid",
      "begun → interrupted",
      "dispensing → not-paid",
      "presented → not-paid",
      "presenting → not-paid",
      "retracting → not-paid",
      "stacked → not-paid",
    ]
  `);
});

test('at any moment of a deposit', { timeout: 300_000 }, async () => {
  const endings = await everyCut(async (customer) => {
    await customer.chooses('deposit');
    await customer.inserts({ 1000: 1, 10000: 1 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
  });
  expect(endings).toMatchInlineSnapshot(`
    [
      "accepting → returned",
      "accepting → suspect",
      "begun → returned",
      "storing → stored",
      "storing → suspect",
    ]
  `);
});

test('at any moment of a deposit that is given back', { timeout: 300_000 }, async () => {
  const endings = await everyCut(async (customer) => {
    await customer.chooses('deposit');
    await customer.inserts({ 10000: 1 });
    await customer.cancels();
    await customer.sees('take-returned');
    await customer.takesReturned();
    await customer.sees('attract');
  });
  expect(endings).toMatchInlineSnapshot(`
    [
      "accepting → returned",
      "accepting → suspect",
      "begun → returned",
      "given-back → retracted",
      "given-back → returned",
      "returning → retracted",
      "returning → suspect",
    ]
  `);
});

test('at any moment of a deposit that is given back and left lying', { timeout: 300_000 }, async () => {
  const endings = await everyCut(async (customer) => {
    await customer.chooses('deposit');
    await customer.inserts({ 10000: 1 });
    await customer.cancels();
    await customer.sees('sorry', { code: 'notes-kept' });
  });
  expect(endings).toMatchInlineSnapshot(`
    [
      "accepting → returned",
      "accepting → suspect",
      "begun → returned",
      "given-back → retracted",
      "retracting → retracted",
      "returning → retracted",
      "returning → suspect",
    ]
  `);
});

test('at any moment of a transfer', { timeout: 300_000 }, async () => {
  const payee = await world.opensAccount('山田 太郎');
  const endings = await everyCut(
    async (customer) => {
      await customer.chooses('transfer');
      await customer.asksFor(10);
      await customer.pays(payee.accountNumber);
      await customer.keys(PIN);
      await customer.sees('confirm-transfer');
      await customer.confirms();
      await customer.wantsReceipt(false);
      await customer.sees('done');
    },
    {
      // Fewer questions after payees an hour than one person may ask.
      restMs: 240_000,
      check: async () => {
        const posted = atm.run.journal
          .transactions({ limit: 1_000 })
          .filter(({ service, state }) => service === 'transfer' && state === 'posted');
        const account = (await world.accounts()).find(({ accountId }) => accountId === payee.accountId);
        expect(account?.ledgerMinor, 'what arrived is what the journal says').toBe(10 * posted.length);
      },
    },
  );
  expect(endings).toMatchInlineSnapshot(`
    [
      "begun → interrupted",
      "sending → not-posted",
      "sending → posted",
    ]
  `);
});
