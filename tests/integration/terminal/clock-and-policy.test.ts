/**
 * A policy that expires, and a clock that is set, at a whole terminal: who is being served is served to the end, nobody new is, and what
 * mends it puts the terminal back into service by itself.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

const VALID_MS = 300_000;
const HOUR_MS = 3_600_000;

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld(undefined, { policyValidForMs: VALID_MS });
});
afterAll(() => world.close());
beforeEach(async () => {
  // A customer may stand before presented notes for longer than the policy lasts.
  atm = await world.terminal('atm', { patience: { takeMs: 2 * VALID_MS } });
  await atm.start();
  person = await registered(atm, newFace(), { yen: 50_000 });
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  world.mend();
  await atm.dispose();
});

const left = async () => (await world.balanceOf(person.personId))?.ledger;
const bankGoes = () => world.disturb('down', '/', Number.POSITIVE_INFINITY);

describe.each([
  ['a policy that expires', 'policy-expired', bankGoes, () => world.mend()],
  [
    'a clock that is set an hour ahead',
    'clock-wrong',
    () => atm.run.mains.setClockOff(HOUR_MS),
    () => atm.run.mains.setClockOff(0),
  ],
  [
    'a clock that is set an hour back',
    'clock-wrong',
    () => atm.run.mains.setClockOff(-HOUR_MS),
    () => atm.run.mains.setClockOff(0),
  ],
] as const)('%s', (_, reason, happens, mended) => {
  test('between visits puts the terminal out of service, until it is mended', async () => {
    const { customer } = atm.run;
    await customer.sees('attract');
    happens();
    expect(await customer.sees('out-of-service')).toEqual({ name: 'out-of-service', reason });
    expect(customer.says({ kind: 'begin' })).toMatchObject({ ok: false, code: 'not-offered' });
    mended();
    await customer.sees('attract');
    await reckon(atm);
    expect(await left()).toBe(50_000);
  });

  test('during a withdrawal lets it end, and serves nobody after it', async () => {
    const { customer } = atm.run;
    await customer.chooses('withdraw');
    await customer.asksFor(20_000);
    await customer.keys(PIN);
    await customer.sees('take-cash');
    happens();
    await world.clock.sleep(VALID_MS + 60_000, never);
    await customer.sees('take-cash');
    await customer.takesCash();
    await customer.wantsReceipt(false);
    expect(await customer.sees('done')).toMatchObject({ amount: { amountMinor: 20_000 } });
    await customer.confirms();
    expect(await customer.sees('out-of-service')).toEqual({ name: 'out-of-service', reason });
    mended();
    await customer.sees('attract');
    await reckon(atm);
    expect(await left()).toBe(30_000);
  });
});
