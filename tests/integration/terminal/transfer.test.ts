/**
 * Transfers at a whole terminal: who learns a name, who is paid, and what a customer is told when an answer does not come. After
 * each, journal, bank and both accounts agree to the yen.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { obeying } from '../../support/obeying.ts';
import { reckon } from '../../support/reckoning.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { type LineFault, openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { type Person, PIN, registered } from '../../support/visits.ts';

const NOBODYS = '0000000000';

let world: World;
let atm: TestedTerminal;
let payer: Person;
let payee: { readonly accountId: string; readonly accountNumber: string };
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  atm = await world.terminal();
  await atm.start();
  payer = await registered(atm, newFace(), { yen: 100_000 });
  payee = await world.opensAccount('山田 太郎');
});
afterEach(async () => {
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

/** Up to the PIN. */
const asks = async (yen: number, number = payee.accountNumber) => {
  const { customer } = atm.run;
  await customer.chooses('transfer');
  await customer.asksFor(yen);
  await customer.pays(number);
  await customer.sees('pin', { purpose: 'verify' });
};
/** Up to the question whether all is right. */
const prepares = async (yen: number) => {
  await asks(yen);
  await atm.run.customer.keys(PIN);
  return await atm.run.customer.sees('confirm-transfer');
};
const left = async () => (await world.balanceOf(payer.personId))?.available;
const received = async () =>
  (await world.accounts()).find(({ accountId }) => accountId === payee.accountId)?.ledgerMinor;
const transfers = () => atm.run.journal.transactions({ limit: 50 }).filter(({ service }) => service === 'transfer');
const postings = async () =>
  (await world.entries()).filter(({ kind, terminalId }) => kind === 'transfer' && terminalId === atm.run.terminalId);
/** Until the bank was asked about everything that waits for its word. */
const settled = async () => {
  world.mend();
  for (let waited = 0; atm.run.journal.openTransactions().length > 0; waited += 1) {
    expect(waited, 'it does not settle').toBeLessThan(30);
    await atm.run.customer.waits(10_000);
  }
};

describe('a transfer', () => {
  test('is to whom the bank says, how much and what remains; confirmed, it is done once', async () => {
    const { customer } = atm.run;
    expect(await prepares(8_000)).toEqual({
      name: 'confirm-transfer',
      payee: { accountNumber: payee.accountNumber, name: '山＊ 太＊' },
      amount: { amountMinor: 8_000, currency: 'JPY' },
      remains: { amountMinor: 92_000, currency: 'JPY' },
    });
    expect(await received()).toBe(0);
    await customer.confirms();
    expect(await customer.sees('receipt')).toMatchObject({ service: 'transfer', balance: { amountMinor: 92_000 } });
    await customer.wantsReceipt();
    expect(await customer.sees('done')).toMatchObject({
      service: 'transfer',
      amount: { amountMinor: 8_000 },
      balance: { amountMinor: 92_000 },
      receipt: 'printed',
    });
    await customer.sees('attract');
    await reckon(atm);
    expect([await left(), await received()]).toEqual([92_000, 8_000]);
    expect(await postings()).toHaveLength(1);
    expect(transfers().map(({ events }) => events.map(({ state }) => state))).toEqual([['begun', 'sending', 'posted']]);
  });

  test('leaves no name and no account number in log, journal or match result', async () => {
    await prepares(1_000);
    await atm.run.customer.confirms();
    await atm.run.customer.wantsReceipt(false);
    await atm.run.customer.sees('done');
    await reckon(atm);
    const { body } = await world.admin.get<{ results: { jws: string }[] }>(
      `/admin/results?terminalId=${atm.run.terminalId}`,
    );
    const signed = body.results.map(({ jws }) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
    expect(signed.some((text) => text.includes('"transfer"'))).toBe(true);
    const files = [...atm.files().values()].map((bytes) => bytes.toString('latin1'));
    for (const secret of [payee.accountNumber, '山＊', '山田']) {
      expect([...atm.log, ...signed].join('')).not.toContain(secret);
      const bytes = Buffer.from(secret).toString('latin1');
      for (const file of files) expect(file.includes(bytes)).toBe(false);
    }
  });

  test('to an account without a name says so, and goes there all the same', async () => {
    payee = await world.opensAccount(null);
    expect(await prepares(1_000)).toMatchObject({ payee: { name: null } });
    await atm.run.customer.confirms();
    await atm.run.customer.wantsReceipt(false);
    await atm.run.customer.sees('done');
    expect(await received()).toBe(1_000);
    await reckon(atm);
  });

  test('is not made by who says no, walks away, or never answers', async () => {
    const { customer } = atm.run;
    await prepares(1_000);
    await customer.cancels();
    await customer.sees('attract');
    await prepares(1_000);
    await customer.waits(60_000);
    await customer.sees('attract');
    expect(transfers()).toEqual([]);
    expect([await left(), await received()]).toEqual([100_000, 0]);
    await reckon(atm);
  });
});

describe('what the customer can put right', () => {
  test.each<['unknown' | 'closed' | 'own-account', () => Promise<string>]>([
    ['unknown', async () => NOBODYS],
    ['closed', async () => (await world.opensAccount('X', { closed: true })).accountNumber],
    ['own-account', async () => await world.numberOf(payer.personId)],
  ])('a number that is wrong (%s) is keyed in anew, without the PIN and another look', async (problem, number) => {
    const { customer } = atm.run;
    const wrong = await number();
    await asks(8_000, wrong);
    await customer.keys(PIN);
    expect(await customer.sees('payee')).toMatchObject({ entered: wrong, problem });
    await customer.pays(payee.accountNumber);
    await customer.sees('confirm-transfer');
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    expect([await left(), await received()]).toEqual([92_000, 8_000]);
    await reckon(atm);
  });

  test('the amount, with another look and no PIN, and the payee is still the same', async () => {
    const { customer } = atm.run;
    await prepares(80_000);
    await customer.corrects('amount');
    await customer.asksFor(8_000);
    await customer.sees('look');
    expect(await customer.sees('confirm-transfer')).toMatchObject({
      payee: { accountNumber: payee.accountNumber },
      amount: { amountMinor: 8_000 },
      remains: { amountMinor: 92_000 },
    });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    expect([await left(), await received()]).toEqual([92_000, 8_000]);
    await reckon(atm);
  });

  test('the payee, on the last screen before it is done', async () => {
    const { customer } = atm.run;
    const other = await world.opensAccount('Franck Dubois');
    await prepares(8_000);
    await customer.corrects('payee');
    expect(await customer.sees('payee')).toMatchObject({ entered: payee.accountNumber, problem: null });
    await customer.pays(other.accountNumber);
    expect(await customer.sees('confirm-transfer')).toMatchObject({ payee: { name: 'F*** D***' } });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    expect(await received()).toBe(0);
    payee = other;
    expect(await received()).toBe(8_000);
    await reckon(atm);
  });

  test('more than there is, and what there is for', async () => {
    const { customer } = atm.run;
    atm.run.camera.acting = obeying(() => customer.view);
    await asks(120_000);
    await customer.keys(PIN);
    const { refused } = await customer.sees('amount', { refused: { reason: 'insufficient-funds' } as never });
    expect(refused).toMatchObject({ askedMinor: 120_000, possibleMinor: [10_000, 30_000, 50_000, 100_000] });
    await customer.asksFor(100_000);
    await customer.sees('confirm-transfer', { remains: { amountMinor: 0 } as never });
    await customer.confirms();
    await customer.wantsReceipt(false);
    await customer.sees('done');
    expect([await left(), await received()]).toEqual([0, 100_000]);
    await reckon(atm);
  });

  test('more than is allowed at one time, before anything else is asked', async () => {
    const { customer } = atm.run;
    await customer.chooses('transfer');
    await customer.asksFor(500_001);
    expect((await customer.sees('amount', { refused: { reason: 'over-limit' } as never })).refused).toMatchObject({
      possibleMinor: [10_000, 30_000, 50_000, 100_000],
    });
    await customer.asksFor(0);
    await customer.sees('amount', { refused: { askedMinor: 0 } as never });
    expect(customer.says({ kind: 'enter-payee', accountNumber: payee.accountNumber })).toMatchObject({
      code: 'not-offered',
    });
    await customer.cancels();
    await reckon(atm);
  });

  test('a wrong PIN, and the name is shown only after the right one', async () => {
    const { customer } = atm.run;
    await asks(8_000);
    await customer.keys('1357E');
    await customer.sees('pin', { problem: 'wrong', attemptsLeft: 2 });
    expect(atm.views.join('')).not.toContain('山＊');
    await customer.keys(PIN);
    await customer.sees('confirm-transfer');
    await customer.cancels();
    await reckon(atm);
  });
});

describe('nobody learns a name', () => {
  const questions = () => world.requests.filter((path) => path.includes('payees')).length;

  test('who is a stranger, or only knows the number', async () => {
    const { customer } = atm.run;
    const before = questions();
    customer.comes(newFace());
    await customer.chooses('transfer');
    await customer.asksFor(1_000);
    await customer.pays(payee.accountNumber);
    await customer.sees('sorry', { code: 'nobody' });
    expect(atm.views.join('')).not.toContain('山＊');
    expect(questions()).toBe(before);
    await customer.cancels();
    await reckon(atm);
  });

  test('whose PIN is locked, for every further try', async () => {
    const { customer } = atm.run;
    await asks(1_000);
    for (const attemptsLeft of [2, 1]) {
      await customer.keys('1357E');
      await customer.sees('pin', { problem: 'wrong', attemptsLeft });
    }
    await customer.keys('1357E');
    await customer.sees('sorry', { code: 'pin-locked' });
    expect(atm.views.join('')).not.toContain('山＊');
    await customer.cancels();
    await reckon(atm);
  });

  test('who steps before the camera in another’s place after the PIN', async () => {
    const { customer } = atm.run;
    await prepares(8_000);
    await customer.corrects('amount');
    customer.comes(newFace());
    await customer.asksFor(1_000);
    await customer.sees('sorry', { code: 'nobody' });
    await customer.cancels();
    expect([await left(), await received()]).toEqual([100_000, 0]);
    await reckon(atm);
  });

  test('who tries number after number: it ends, and the bank has an incident', async () => {
    const { customer } = atm.run;
    await asks(1_000, NOBODYS);
    await customer.keys(PIN);
    for (let tried = 1; tried < 20; tried += 1) {
      await customer.sees('payee', { entered: String(tried - 1).padStart(10, '0'), problem: 'unknown' });
      await customer.pays(String(tried).padStart(10, '0'));
    }
    await customer.sees('payee', { entered: '0000000019', problem: 'unknown' });
    await customer.pays(payee.accountNumber);
    await customer.sees('sorry', { code: 'payee-limit' });
    expect(customer.view.offers).not.toContain('retry');
    expect(atm.views.join('')).not.toContain('山＊');
    await reckon(atm, { suspects: 0, incidents: ['payee-limit'] });
  });
});

describe('the screen', () => {
  test.each([
    ['a number of nine digits', { kind: 'enter-payee', accountNumber: '123456789' }, 'invalid'],
    ['a number with letters', { kind: 'enter-payee', accountNumber: '12345abcde' }, 'invalid'],
    ['a yes before anybody was asked', { kind: 'confirm' }, 'not-offered'],
    ['another payee than one can go back to', { kind: 'correct', what: 'payee' }, 'not-offered'],
  ])('cannot say %s', async (_, intent, code) => {
    const { customer } = atm.run;
    await customer.chooses('transfer');
    await customer.asksFor(1_000);
    await customer.sees('payee');
    expect(customer.says(intent)).toMatchObject({ ok: false, code });
    await customer.cancels();
  });
});

describe('the bank', () => {
  test.each<[string, LineFault, string]>([
    ['cannot be reached', 'down', '/v1/'],
    ['answers garbage to the question after the payee', 'garbage', '/v1/payees'],
    ['never answers to the question after the payee', 'no-answer', '/v1/payees'],
    ['never answers to match results', 'no-answer', '/v1/results'],
  ])('that %s moves nothing', async (_, fault, to) => {
    const { customer } = atm.run;
    await asks(8_000);
    world.disturb(fault, to, Number.POSITIVE_INFINITY);
    await customer.keys(PIN);
    await customer.sees('sorry', { code: 'offline-service' });
    await reckon(atm);
    expect(transfers()).toEqual([]);
    expect([await left(), await received()]).toEqual([100_000, 0]);
  });

  test('whose answer about the payee was lost is asked again, with the PIN that was keyed once', async () => {
    const { customer } = atm.run;
    await asks(8_000);
    world.disturb('answer-lost', '/v1/payees');
    await customer.keys(PIN);
    await customer.sees('confirm-transfer');
    await customer.cancels();
    await reckon(atm);
  });

  test.each<[string, LineFault, string]>([
    ['whose answer is lost', 'answer-lost', '/v1/transfers'],
    ['whose answer is garbage', 'garbage', '/v1/transfers'],
    ['whose answer has another shape', 'wrong-shape', '/v1/transfers'],
    ['that does not answer in time', 'no-answer', '/v1/transfers'],
    ['that never got the request', 'down', '/v1/transfers'],
    ['that is in trouble for a moment', 'server-error', '/v1/transfers'],
  ])('%s is asked while the customer waits, and it is done once', async (_, fault, to) => {
    const { customer } = atm.run;
    await prepares(8_000);
    world.disturb(fault, to);
    await customer.confirms();
    await customer.sees('wait', { what: 'transferring' });
    await customer.wantsReceipt(false);
    expect(await customer.sees('done')).toMatchObject({ balance: { amountMinor: 92_000 } });
    await reckon(atm);
    expect(await postings()).toHaveLength(1);
    expect([await left(), await received()]).toEqual([92_000, 8_000]);
    expect(transfers().map(({ state }) => state)).toEqual(['posted']);
  });

  test.each<[string, LineFault, string, string, number]>([
    ['after it was done', 'answer-lost', '/v1/transfers', 'posted', 8_000],
    ['before it was asked', 'down', '/v1/transfers', 'not-posted', 0],
  ])(
    'that stays away %s: the screen says what is certain, and it is settled later',
    async (_, fault, to, ending, moved) => {
      const { customer } = atm.run;
      await prepares(8_000);
      world.disturb(fault, to);
      world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);
      await customer.confirms();
      const { reference, madeWhole } = await customer.sees('sorry', { code: 'transfer-open' });
      expect(reference).toBe(transfers()[0]?.transactionId.slice(-8).toUpperCase());
      expect(madeWhole).toBeNull();
      expect(customer.view.offers).not.toContain('retry');
      await customer.cancels();
      expect(transfers().map(({ state }) => state)).toEqual(['asking-bank']);
      await settled();
      expect(transfers().map(({ state }) => state)).toEqual([ending]);
      await reckon(atm);
      expect([await left(), await received()]).toEqual([100_000 - moved, moved]);
    },
  );

  test('that stays away is asked after a restart too, and customers do not wait for it', async () => {
    const { customer } = atm.run;
    await prepares(8_000);
    world.disturb('answer-lost', '/v1/transfers');
    world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);
    await customer.confirms();
    await customer.sees('sorry', { code: 'transfer-open' });
    await atm.cutPower();
    const { customer: next } = await atm.start();
    await next.sees('attract');
    expect(transfers().map(({ state }) => state)).toEqual(['asking-bank']);
    await settled();
    expect(transfers().map(({ state }) => state)).toEqual(['posted']);
    await reckon(atm);
    expect([await left(), await received()]).toEqual([92_000, 8_000]);
  });

  test('that says no at the last moment is believed: nothing moved', async () => {
    const { customer } = atm.run;
    await prepares(8_000);
    await world.admin.post(`/admin/accounts/${payee.accountId}/status`, { status: 'closed' });
    await customer.confirms();
    await customer.sees('sorry', { code: 'failed' });
    expect(transfers().map(({ state }) => state)).toEqual(['declined']);
    expect(await left()).toBe(100_000);
    await reckon(atm);
  });

  test('that is away when the service is chosen: it is refused at once, with the reason', async () => {
    const { customer } = atm.run;
    world.disturb('down', '/v1/', Number.POSITIVE_INFINITY);
    await customer.waits(15_000);
    await customer.does('begin');
    const { services } = await customer.sees('menu');
    expect(services.find(({ service }) => service === 'transfer')).toMatchObject({
      available: false,
      reason: 'offline-service',
    });
    customer.says({ kind: 'choose-service', service: 'transfer' });
    await customer.sees('sorry', { code: 'offline-service' });
    await customer.cancels();
    await reckon(atm);
  });
});

test('two customers at two terminals pay each other at the same moment', async () => {
  const other = await world.terminal();
  await other.start();
  const friend = await registered(other, newFace(), { yen: 50_000 });
  await atm.run.sync.pull(new AbortController().signal);
  const ready = async (tested: TestedTerminal, number: string, yen: number) => {
    const { customer } = tested.run;
    await customer.chooses('transfer');
    await customer.asksFor(yen);
    await customer.pays(number);
    await customer.keys(PIN);
    await customer.sees('confirm-transfer');
  };
  await ready(atm, await world.numberOf(friend.personId), 7_000);
  await ready(other, await world.numberOf(payer.personId), 3_000);
  await Promise.all([atm.run.customer.confirms(), other.run.customer.confirms()]);
  for (const { run } of [atm, other]) {
    await run.customer.wantsReceipt(false);
    await run.customer.sees('done');
  }
  expect(await left()).toBe(96_000);
  expect((await world.balanceOf(friend.personId))?.available).toBe(54_000);
  await reckon(atm);
  await reckon(other);
  await other.dispose();
});
