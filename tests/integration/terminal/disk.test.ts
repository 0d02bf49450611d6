/** A whole terminal whose disk fails it: who comes is told, what has begun ends, and nobody is served who could not be written down. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, PIN } from '../../support/visits.ts';

let world: World;
let atm: TestedTerminal;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal();
  await atm.start();
});
afterEach(() => atm.dispose());

test('damage that is found while nobody is there puts the terminal out of service', async () => {
  const { customer, journal, visits } = atm.run;
  await customer.sees('attract');
  journal.storage.foundDamage('page 7 is not what it was');
  expect(await customer.sees('out-of-service')).toEqual({ name: 'out-of-service', reason: 'storage' });
  expect(visits.idle).toBe(true);
  expect(journal.storage.trouble?.message).toContain('journal.sqlite');
  expect(journal.transactions({ limit: 5 })).toEqual([]);
});

test('damage that is found during a withdrawal lets it end, and serves nobody after it', async () => {
  const person = await enrolled(atm, newFace(), { yen: 50_000 });
  const { customer, journal } = atm.run;
  await customer.chooses('withdraw');
  await customer.asksFor(10_000);
  await customer.keys(PIN);
  await customer.sees('take-cash');
  journal.storage.foundDamage('page 7 is not what it was');
  await customer.takesCash();
  await customer.wantsReceipt();
  await customer.sees('done');
  expect(await customer.sees('out-of-service')).toMatchObject({ reason: 'storage' });
  expect(journal.transactions({ limit: 1 })).toMatchObject([{ state: 'paid', final: true }]);
  await atm.run.sync.flush(new AbortController().signal);
  expect((await world.balanceOf(person.personId))?.ledger).toBe(40_000);
});
