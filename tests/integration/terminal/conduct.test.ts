/** How a terminal conducts itself whatever is asked of it: what it refuses, how long it waits, and what it keeps to itself. */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { IntentKind } from '../../../src-contract/screen.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

let world: World;
let atm: TestedTerminal;
let person: Person;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal();
  await atm.start();
  person = await registered(atm, newFace(), { yen: 100_000 });
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

describe('an intent', () => {
  test.each([
    ['nothing', null],
    ['a word', 'begin'],
    ['no revision', { intent: { kind: 'begin' } }],
    ['a revision that is no number', { revision: '1', intent: { kind: 'begin' } }],
    ['a kind nobody knows', { revision: 1, intent: { kind: 'dispense' } }],
    ['more than it may carry', { revision: 1, intent: { kind: 'begin', amountMinor: 1 } }],
    ['a broken amount', { revision: 1, intent: { kind: 'choose-amount', amountMinor: 1.5 } }],
    ['a negative amount', { revision: 1, intent: { kind: 'choose-amount', amountMinor: -1 } }],
    ['an amount in words', { revision: 1, intent: { kind: 'choose-amount', amountMinor: '1000' } }],
    ['a prototype', JSON.parse('{"revision":1,"intent":{"kind":"begin","__proto__":{"x":1}}}')],
  ])('that is %s is refused as invalid, and changes nothing', async (_, message) => {
    const { customer, visits } = atm.run;
    const before = customer.view;
    expect(visits.handleIntent(message)).toMatchObject({ ok: false, code: 'invalid' });
    await customer.waits(10);
    expect(customer.view).toBe(before);
  });

  test('that the screen does not offer is refused, and changes nothing', async () => {
    const { customer } = atm.run;
    for (const intent of [
      { kind: 'choose-amount', amountMinor: 10_000 },
      { kind: 'confirm' },
      { kind: 'pay' },
      { kind: 'cancel' },
      { kind: 'retry' },
      { kind: 'extend' },
    ]) {
      expect(customer.says(intent)).toMatchObject({ ok: false, code: 'not-offered' });
    }
    await customer.sees('attract');
    await customer.does('begin');
    await customer.sees('menu');
    expect(customer.says({ kind: 'choose-service', service: 'purchase' })).toMatchObject({ code: 'not-offered' });
    await customer.waits(10);
    await customer.sees('menu');
  });

  test('that answers a screen which is gone is refused as stale; one from the future is invalid', async () => {
    const { customer } = atm.run;
    const attract = customer.view.revision;
    await customer.does('begin');
    await customer.sees('menu');
    expect(customer.says({ kind: 'choose-service', service: 'withdraw' }, attract)).toMatchObject({ code: 'stale' });
    expect(customer.says({ kind: 'cancel' }, customer.view.revision + 1)).toMatchObject({ code: 'invalid' });
    await customer.waits(10);
    await customer.sees('menu');
  });

  test('given twice takes effect once', async () => {
    const { customer } = atm.run;
    await customer.chooses('deposit');
    await customer.inserts({ 1000: 2 });
    const { revision } = customer.view;
    expect(customer.says({ kind: 'confirm' }, revision)).toEqual({ ok: true });
    customer.says({ kind: 'confirm' }, revision);
    await customer.sees('confirm-deposit');
    expect(customer.says({ kind: 'confirm' }, revision)).toMatchObject({ code: 'stale' });
    await customer.waits(100);
    await customer.sees('confirm-deposit');
    await customer.cancels();
    await customer.takesReturned();
    await customer.sees('attract');
    await reckon(atm);
  });

  test('of any kind, at any screen, neither breaks the terminal nor moves money without PIN or notes', {
    timeout: 120_000,
  }, async () => {
    const { customer, visits } = atm.run;
    const intent = fc.oneof(
      fc.record({ kind: fc.constantFrom(...IntentKind.options) }),
      fc.constantFrom(...(['enrol', 'deposit', 'withdraw', 'balance', 'purchase'] as const)).map((service) => ({
        kind: 'choose-service',
        service,
      })),
      fc.constantFrom('ja', 'en').map((language) => ({ kind: 'set-language', language })),
      fc
        .constantFrom(0, 1_000, 20_000, 1_500, 10_000_000)
        .map((amountMinor) => ({ kind: 'choose-amount', amountMinor })),
      fc.record({
        kind: fc.constant('answer-consent'),
        version: fc.oneof(fc.constant(''), fc.constant('2026-11-01'), fc.string({ maxLength: 50 })),
        agreed: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('choose-receipt'), print: fc.boolean() }),
      fc.record({
        kind: fc.constant('report-camera'),
        state: fc.constantFrom('running', 'not-found', 'haunted'),
        detail: fc.string({ maxLength: 400 }),
      }),
      fc.anything(),
    );
    const step = fc.record({
      intent,
      behind: fc.constantFrom(0, 0, 0, 0, 1, -1),
      waitMs: fc.constantFrom(0, 0, 100, 3_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        for (const one of steps) {
          const answer = visits.handleIntent({ revision: customer.view.revision - one.behind, intent: one.intent });
          expect(answer.ok || ['invalid', 'not-offered', 'stale'].includes(answer.code)).toBe(true);
          await customer.waits(one.waitMs);
        }
        expect(atm.failures).toEqual([]);
        expect(await world.balanceOf(person.personId)).toEqual({ ledger: 100_000, available: 100_000 });
      }),
      { numRuns: 40 },
    );
    await customer.sees('attract');
    await reckon(atm);
  });
});

describe('patience', () => {
  test.each(['deposit', 'withdraw', 'balance', 'enrol'] as const)(
    'with a customer who walks away from "%s" ends the visit, warns first, and keeps nothing of theirs',
    async (service) => {
      const { customer, simulated } = atm.run;
      await customer.chooses(service);
      if (service === 'balance') await customer.sees('pin');
      if (service === 'deposit') await customer.inserts({ 10000: 1 });
      if (service !== 'deposit' && service !== 'balance')
        await customer.sees(service === 'withdraw' ? 'amount' : 'consent');
      expect(customer.view.timeout).toMatchObject({ warnMs: 15_000 });
      expect(customer.view.timeout?.remainingMs).toBeGreaterThan(44_000);
      if (service === 'deposit') {
        await customer.sees('take-returned');
        await customer.takesReturned();
      }
      await customer.sees('attract');
      expect(Object.values(simulated.control.state().lights).every((pattern) => pattern === 'off')).toBe(true);
      await reckon(atm);
      expect(await world.balanceOf(person.personId)).toEqual({ ledger: 100_000, available: 100_000 });
    },
  );

  test('is renewed by asking for more time', async () => {
    const { customer } = atm.run;
    await customer.chooses('withdraw');
    await customer.sees('amount');
    for (let n = 0; n < 3; n += 1) {
      await customer.waits(40_000);
      await customer.does('extend');
      await customer.waits(10);
      expect(customer.view.timeout?.remainingMs).toBe(45_000);
    }
    await customer.sees('amount');
    await customer.waits(45_100);
    await customer.sees('attract');
  });
});

test('guide lights lead from the camera to the PIN pad, and are dark behind the customer', async () => {
  const { customer, simulated } = atm.run;
  const lit = () =>
    Object.entries(simulated.control.state().lights)
      .filter(([, pattern]) => pattern !== 'off')
      .map(([position, pattern]) => `${position} ${pattern}`);
  customer.leaves();
  await customer.chooses('balance');
  await customer.sees('look');
  expect(lit()).toEqual(['camera slowFlash']);
  customer.comes(person.face);
  await customer.sees('pin');
  await customer.waits(10);
  expect(lit()).toEqual(['pinPad slowFlash']);
  await customer.cancels();
  await customer.sees('sorry');
  expect(lit()).toEqual([]);
});

describe('the language', () => {
  test('can be changed at any screen, and nothing else changes with it', async () => {
    const { customer } = atm.run;
    const stays = async () => {
      const { screen, offers } = customer.view;
      for (const language of ['en', 'ja', 'en'] as const) {
        await customer.speaks(language);
        await customer.waits(1);
        expect(customer.view).toMatchObject({ language, screen, offers });
      }
    };
    await customer.sees('attract');
    await stays();
    await customer.chooses('withdraw');
    await customer.sees('amount');
    await stays();
    await customer.asksFor(1_000);
    await customer.sees('pin');
    await customer.keys('46');
    await customer.sees('pin', { digits: 2 });
    await stays();
    await customer.keys('82E');
    await customer.sees('take-cash');
    await stays();
    await customer.takesCash();
    await customer.sees('receipt');
    await stays();
    await customer.wantsReceipt();
    await customer.sees('done');
    await stays();
    await customer.sees('attract');
    await customer.waits(1);
    expect(customer.view.language).toBe('ja');
    await reckon(atm);
  });
});

test('no PIN, face, key or token is in any view, any log line or any file', async () => {
  const { customer } = atm.run;
  // A PIN that is not in anything by chance.
  const pin = '907163';
  const other = newFace();
  customer.comes(other);
  await customer.chooses('enrol');
  await customer.agrees();
  await customer.sees('pin', { purpose: 'choose' });
  await customer.keys(`${pin}E`);
  await customer.sees('pin', { purpose: 'repeat' });
  await customer.keys(`${pin}E`);
  await customer.sees('done');
  await customer.confirms();
  await customer.chooses('balance');
  await customer.keys(`${pin}E`);
  await customer.sees('balance');
  await customer.confirms();
  await customer.chooses('withdraw');
  await customer.asksFor(1_000);
  await customer.keys(`${pin}E`);
  await customer.sees('sorry', { code: 'insufficient-funds' });
  const { gallery } = atm.run;
  const template = Buffer.from(gallery.protectedTemplate(other).values, 'base64url');
  await reckon(atm);

  const texts = [...atm.views, ...atm.log];
  expect(texts.length).toBeGreaterThan(50);
  for (const text of texts) {
    expect(text).not.toContain(pin);
    expect(text).not.toMatch(/"embedding"|"jws"|"pinBlock"|eyJ[\w-]+\.|Bearer/);
    expect(text).not.toContain(template.toString('base64url').slice(0, 40));
  }
  const raw = Buffer.from(other.buffer).subarray(0, 64);
  for (const [path, bytes] of atm.files()) {
    expect(bytes.includes(pin), path).toBe(false);
    expect(bytes.includes(raw), `${path} holds a face`).toBe(false);
    // Nor anything the protected template would look like: at rest it is encrypted.
    expect(bytes.includes(template.subarray(0, 64)), `${path} holds a template`).toBe(false);
  }
  expect(PIN).not.toBe(pin);
});
