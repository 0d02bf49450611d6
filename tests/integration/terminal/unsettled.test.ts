/**
 * What a machine promises beside a withdrawal that has not ended: all that is in its units where no note of that withdrawal can move
 * any more, and nothing at all where one can.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LOAD } from '../../../src-main/devices/simulated/cash-state.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, type Person, PIN } from '../../support/visits.ts';

/** Little enough that every note counts: 7 of 10,000, with the 10 that the person brings 17. */
const LOAD = DEFAULT_LOAD.map((unit) =>
  unit.kind === 'recycle' ? { ...unit, count: unit.id === 'CST3' ? 7 : 0 } : unit,
);
const ALL_MINOR = 170_000;

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal('atm', { load: LOAD });
  await atm.start();
  person = await enrolled(atm, newFace(), { yen: 100_000 });
});
afterEach(() => atm.dispose());

const asks = async (yen: number) => {
  await atm.run.customer.chooses('withdraw');
  await atm.run.customer.asksFor(yen);
  await atm.run.customer.sees('pin');
};
/** What the screen says can be asked for. */
const promised = async () => {
  await atm.run.customer.chooses('withdraw');
  const { maxMinor } = await atm.run.customer.sees('amount');
  await atm.run.customer.cancels();
  await atm.run.customer.sees('attract');
  return maxMinor;
};
const isOffered = async (service: string) => {
  await atm.run.customer.sees('attract');
  await atm.run.customer.does('begin');
  const { services } = await atm.run.customer.sees('menu');
  await atm.run.customer.cancels();
  return services.find((one) => one.service === service);
};
const inUnits = () => atm.run.simulated.control.state().cash!.units.find(({ id }) => id === 'CST3')?.notes;

test('a withdrawal that waits for the bank needs no note: all that is there is promised, and it is all there afterwards', async () => {
  await asks(100_000);
  world.disturb('no-answer', '/v1/authorisations');
  await atm.run.customer.keys(PIN);
  await world.clock.sleep(2_000, never);
  await atm.cutPower();
  world.mend();
  world.disturb('garbage', '/v1/inquiries', Number.POSITIVE_INFINITY);
  const { journal, customer } = await atm.start();
  customer.comes(person.face);
  const [open] = journal.openTransactions();
  expect(open).toMatchObject({ service: 'withdraw', state: 'asking-bank' });
  expect(open?.events.map(({ state }) => state)).not.toContain('dispensing');
  await customer.waits(10_000);
  expect(await promised()).toBe(ALL_MINOR);
  expect(journal.openTransactions()).toHaveLength(1);
  world.mend();
  await world.clock.sleep(120_000, never);
  expect(journal.transaction(open!.transactionId)).toMatchObject({ state: 'not-paid', final: true });
  expect(inUnits()).toEqual([{ denominationMinor: 10_000, count: 17 }]);
  expect(await promised()).toBe(ALL_MINOR);
  await reckon(atm);
});

describe('a visit that broke down', () => {
  test.each(['stacked', 'presented', 'paid'])(
    'at "%s" leaves its notes to the restart, and its dispenser serves nobody until then',
    async (state) => {
      const { journal, customer } = atm.run;
      await asks(100_000);
      const { record } = journal;
      // No disk's doing: what a bug would throw. The journal goes on for everybody else.
      let reached = false;
      const broken: typeof record = (transactionId, event, messages) => {
        reached ||= event.state === state;
        if (reached) throw new TypeError('a bug');
        record(transactionId, event, messages);
      };
      Object.assign(journal, { record: broken });
      await customer.keys(PIN);
      if (state === 'paid') await customer.takesCash();
      await customer.sees('sorry', { code: 'suspect' });
      Object.assign(journal, { record });
      await customer.cancels();
      expect(journal.openTransactions()).toHaveLength(1);
      expect(journal.storage.trouble).toBeNull();
      expect(await isOffered('withdraw')).toMatchObject({ available: false, reason: 'device-unavailable' });
      expect(await isOffered('deposit')).toMatchObject({ available: true });
      await atm.stop();
      const { recovered } = await atm.start();
      expect(recovered).toHaveLength(1);
      atm.run.customer.comes(person.face);
      expect(await isOffered('withdraw')).toMatchObject({ available: true });
      // Notes that nobody took lie in the bins, and are promised to nobody.
      expect(await promised()).toBe(70_000);
      await reckon(atm);
      expect((await world.balanceOf(person.personId))?.ledger).toBe(state === 'paid' ? 0 : 100_000);
    },
  );
});
