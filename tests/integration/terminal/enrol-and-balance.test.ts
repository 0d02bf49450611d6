/** Becoming known to the bank, and asking it what is there: neither moves money, both may go wrong half-way. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { reckon } from '../../support/reckoning.ts';
import { living, newFace, pictureOf, resembling } from '../../support/scripted-camera.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
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
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

const consents = () => atm.run.journal.consents({ limit: 5 });
const here = async () => (await world.people()).filter(({ enrolledBy }) => enrolledBy === atm.run.terminalId);
/** To the PIN. */
const begins = async (face: Float32Array) => {
  const { customer } = atm.run;
  customer.comes(face);
  await customer.chooses('enrol');
  await customer.agrees();
  await customer.sees('pin', { purpose: 'choose' });
};
const chooses = async (first: string, second = first) => {
  const { customer } = atm.run;
  await customer.sees('pin', { purpose: 'choose' });
  await customer.keys(first);
  await customer.sees('pin', { purpose: 'repeat' });
  await customer.keys(second);
};

describe('enrolment', () => {
  test('records the consent with its version, here and at the bank, and knows the face from then on', async () => {
    const { customer, gallery } = atm.run;
    await customer.sees('attract');
    await customer.speaks('en');
    await begins(newFace());
    await chooses(PIN);
    const done = await customer.sees('done', { service: 'enrol', amount: null, receipt: 'none' });
    expect(done).not.toHaveProperty('lookAlike');
    const [person] = await here();
    expect(consents()).toMatchObject([
      {
        version: customer.view && person?.consents[0]?.version,
        language: 'en',
        agreed: true,
        personId: person?.personId,
      },
    ]);
    expect(person).toMatchObject({
      status: 'enrolled',
      hasTemplate: true,
      pin: { failures: 0, lockedPairs: 0, onlyProven: false },
    });
    expect(person?.consents[0]).toMatchObject({ language: 'en', withdrawnAt: null });
    expect(gallery.size).toBe(1);
    await reckon(atm);
  });

  test('ends with a consent declined, which is recorded without a person', async () => {
    const { customer } = atm.run;
    customer.comes(newFace());
    await customer.chooses('enrol');
    await customer.agrees(false);
    await customer.sees('attract');
    expect(consents()).toMatchObject([{ agreed: false, personId: null, language: 'ja' }]);
    expect(await here()).toEqual([]);
    expect(atm.run.journal.head()).toBeNull();
  });

  test('takes consent to the text that is shown, and to no other', async () => {
    const { customer } = atm.run;
    await customer.chooses('enrol');
    await customer.sees('consent');
    for (const agreed of [true, false]) {
      for (const version of ['', '2019-01-01']) {
        expect(customer.says({ kind: 'answer-consent', version, agreed })).toMatchObject({ ok: false });
      }
    }
    await customer.waits(10);
    await customer.sees('consent');
    expect(consents()).toEqual([]);
  });

  test('refuses a face that is known already, and does not offer to try again', async () => {
    const { customer } = atm.run;
    const { face } = await enrolled(atm, newFace());
    customer.comes(face);
    await customer.chooses('enrol');
    await customer.agrees();
    await customer.sees('sorry', { code: 'already-enrolled' });
    expect(customer.view.offers).not.toContain('retry');
    expect(await here()).toHaveLength(1);
    await reckon(atm);
  });

  test('of somebody who resembles a known person names them and is told, and both need their PIN from then on', async () => {
    const first = await enrolled(atm, newFace());
    const face = resembling(first.face, 0.44);
    await begins(face);
    await chooses(PIN);
    await atm.run.customer.sees('done', { service: 'enrol', lookAlike: true });
    const second = (await here()).find(({ personId }) => personId !== first.personId);
    expect(second?.lookAlikeOf).toBe(first.personId);
    const shop = await world.terminal('checkout');
    const { customer, sync } = await shop.start();
    await sync.pull(never);
    for (const known of [first.face, face]) {
      customer.comes(known);
      await customer.sees('attract');
      await customer.shows('4900000000016');
      await customer.sees('basket');
      await customer.does('pay');
      await customer.sees('pin', { purpose: 'verify' });
      await customer.cancels();
      await customer.sees('sorry', { code: 'pin-cancelled' });
      await customer.cancels();
    }
    await reckon(shop);
    await shop.dispose();
  });

  test('is not for a reference that is like too many people, as one without features is', async () => {
    const { customer } = atm.run;
    const blank = newFace();
    for (let n = 0; n < 4; n++) await enrolled(atm, resembling(blank, 0.35));
    customer.comes(blank);
    await customer.chooses('enrol');
    await customer.agrees();
    await customer.sees('sorry', { code: 'poor-quality' });
    expect(customer.view.offers).toContain('retry');
    expect(await here()).toHaveLength(4);
    await reckon(atm);
  });

  test.each([
    ['a picture', 'presentation-attack', pictureOf],
    ['nobody', 'no-face', null],
  ] as const)('is not for %s', async (_, code, scene) => {
    const { customer } = atm.run;
    customer.stands(...(scene ? [scene(newFace())] : []));
    await customer.chooses('enrol');
    await customer.agrees();
    await customer.sees('sorry', { code });
    expect(await here()).toEqual([]);
    await reckon(atm);
  });

  test('is not for two at once', async () => {
    const { customer } = atm.run;
    customer.stands(living(newFace()), living(newFace()));
    await customer.chooses('enrol');
    await customer.agrees();
    await customer.sees('sorry', { code: 'several-faces' });
  });

  test('asks again for a PIN that was not repeated, or is too simple, and says which', async () => {
    const { customer } = atm.run;
    await begins(newFace());
    await chooses('4682E', '4683E');
    await customer.sees('pin', { purpose: 'choose', problem: 'mismatch' });
    await chooses('1234E');
    await customer.sees('pin', { purpose: 'choose', problem: 'too-simple' });
    await chooses(PIN);
    await customer.sees('done');
    expect(await here()).toHaveLength(1);
    await reckon(atm);
  });

  test('is nothing at all when it is given up at the PIN', async () => {
    const { customer } = atm.run;
    await begins(newFace());
    await customer.keys('46C');
    await customer.sees('sorry', { code: 'pin-cancelled' });
    expect(await here()).toEqual([]);
    expect(consents()).toEqual([]);
    await reckon(atm);
  });

  test.each(['down', 'no-answer', 'garbage'] as const)('says that the bank is needed when it is %s', async (fault) => {
    const { customer } = atm.run;
    await begins(newFace());
    world.disturb(fault, '/v1/enrolments', 1);
    await chooses(PIN);
    await customer.sees('sorry', { code: 'offline-service' });
    await reckon(atm);
  });

  test('whose answer was lost is whole at the bank, and known here once the feed was pulled', async () => {
    const { customer, sync } = atm.run;
    const face = newFace();
    await begins(face);
    world.disturb('answer-lost', '/v1/enrolments', 1);
    await chooses(PIN);
    await customer.sees('sorry', { code: 'offline-service' });
    await customer.cancels();
    expect(await here()).toMatchObject([{ status: 'enrolled', hasTemplate: true }]);
    await sync.pull(never);
    await customer.chooses('balance');
    await customer.keys(PIN);
    await customer.sees('balance', { available: { amountMinor: 0, currency: 'JPY' } as never });
    await reckon(atm);
  });

  test('does without a PIN pad by saying so', async () => {
    const { customer, simulated } = atm.run;
    customer.comes(newFace());
    await customer.chooses('enrol');
    await customer.agrees();
    await customer.sees('look');
    simulated.control.armFault({ device: 'pin-pad', fault: 'gone', mode: 'untilCleared' });
    await customer.sees('sorry', { code: 'device-unavailable' });
    await reckon(atm);
  });
});

describe('a balance', () => {
  test('is shown to face and PIN, ends with a touch, and leaves no transaction', async () => {
    const { customer, journal } = atm.run;
    await enrolled(atm, newFace(), { yen: 70_000 });
    const before = journal.transactions({ limit: 9 }).length;
    await customer.chooses('balance');
    await customer.keys(PIN);
    await customer.sees('balance', {
      available: { amountMinor: 70_000, currency: 'JPY' } as never,
      ledger: { amountMinor: 70_000, currency: 'JPY' } as never,
    });
    await customer.confirms();
    await customer.sees('done', { service: 'balance', amount: null, balance: null });
    expect(journal.transactions({ limit: 9 })).toHaveLength(before);
    await reckon(atm);
  });

  test('is not shown for a wrong PIN, and is for the right one after it', async () => {
    const { customer } = atm.run;
    await enrolled(atm, newFace(), { yen: 70_000 });
    await customer.chooses('balance');
    await customer.keys('1357E');
    await customer.sees('pin', { problem: 'wrong', attemptsLeft: 2 });
    await customer.keys(PIN);
    await customer.sees('balance');
    await reckon(atm);
  });

  test('does not stay on the screen for the next customer', async () => {
    const { customer } = atm.run;
    await enrolled(atm, newFace());
    await customer.chooses('balance');
    await customer.keys(PIN);
    await customer.sees('balance');
    await customer.waits(45_100);
    expect(customer.view.screen.name).not.toBe('balance');
  });

  test.each(['down', 'no-answer', 'garbage', 'wrong-shape'] as const)(
    'is not guessed when the bank is %s',
    async (fault) => {
      const { customer } = atm.run;
      await enrolled(atm, newFace());
      await customer.chooses('balance');
      world.disturb(fault, '/v1/authorisations', 1);
      await customer.keys(PIN);
      await customer.sees('sorry', { code: 'offline-service' });
      await reckon(atm);
    },
  );

  test('does without a PIN pad by saying so', async () => {
    const { customer, simulated } = atm.run;
    await enrolled(atm, newFace());
    await customer.chooses('balance');
    await customer.sees('pin');
    simulated.control.armFault({ device: 'pin-pad', fault: 'gone', mode: 'untilCleared' });
    await customer.sees('sorry', { code: 'device-unavailable' });
    await reckon(atm);
  });
});
