/**
 * What no device can say is counted by a technician. Whatever breaks on the way, the count is the transaction's end exactly once, the
 * bank hears of it exactly once, and it moves money only under a code of the bank's staff.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CountOrder } from '../../../src-main/session/suspects.ts';
import { incidentsAt, reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { SecureElement } from '../../support/secured-dispenser.ts';
import { never, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
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

async function machine(secured = false) {
  const element = secured ? new SecureElement() : undefined;
  atm = await world.terminal('atm', element ? { element } : {});
  const { terminalId } = await atm.start();
  if (element) await world.admin.post(`/admin/terminals/${terminalId}/dispenser-keys`, element.keys.keysHex);
  person = await registered(atm, newFace(), { yen: 100_000 });
}

/** Asks for ¥20,000; the notes are shown, and the dispenser loses track of them while the customer takes all of them. */
async function suspectWithdrawal(): Promise<string> {
  const { customer, simulated } = atm.run;
  await customer.chooses('withdraw');
  await customer.asksFor(20_000);
  await customer.sees('pin', { purpose: 'verify' });
  simulated.control.armFault({ device: 'cash-dispenser', fault: 'present-unknown' });
  await customer.keys(PIN);
  await customer.sees('sorry', { code: 'suspect' });
  await customer.cancels();
  return atm.run.suspects.list()[0]!.transactionId;
}

/** Puts ¥40,000 in and agrees; the transport jams half way to the units. */
async function suspectDeposit(): Promise<string> {
  const { customer, simulated } = atm.run;
  customer.comes(person.face);
  await customer.chooses('deposit');
  await customer.inserts({ 10000: 4 });
  await customer.confirms();
  await customer.sees('confirm-deposit');
  simulated.control.armFault({ device: 'cash-acceptor', fault: 'jam-on-store' });
  await customer.confirms();
  await customer.sees('sorry', { code: 'suspect' });
  await customer.cancels();
  return atm.run.suspects.list()[0]!.transactionId;
}

const code = async (more: object = {}) =>
  (await world.admin.post<{ code: string }>('/admin/technician-codes', { terminalId: atm.run.terminalId, ...more }))
    .body.code;
const counted = async (
  transactionId: string,
  yen: number,
  technicianCode: string | null,
  change: Partial<CountOrder> = {},
) =>
  await atm.run.suspects.count(
    {
      transactionId,
      currency: 'JPY',
      notes: [
        { denominationMinor: 10_000, count: Math.floor(yen / 10_000) },
        { denominationMinor: 1_000, count: (yen % 10_000) / 1_000 },
      ],
      staffId: 'tanaka.k',
      note: 'transport cleared by hand',
      technicianCode,
      ...change,
    },
    never,
  );
const clears = async (transactionId: string) => await atm.run.suspects.clear(transactionId, never);
const left = async () => await world.balanceOf(person.personId);
/** What a physical count says the customer went away with. */
const reallyOut = (before: number) => (atm.run.till()?.netOutMinor ?? 0) - before;
const countsAtBank = async () => {
  type Row = { terminalId: string; state: string; code: string; countedMinor: number };
  const { body } = await world.admin.get<{ counts: Row[] }>('/admin/counts');
  return body.counts.filter(({ terminalId }) => terminalId === atm.run.terminalId);
};
const isOffered = async (service: string) => {
  const { customer } = atm.run;
  await customer.sees('attract');
  await customer.does('begin');
  const { services } = await customer.sees('menu');
  await customer.cancels();
  return services.find((one) => one.service === service)?.available;
};

describe.each([
  ['under a token', true],
  ['without tokens', false],
])('a suspect withdrawal %s', (_, secured) => {
  beforeEach(() => machine(secured));

  test('is shown with its evidence, and with nobody’s name', async () => {
    const transactionId = await suspectWithdrawal();
    const [suspect] = atm.run.suspects.list();
    expect(suspect).toMatchObject({
      transactionId,
      service: 'withdraw',
      device: 'cash-dispenser',
      amount: { amountMinor: 20_000 },
      cleared: false,
    });
    expect(suspect!.events.map(({ state }) => state)).toEqual(
      expect.arrayContaining(['authorised', 'dispensing', 'presenting', 'suspect']),
    );
    expect(suspect!.events.at(-1)?.evidence).toMatchObject({ status: { state: 'unknown' } });
    const text = JSON.stringify(suspect);
    expect(text).not.toContain(person.personId);
    expect(text).not.toMatch(/Key|Nonce|Proof|token/);
  });

  test.each([
    ['was taken', true],
    ['was left lying', false],
  ])('whose cash %s is charged what the customer got, and the dispenser serves again', async (_, taken) => {
    const before = atm.run.till()!.netOutMinor;
    const transactionId = await suspectWithdrawal();
    // The customer took the notes, or left them lying: what the clearing finds of them is not theirs.
    if (taken) await atm.run.simulated.control.takeNotes();
    expect(await clears(transactionId)).toEqual({ outcome: 'cleared', intoBinsMinor: taken ? 0 : 20_000 });
    const got = reallyOut(before);
    expect(got).toBe(taken ? 20_000 : 0);
    expect(await counted(transactionId, got, await code())).toEqual({ outcome: 'settled', bank: 'told' });
    expect(await left()).toEqual({ ledger: 100_000 - got, available: 100_000 - got });
    expect(atm.run.suspects.list()).toEqual([]);
    expect(await isOffered('withdraw')).toBe(true);
    await reckon(atm);
    await atm.stop();
    expect((await atm.start()).recovered).toEqual([]);
    expect(await isOffered('withdraw')).toBe(true);
  });
});

describe('a suspect deposit', () => {
  beforeEach(() => machine());

  test('is credited with what the machine kept', async () => {
    const transactionId = await suspectDeposit();
    await clears(transactionId);
    expect(await counted(transactionId, 40_000, await code())).toEqual({ outcome: 'settled', bank: 'told' });
    expect(await left()).toEqual({ ledger: 140_000, available: 140_000 });
    expect(await isOffered('deposit')).toBe(true);
    await reckon(atm);
  });

  test('counted while the bank is away is told when it is back, once', async () => {
    const transactionId = await suspectDeposit();
    await clears(transactionId);
    const oneTime = await code();
    world.disturb('down', '/', Number.POSITIVE_INFINITY);
    expect(await counted(transactionId, 40_000, oneTime)).toEqual({ outcome: 'settled', bank: 'later' });
    world.mend();
    world.disturb('answer-lost', '/v1/counts');
    await world.clock.sleep(60_000, never);
    expect(await left()).toEqual({ ledger: 140_000, available: 140_000 });
    expect(await countsAtBank()).toMatchObject([{ state: 'settled', code: 'valid', countedMinor: 40_000 }]);
    await reckon(atm);
  });

  test('without a code that is good for it stays with the bank’s staff, and the machine serves', async () => {
    const transactionId = await suspectDeposit();
    await clears(transactionId);
    expect(await counted(transactionId, 40_000, 'ABCD-EFGH-2345')).toMatchObject({ outcome: 'settled' });
    expect(await left()).toEqual({ ledger: 100_000, available: 100_000 });
    expect(await countsAtBank()).toMatchObject([{ state: 'held', code: 'unknown' }]);
    expect(await incidentsAt(atm)).toEqual(['count-without-code']);
    expect(atm.alarms).toMatchObject([{ kind: 'bank-holds' }]);
    expect(await isOffered('deposit')).toBe(true);
  });
});

describe('a count', () => {
  beforeEach(() => machine());

  test('waits for the machine to be cleared, and again when notes are in its path', async () => {
    const transactionId = await suspectWithdrawal();
    const early = await counted(transactionId, 20_000, await code());
    expect(early).toMatchObject({ outcome: 'refused', field: 'device' });
    expect(atm.run.suspects.list()).toHaveLength(1);
    await clears(transactionId);
    atm.run.simulated.control.armFault({ device: 'cash-dispenser', fault: 'gone', mode: 'untilCleared' });
    expect(await counted(transactionId, 20_000, await code())).toMatchObject({ outcome: 'refused', field: 'device' });
    atm.run.simulated.control.clearFault();
    expect(await counted(transactionId, 20_000, await code())).toMatchObject({ outcome: 'settled' });
  });

  test('that cannot be true is refused by the name of the field, and changes nothing', async () => {
    const transactionId = await suspectWithdrawal();
    await clears(transactionId);
    const oneTime = await code();
    const events = atm.run.journal.transaction(transactionId as never)!.events.length;
    const twice = [1, 2].map((count) => ({ denominationMinor: 1_000 as const, count }));
    for (const [order, field] of [
      [counted(transactionId, 21_000, oneTime), 'notes'],
      [counted(transactionId, 0, oneTime, { notes: twice }), 'notes'],
      [counted(person.personId, 1_000, oneTime), 'transactionId'],
    ] as const) {
      expect(await order).toMatchObject({ outcome: 'refused', field });
    }
    expect(atm.run.journal.transaction(transactionId as never)!.events).toHaveLength(events);
    expect([...atm.run.blocked]).toEqual(['cash-dispenser']);
  });

  test('is taken once, however often it is entered at once', async () => {
    const transactionId = await suspectWithdrawal();
    await clears(transactionId);
    const oneTime = await code();
    const all = await Promise.all([20_000, 10_000, 0].map((yen) => counted(transactionId, yen, oneTime)));
    expect(all.filter(({ outcome }) => outcome === 'settled')).toHaveLength(1);
    expect(await counted(transactionId, 0, oneTime)).toMatchObject({ outcome: 'refused', field: 'transactionId' });
    expect(await countsAtBank()).toHaveLength(1);
  });

  test.each([
    ['deposit', 40_000, 140_000],
    ['withdrawal', 20_000, 80_000],
  ] as const)(
    'of a %s that loses its power at any moment is entered again, and counts once',
    {
      timeout: 120_000,
    },
    async (what, yen, leftMinor) => {
      const transactionId = what === 'deposit' ? await suspectDeposit() : await suspectWithdrawal();
      if (what === 'withdrawal') await atm.run.simulated.control.takeNotes();
      await atm.stop();
      const oneTime = await code2();
      let ended = false;
      for (let moment = 1; !ended; moment += 1) {
        try {
          await atm.start(moment);
          const { mains, suspects } = atm.run;
          const cut = new Promise<never>((_, reject) =>
            mains.onCut(() => reject(new PowerCut('while it was counted'))),
          );
          const work = async () => {
            if (suspects.list().length === 0) return;
            // The first round with the bank is over: it does not know of the plug.
            await world.clock.sleep(1_000, never);
            await clears(transactionId);
            await counted(transactionId, yen, oneTime);
          };
          await Promise.race([work(), cut]);
          ended = atm.isOn;
        } catch (error) {
          if (!(error instanceof PowerCut) && atm.isOn) throw error;
        }
        if (atm.isOn) await atm.stop();
        else await atm.lastMoment();
      }
      await atm.start();
      await reckon(atm);
      expect(await left()).toEqual({ ledger: leftMinor, available: leftMinor });
      expect(await countsAtBank()).toMatchObject([{ state: 'settled', code: 'valid' }]);
    },
  );
});

/** A code for a terminal that is switched off, good for the whole day. */
async function code2(): Promise<string> {
  await atm.start();
  const made = await code({ expiresInS: 86_400 });
  await atm.stop();
  return made;
}
