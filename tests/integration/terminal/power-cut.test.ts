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

/** Runs the visit with power cut at its n-th moment; its moments until then, and whether it ended before. */
async function cutAt(n: number, visit: Visit): Promise<{ moments: readonly string[]; ended: boolean }> {
  const { customer, mains } = atm.run;
  const begun = mains.moments.length;
  mains.cutAfter(n);
  try {
    customer.comes(person.face);
    await visit(customer);
  } catch (error) {
    // With the power gone, whatever the customer tried fails.
    if (!(error instanceof PowerCut) && atm.isOn) throw error;
  }
  const ended = atm.isOn;
  if (ended) await atm.stop();
  else await atm.lastMoment();
  return { moments: mains.moments.slice(begun), ended };
}

type Visit = (customer: TestCustomer) => Promise<void>;

interface Cuts {
  /** How interrupted transactions ended. */
  readonly endings: readonly string[];
  /** Of the visit when it was not cut. */
  readonly moments: readonly string[];
}

/** How many moments two visits surely have in common. Those of devices have no names of their own: none of the last ones is believed. */
function alike(moments: readonly string[], others: readonly string[]): number {
  let common = moments.findIndex((moment, at) => moment !== others[at]);
  while (common > 0 && moments[common - 1] === 'device') common -= 1;
  return common;
}

/**
 * Every cut in turn, each in the run that the restart after the one before began. Where the visit begins as another one that was cut at
 * every moment, the first cut is where it goes on otherwise: until then both are the same.
 */
async function everyCut(
  visit: Visit,
  {
    restMs = 0,
    check = async () => {},
    like = [],
  }: { restMs?: number; check?: () => Promise<void>; like?: readonly string[] } = {},
): Promise<Cuts> {
  const endings = new Set<string>();
  await fresh();
  let cuts = 0;
  for (let n = like.length > 0 ? Number.POSITIVE_INFINITY : 1; ; n += 1) {
    const { moments, ended } = await cutAt(n, visit);
    const { recovered, journal } = await atm.start();
    const suspects = journal.openTransactions().length;
    const told = `cut at moment ${n} (${ended ? 'none' : moments.at(-1)})`;
    expect(suspects, told).toBeLessThanOrEqual(1);
    expect(recovered.length, told).toBeLessThanOrEqual(1);
    await reckon(atm, { suspects }).catch((error: unknown) => {
      throw new Error(`${told}: ${(error as Error).message}`, { cause: error });
    });
    for (const { from, to } of recovered) endings.add(`${from} → ${to}`);
    await check();
    if (n === Number.POSITIVE_INFINITY) n = alike(moments, like);
    else if (ended) {
      expect(cuts, 'moments of its own').toBeGreaterThan(0);
      await atm.dispose();
      return { endings: [...endings].sort(), moments };
    } else cuts += 1;
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

const withdraws = async (customer: TestCustomer) => {
  await customer.chooses('withdraw');
  await customer.asksFor(6_000);
  await customer.keys(PIN);
};
test('at any moment of a withdrawal whose notes are taken, and of one whose notes nobody takes', {
  timeout: 300_000,
}, async () => {
  const taken = await everyCut(async (customer) => {
    await withdraws(customer);
    await customer.takesCash();
    await customer.wantsReceipt(false);
    await customer.sees('done');
  });
  expect(taken.endings).toMatchInlineSnapshot(`
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
  const left = await everyCut(
    async (customer) => {
      await withdraws(customer);
      await customer.sees('sorry', { code: 'cash-not-taken' });
    },
    { like: taken.moments },
  );
  expect(left.endings).toMatchInlineSnapshot(`
    [
      "presented → not-paid",
      "retracting → not-paid",
    ]
  `);
});

test('at any moment of a deposit that is agreed to, of one that is given back, and of one that is left lying', {
  timeout: 300_000,
}, async () => {
  const stored = await everyCut(async (customer) => {
    await customer.chooses('deposit');
    await customer.inserts({ 1000: 1, 10000: 1 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
  });
  expect(stored.endings).toMatchInlineSnapshot(`
    [
      "accepting → returned",
      "accepting → suspect",
      "begun → returned",
      "storing → stored",
      "storing → suspect",
    ]
  `);
  const givesUp = async (customer: TestCustomer) => {
    await customer.chooses('deposit');
    await customer.inserts({ 1000: 1, 10000: 1 });
    await customer.cancels();
  };
  const returned = await everyCut(
    async (customer) => {
      await givesUp(customer);
      await customer.sees('take-returned');
      await customer.takesReturned();
      await customer.sees('attract');
    },
    { like: stored.moments },
  );
  expect(returned.endings).toMatchInlineSnapshot(`
    [
      "accepting → returned",
      "accepting → suspect",
      "given-back → retracted",
      "given-back → returned",
      "returning → retracted",
      "returning → suspect",
    ]
  `);
  const kept = await everyCut(
    async (customer) => {
      await givesUp(customer);
      await customer.sees('sorry', { code: 'notes-kept' });
    },
    { like: returned.moments },
  );
  expect(kept.endings).toMatchInlineSnapshot(`
    [
      "given-back → retracted",
      "retracting → retracted",
    ]
  `);
});

test('at any moment of a transfer', { timeout: 300_000 }, async () => {
  const payee = await world.opensAccount('山田 太郎');
  const { endings } = await everyCut(
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
