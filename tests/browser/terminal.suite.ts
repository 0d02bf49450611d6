/**
 * The real terminal process, its screen in a real Chromium reached through DevTools, against the real bank process: people
 * in two languages, every screen they meet under axe-core, and what a crash of each part leaves behind.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DemoBank } from '../../scripts/demo/bank.ts';
import type { DeviceState } from '../../scripts/demo/devices.ts';
import type { CameraSource, ScreenName } from '../../src-contract/screen.ts';
import { SCENES } from '../../src-main/config/scenes.ts';
import { layEmptyBank } from '../support/bank-database.ts';
import { TerminalUnderTest } from './terminal-hands.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-terminal-'));
const bank = new DemoBank(join(dir, 'bank'), join(dir, 'bank.log'));
const terminal = (name: string, profile: 'atm' | 'checkout') =>
  new TerminalUnderTest({
    dataDir: join(dir, profile),
    name,
    profile,
    log: join(dir, `${profile}.log`),
    shots: { dir, files: [] },
    speed: 4,
  });
const atm = terminal('ATM 1', 'atm');
const checkout = terminal('Checkout 1', 'checkout');

/** Screens that were put before axe-core, by language. */
const audited = new Set<string>();
let language: '日本語' | 'English' = '日本語';

/** Waits for the screen, and holds it to accessibility in the visit's language. */
async function sees(name: ScreenName, on = atm): Promise<void> {
  await on.sees(name);
  await audit(name, on);
}
async function audit(name: string, on = atm): Promise<void> {
  expect([name, await on.page.evaluate(() => document.documentElement.lang)]).toEqual([
    name,
    language === 'English' ? 'en' : 'ja',
  ]);
  expect([name, language, await on.violations()]).toEqual([name, language, []]);
  audited.add(`${name} ${language}`);
}
const cashOf = (state: DeviceState) => state.cash!.conservation;
/** What the machine gained since it was loaded, notes in the customer's reach not counted as gone. */
const gainedMinor = async () => {
  const { insideMinor, inReachMinor, loadedMinor } = cashOf(await atm.devices());
  return insideMinor + inReachMinor - loadedMinor;
};
const bankCashMinor = async () => {
  const account = (await bank.accounts()).find((one) => one.kind === 'cash' && one.ownerId === atm.terminalId);
  return Math.abs(account?.ledgerMinor ?? 0);
};
const PATIENCE = { answerMs: 45_000, warnMs: 15_000, lookMs: 20_000, takeMs: 30_000, farewellMs: 20_000 };

beforeAll(async () => {
  await layEmptyBank(join(dir, 'bank'));
  await bank.start();
  mkdirSync(atm.dataDir);
  writeFileSync(
    join(atm.dataDir, 'kaopass.json'),
    JSON.stringify({
      name: 'ATM 1',
      profile: 'atm',
      bankUrl: bank.url,
      screen: { headless: true, remoteDebugging: true },
    }),
  );
});
afterAll(async () => {
  await Promise.all([atm.stop(), checkout.stop()]);
  await bank.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('before anybody is served', () => {
  it('a terminal that nobody activated is out of service, and says so in both languages', async () => {
    await expect(atm.start()).rejects.toThrow('the screen shows "out-of-service"');
    await audit('out-of-service');
    language = 'English';
    await atm.language('English');
    await audit('out-of-service');
    await atm.stop();
  });

  it('serves once a technician activated it', async () => {
    const activated = await atm.provision(bank, await bank.activationCode('atm'));
    expect(activated).toMatchObject({ code: 0 });
    atm.configure({ patience: PATIENCE });
    await atm.start();
    expect(await atm.screen()).toBe('attract');
  });
});

interface Customer {
  readonly language: '日本語' | 'English';
  readonly pin: string;
  readonly enrolsAs: CameraSource;
  readonly comesAs: CameraSource;
}

describe.each<Customer>([
  {
    language: '日本語',
    pin: '4682',
    enrolsAs: SCENES.personOnDayOne.source,
    comesAs: SCENES.personOnDayTwo.source,
  },
  { language: 'English', pin: '7395', enrolsAs: SCENES.stranger.source, comesAs: SCENES.stranger.source },
])('a customer in $language', (customer) => {
  beforeAll(() => {
    language = customer.language;
  });

  it('enrols: reads the consent, looks, chooses a PIN', async () => {
    const before = (await bank.people()).length;
    await atm.camera(SCENES.nobody.source);
    if (language === '日本語') await sees('attract');
    await atm.touches('begin');
    await atm.sees('menu');
    if (language === 'English') await atm.language('English');
    await sees('menu');
    await atm.touches('choose-service', { service: 'enrol' });
    await sees('consent');
    await atm.agrees('answer-consent');
    await sees('look');
    await atm.camera(customer.enrolsAs);
    await sees('pin');
    await atm.machine.press(`${customer.pin}E`);
    await atm.machine.press(`${customer.pin}E`);
    await sees('done');
    await atm.agrees('confirm');
    await atm.sees('attract');
    expect(await bank.people()).toHaveLength(before + 1);
  });

  it('deposits ¥15,000', async () => {
    const [gained, booked] = [await gainedMinor(), await bankCashMinor()];
    await atm.camera(customer.comesAs);
    await atm.begins('deposit', language);
    await sees('insert-cash');
    await atm.machine.insertNotes([
      { denominationMinor: 10_000, count: 1 },
      { denominationMinor: 5_000, count: 1 },
    ]);
    // The acceptor's lamp, not the clock, tells a customer that it has counted.
    await expect.poll(gainedMinor, { timeout: 15_000 }).toBe(gained + 15_000);
    await atm.page.waitForTimeout(500);
    await atm.touches('confirm');
    await sees('confirm-deposit');
    if (language === 'English') {
      await atm.killBrowser();
      expect(await atm.screen()).toBe('confirm-deposit');
      expect(await atm.words()).toContain('15,000');
    }
    await atm.agrees('confirm');
    await sees('receipt');
    await atm.agrees('choose-receipt');
    await sees('done');
    await atm.agrees('confirm');
    await expect.poll(bankCashMinor, { timeout: 15_000 }).toBe(booked + 15_000);
    expect(atm.lastState('deposit')).toEqual({ state: 'stored', final: true });
  });

  it('withdraws ¥10,000, and the page loaded anew in the middle of it shows the same again', async () => {
    const [gained, booked] = [await gainedMinor(), await bankCashMinor()];
    await atm.begins('withdraw', language);
    await sees('amount');
    const words = await atm.words();
    await atm.page.reload();
    await sees('amount');
    expect(await atm.words()).toBe(words);
    await atm.touches('choose-amount', { words: '10,000' });
    await sees('pin');
    await atm.machine.press(`${customer.pin}E`);
    await atm.page.waitForSelector('[data-screen="wait"]');
    await audit('wait');
    await sees('take-cash');
    await atm.machine.takeNotes();
    await atm.sees('receipt');
    await atm.agrees('choose-receipt');
    await atm.sees('done');
    await atm.agrees('confirm');
    await expect.poll(bankCashMinor, { timeout: 15_000 }).toBe(booked - 10_000);
    expect(await gainedMinor()).toBe(gained - 10_000);
    expect(atm.lastState('withdraw')).toEqual({ state: 'paid', final: true });
  });

  it('reads the balance', async () => {
    await atm.begins('balance', language);
    await atm.sees('pin');
    await atm.machine.press(`${customer.pin}E`);
    await sees('balance');
    expect(await atm.words()).toContain('5,000');
    await atm.agrees('confirm');
    await atm.sees('done');
    await atm.agrees('confirm');
    await atm.sees('attract');
  });
});

describe('when something dies', () => {
  it('a terminal killed with notes in the customer’s reach settles before it serves, and the bank agrees', async () => {
    language = 'English';
    const [gained, booked] = [await gainedMinor(), await bankCashMinor()];
    await atm.begins('withdraw', language);
    await atm.sees('amount');
    await atm.touches('choose-amount', { words: '5,000' });
    await atm.sees('pin');
    await atm.machine.press('7395E');
    await atm.sees('take-cash');
    atm.kill();
    await atm.stop();
    expect(atm.lastState('withdraw')).toEqual({ state: 'presented', final: false });

    await atm.start();
    expect(atm.lastState('withdraw')).toEqual({ state: 'not-paid', final: true });
    await expect.poll(() => atm.waiting(), { timeout: 15_000 }).toBe(0);
    expect(cashOf(await atm.devices())).toMatchObject({ holds: true, inReachMinor: 0 });
    expect(await gainedMinor()).toBe(gained);
    expect(await bankCashMinor()).toBe(booked);
    expect((await bank.customers()).map(({ heldMinor }) => heldMinor)).toEqual([0, 0]);
    expect(await bank.balanced()).toBe(true);
    expect(await bank.chain(atm.terminalId)).toMatchObject({ verified: true, results: atm.results() });
    expect(await bank.incidents()).toEqual([]);
  });
});

describe('at a checkout', () => {
  beforeAll(async () => {
    expect(await checkout.provision(bank, await bank.activationCode('checkout'))).toMatchObject({ code: 0 });
    checkout.configure({ patience: { ...PATIENCE, answerMs: 12_000, warnMs: 9_000 } });
    await checkout.start();
  });

  it.each(['日本語', 'English'] as const)(
    'in %s, the basket warns before it runs out of time, and goes on when asked',
    async (spoken) => {
      language = spoken;
      if (spoken === '日本語') await checkout.machine.scan('4900000000016');
      await checkout.sees('basket');
      if (spoken === 'English') await checkout.language(spoken);
      await sees('basket', checkout);
      const dialog = checkout.page.getByRole('alertdialog');
      await dialog.waitFor();
      await audit('time-out warning', checkout);
      await checkout.page.locator('[data-intent="extend"]').click();
      await dialog.waitFor({ state: 'detached' });
      await checkout.page.waitForTimeout(800); // A second touch as fast as a double touch would not count.
      expect(await checkout.screen()).toBe('basket');
    },
  );
});

describe('when the bank is gone', () => {
  it.each(['日本語', 'English'] as const)(
    'in %s, the terminal says so, and refuses what needs the bank',
    async (spoken) => {
      language = spoken;
      if (spoken === '日本語') await bank.stop();
      await atm.showsOffline(true);
      await atm.touches('begin');
      await atm.sees('menu');
      if (spoken === 'English') await atm.language(spoken);
      await audit('menu, offline');
      await atm.touches('choose-service', { service: 'withdraw' });
      await sees('sorry');
      await atm.touches('cancel');
      await atm.sees('attract');
    },
  );

  it('says nothing of it any more once the bank is back', async () => {
    await bank.start();
    await atm.showsOffline(false);
  });
});

it('put every screen that appeared before axe-core, in both languages', () => {
  const screens =
    'out-of-service menu consent look pin done insert-cash confirm-deposit receipt amount wait take-cash balance basket sorry';
  const both = [...screens.split(' '), 'time-out warning', 'menu, offline'];
  expect([...audited].sort()).toEqual(
    ['attract 日本語', ...both.flatMap((name) => [`${name} 日本語`, `${name} English`])].sort(),
  );
});
