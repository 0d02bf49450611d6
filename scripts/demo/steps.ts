/**
 * The demonstration, step by step. Each step acts as a person would, then reads what became of it where it cannot be told
 * what it wants to hear: the bank's books, the terminal's journal, the devices' counts.
 */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { CameraSource } from '../../src-contract/screen.ts';
import { SCENES } from '../../src-main/config/scenes.ts';
import { en } from '../../src-renderer/i18n/en.ts';
import { ja } from '../../src-renderer/i18n/ja.ts';
import type { DemoBank } from './bank.ts';
import type { DemoTerminal } from './terminal.ts';

export interface World {
  readonly bank: DemoBank;
  readonly atm: DemoTerminal;
  readonly checkout: DemoTerminal;
}

export type Facts = Readonly<Record<string, unknown>>;
export interface Step {
  readonly name: string;
  readonly title: string;
  readonly expected: Facts;
  /** Acts, and says what happened, fact by fact. */
  readonly run: (world: World) => Promise<Facts>;
}

const PIN = '4682';
const WRONG_PIN = '9173';

export const STEPS: readonly Step[] = [
  {
    name: 'provision',
    title: 'A technician activates an ATM and a checkout, each with a one-time code',
    expected: { atm: 'activated', checkout: 'activated', codeUsedTwice: 'refused' },
    async run({ bank, atm, checkout }) {
      const code = await bank.activationCode('atm');
      const first = await atm.provision(bank, code);
      if (first.code !== 0) throw new Error(first.output);
      const starting = atm.start();
      starting.catch(() => undefined); // Awaited below, once the checkout is through.
      const twice = await checkout.provision(bank, code);
      const second = await checkout.provision(bank, await bank.activationCode('checkout'));
      if (second.code !== 0) throw new Error(second.output);
      await Promise.all([starting, checkout.start()]);
      await atm.picture('attract-ja');
      return {
        atm: first.code === 0 ? 'activated' : 'failed',
        checkout: second.code === 0 ? 'activated' : 'failed',
        codeUsedTwice: twice.code !== 0 && /used/.test(twice.output) ? 'refused' : twice.output,
      };
    },
  },
  {
    name: 'enrol',
    title: 'He agrees to the consent text, looks into the camera and chooses a PIN',
    expected: { screen: 'done', people: 1, consents: 1, resultOutcome: 'enrolled', liveness: 'live' },
    async run({ bank, atm }) {
      await atm.camera(SCENES.personOnDayOne.source);
      await begin(atm, 'enrol');
      await atm.sees('consent');
      await atm.picture('consent-ja');
      await atm.language('English');
      await atm.picture('consent-en');
      await atm.language('日本語');
      await atm.page.locator('[data-intent="answer-consent"].button-first').click();
      await atm.sees('look');
      await atm.page.waitForTimeout(700);
      await atm.picture('look-enrol-ja');
      await atm.sees('pin');
      await atm.machine.press(`${PIN}E`);
      await atm.machine.press(PIN);
      await atm.page.waitForTimeout(200);
      await atm.picture('pin-repeat-ja');
      await atm.machine.press('E');
      const screen = await atm.sees('done');
      await atm.picture('done-enrol-ja');
      await leave(atm);
      const people = await bank.people();
      const result = (await bank.results(atm.terminalId)).at(-1);
      return {
        screen,
        people: people.filter((person) => person.hasTemplate).length,
        consents: people.flatMap((person) => person.consents).length,
        resultOutcome: result?.outcome,
        liveness: result?.liveness.decision,
      };
    },
  },
  {
    name: 'deposit',
    title: 'He puts in ¥30,000',
    expected: {
      screen: 'done',
      ledgerMinor: 30_000,
      insertedMinor: 30_000,
      receipts: 1,
      cashConserved: true,
      journal: 'stored',
    },
    async run({ bank, atm }) {
      const receipts = (await atm.devices()).receipts.length;
      await begin(atm, 'deposit');
      await atm.sees('insert-cash');
      await atm.picture('insert-cash-ja');
      await atm.machine.insertNotes([
        { denominationMinor: 10_000, count: 2 },
        { denominationMinor: 5_000, count: 1 },
        { denominationMinor: 1_000, count: 5 },
      ]);
      await eventually(
        () => atm.devices(),
        (state) => (state.cash?.conservation.insertedMinor ?? 0) >= 30_000,
      );
      await atm.touches('confirm'); // While it still counts: the count is waited for.
      await atm.sees('confirm-deposit');
      await atm.picture('confirm-deposit-ja');
      await atm.touches('confirm');
      await receipt(atm);
      const screen = await atm.sees('done');
      await leave(atm);
      const account = await eventually(
        () => bank.customer(),
        (one) => one.ledgerMinor === 30_000,
      );
      const { cash } = await atm.devices();
      return {
        screen,
        ledgerMinor: account.ledgerMinor,
        insertedMinor: cash?.conservation.insertedMinor,
        receipts: (await atm.devices()).receipts.length - receipts,
        cashConserved: cash?.conservation.holds,
        journal: lastState(atm, 'deposit'),
      };
    },
  },
  {
    name: 'withdraw',
    title: 'Another day, other clothes: recognised, PIN, ¥20,000',
    expected: {
      screen: 'done',
      takenMinor: 20_000,
      ledgerMinor: 10_000,
      heldMinor: 0,
      receipts: 1,
      cashConserved: true,
      journal: 'paid',
      resultOutcome: 'accepted',
      withinRate: true,
    },
    async run({ bank, atm }) {
      const receipts = (await atm.devices()).receipts.length;
      const before = taken(await atm.devices());
      await atm.camera(SCENES.personOnDayTwo.source);
      await toPin(atm, '20,000', true);
      await atm.machine.press(`${PIN}E`);
      await atm.sees('take-cash');
      await atm.picture('take-cash-ja');
      await atm.machine.takeNotes();
      await receipt(atm);
      const screen = await atm.sees('done');
      await atm.picture('done-withdraw-ja');
      await leave(atm);
      const account = await eventually(
        () => bank.customer(),
        (one) => one.ledgerMinor === 10_000 && one.heldMinor === 0,
      );
      const state = await atm.devices();
      const result = (await bank.results(atm.terminalId)).at(-1);
      return {
        screen,
        takenMinor: taken(state) - before,
        ledgerMinor: account.ledgerMinor,
        heldMinor: account.heldMinor,
        receipts: (await atm.devices()).receipts.length - receipts,
        cashConserved: state.cash?.conservation.holds,
        journal: lastState(atm, 'withdraw'),
        resultOutcome: result?.outcome,
        withinRate: (result?.estimatedFmr ?? 1) <= 1e-5,
      };
    },
  },
  {
    name: 'wrong-pin',
    title: 'His face, but somebody else’s guess at the PIN: refused, nothing moves',
    expected: {
      message: true,
      screen: 'sorry',
      availableMinor: 10_000,
      heldMinor: 0,
      takenMinor: 0,
      journal: 'cancelled',
    },
    async run({ bank, atm }) {
      const before = taken(await atm.devices());
      await toPin(atm, '5,000');
      await atm.machine.press(`${WRONG_PIN}E`);
      await atm.page.waitForFunction(
        (text) => document.body.textContent.includes(text),
        stripped(ja.pin.problem.wrong),
      );
      await atm.picture('wrong-pin-ja');
      await atm.touches('cancel');
      const screen = await atm.sees('sorry');
      await leave(atm);
      const account = await bank.customer();
      return {
        message: true,
        screen,
        availableMinor: account.availableMinor,
        heldMinor: account.heldMinor,
        takenMinor: taken(await atm.devices()) - before,
        journal: lastState(atm, 'withdraw'),
      };
    },
  },
  {
    name: 'balance',
    title: 'He asks for his balance, in English',
    expected: { screen: 'balance', shows: true },
    async run({ atm }) {
      await atm.touches('begin');
      await atm.sees('menu');
      await atm.language('English');
      await atm.picture('menu-en');
      await atm.touches('choose-service', { service: 'balance' });
      await atm.sees('pin');
      await atm.machine.press(`${PIN}E`);
      const screen = await atm.sees('balance');
      await atm.picture('balance-en');
      const shows = (await atm.words()).includes('10,000');
      await atm.touches('confirm');
      await atm.sees('done', 'attract');
      await leave(atm);
      return { screen, shows };
    },
  },
  refusal('stranger', 'A stranger tries to withdraw', SCENES.stranger.source, 'nobody', 'stranger-en'),
  {
    name: 'photo',
    title: 'A still of him as a frozen feed, then as a picture held up',
    expected: { frozen: 'presentation-attack', held: 'presentation-attack', ledgerMinor: 10_000, takenMinor: 0 },
    async run({ bank, atm }) {
      const before = taken(await atm.devices());
      const frozen = await lookedAt(atm, bank, SCENES.frozenFeed.source, 'frozen-feed-ja');
      const held = await lookedAt(atm, bank, SCENES.heldPhoto.source, 'held-photo-ja');
      return {
        frozen: frozen.reason,
        held: held.reason,
        ledgerMinor: (await bank.customer()).ledgerMinor,
        takenMinor: taken(await atm.devices()) - before,
      };
    },
  },
  refusal('two-faces', 'Two people in front of the camera', SCENES.twoFaces.source, 'several-faces', 'two-faces-ja'),
  {
    name: 'purchase',
    title: 'At the checkout: four things for ¥1,280, paid by looking',
    expected: { screen: 'done', pinAsked: false, ledgerMinor: 8_720, heldMinor: 0, receipts: 1, journal: 'paid' },
    async run({ bank, checkout }) {
      await checkout.camera(SCENES.personOnDayTwo.source);
      const receipts = (await checkout.devices()).receipts.length;
      for (const barcode of ['4900000000016', '4900000000023', '4900000000030', '4900000000047'])
        await checkout.machine.scan(barcode);
      await checkout.sees('basket');
      await checkout.page.waitForFunction(() => document.body.textContent.includes('1,280'));
      await checkout.picture('basket-ja');
      await checkout.touches('pay');
      const next = await checkout.sees('receipt', 'pin');
      await receipt(checkout);
      const screen = await checkout.sees('done');
      await checkout.picture('done-purchase-ja');
      await leave(checkout);
      const account = await eventually(
        () => bank.customer(),
        (one) => one.ledgerMinor === 8_720 && one.heldMinor === 0,
      );
      return {
        screen,
        pinAsked: next === 'pin',
        ledgerMinor: account.ledgerMinor,
        heldMinor: account.heldMinor,
        receipts: (await checkout.devices()).receipts.length - receipts,
        journal: lastState(checkout, 'purchase'),
      };
    },
  },
  {
    name: 'offline',
    title: 'The bank goes away; both terminals notice and say so',
    expected: { atm: 'offline', checkout: 'offline' },
    async run({ bank, atm, checkout }) {
      await bank.stop();
      for (const terminal of [atm, checkout]) {
        await terminal.page.waitForSelector('.offline-notice[data-shown="true"]', {
          timeout: 60_000,
          state: 'attached',
        });
      }
      await checkout.picture('offline-ja');
      return { atm: 'offline', checkout: 'offline' };
    },
  },
  {
    name: 'purchase-offline',
    title: 'A book for ¥800, approved by the checkout itself within its stand-in limits',
    expected: { screen: 'done', journal: 'stood-in', queued: true },
    async run({ checkout }) {
      await checkout.machine.scan('4900000000061');
      await checkout.sees('basket');
      await checkout.touches('pay');
      await receipt(checkout);
      const screen = await checkout.sees('done');
      await checkout.picture('done-stand-in-ja');
      await leave(checkout);
      return { screen, journal: lastState(checkout, 'purchase'), queued: outboxSize(checkout) > 0 };
    },
  },
  {
    name: 'withdraw-offline',
    title: '¥50,000 without the bank: refused before an amount is asked, with a reason',
    expected: { screen: 'sorry', reason: true, takenMinor: 0 },
    async run({ atm }) {
      const before = taken(await atm.devices());
      await begin(atm, 'withdraw');
      const screen = await atm.sees('sorry');
      const reason = (await atm.words()).includes(stripped(ja.sorry.texts['offline-service'].title));
      await atm.picture('withdraw-offline-ja');
      await leave(atm);
      return { screen, reason, takenMinor: taken(await atm.devices()) - before };
    },
  },
  {
    name: 'online',
    title: 'The bank is back; both terminals notice',
    expected: { atm: 'online', checkout: 'online', ledgerMinor: 7_920 },
    async run({ bank, atm, checkout }) {
      await bank.start();
      for (const terminal of [atm, checkout]) {
        await terminal.page.waitForSelector('.offline-notice[data-shown="false"]', {
          timeout: 60_000,
          state: 'attached',
        });
      }
      const account = await eventually(
        () => bank.customer(),
        (one) => one.ledgerMinor === 7_920,
      );
      return { atm: 'online', checkout: 'online', ledgerMinor: account.ledgerMinor };
    },
  },
  {
    name: 'power-cut',
    title:
      'The power is cut while the machine presents ¥1,000; when it is back, journal, bank and cash agree, and he is not charged',
    expected: {
      journalWhenCut: 'presenting',
      screen: 'attract',
      journal: 'not-paid',
      takenMinor: 0,
      inReachMinor: 0,
      ledgerMinor: 7_920,
      // As after a jam: until the next withdrawal proves that the token is dead.
      heldMinor: 1_000,
      cashConserved: true,
      bankCashAgrees: true,
    },
    async run({ bank, atm }) {
      const before = taken(await atm.devices());
      await atm.camera(SCENES.personOnDayTwo.source);
      await toPin(atm, '1,000');
      await atm.machine.press(`${PIN}E`);
      await eventually(
        async () => lastState(atm, 'withdraw'),
        (state) => state === 'presenting',
        5_000,
        10,
      );
      await atm.losesPower();
      const journalWhenCut = lastState(atm, 'withdraw');
      await atm.powerReturns();
      const screen = await atm.screen();
      await atm.picture('after-power-cut-ja');
      await eventually(
        async () => outboxSize(atm),
        (size) => size === 0,
      );
      const { cash } = await atm.devices();
      const account = await bank.customer();
      return {
        journalWhenCut,
        screen,
        journal: lastState(atm, 'withdraw'),
        takenMinor: taken(await atm.devices()) - before,
        inReachMinor: cash?.conservation.inReachMinor,
        ledgerMinor: account.ledgerMinor,
        heldMinor: account.heldMinor,
        cashConserved: cash?.conservation.holds,
        bankCashAgrees: await bankCashAgrees({ bank, atm }),
      };
    },
  },
  {
    name: 'jam',
    title:
      'The dispenser’s shutter jams before ¥5,000: told so, not charged, and made whole by what the dispenser proves',
    expected: {
      screen: 'sorry',
      told: true,
      journal: 'not-paid',
      takenMinor: 0,
      ledgerMinor: 7_920,
      // Until the dispenser proves that its token is dead (docs/threat-model.md), which the next withdrawal does.
      heldMinor: 5_000,
      nextTakenMinor: 1_000,
      nextLedgerMinor: 6_920,
      nextHeldMinor: 0,
      cashConserved: true,
    },
    async run({ bank, atm }) {
      const before = taken(await atm.devices());
      await atm.camera(SCENES.personOnDayTwo.source);
      await atm.machine.fault('shutterStuck', { position: 'output', when: 'opening' });
      await toPin(atm, '5,000');
      await atm.machine.press(`${PIN}E`);
      const screen = await atm.sees('sorry');
      const told = (await atm.words()).includes(stripped(ja.sorry.texts['cash-jammed'].title));
      await atm.picture('jam-ja');
      await leave(atm);
      await eventually(
        async () => outboxSize(atm),
        (size) => size === 0,
      );
      const journal = lastState(atm, 'withdraw');
      const jammed = await bank.customer();
      const takenMinor = taken(await atm.devices()) - before;
      await toPin(atm, '1,000');
      await atm.machine.press(`${PIN}E`);
      await atm.sees('take-cash');
      await atm.machine.takeNotes();
      await atm.sees('receipt');
      await atm.page.locator('[data-intent="choose-receipt"]:not(.button-first)').click();
      await leave(atm);
      const account = await eventually(
        () => bank.customer(),
        (one) => one.heldMinor === 0,
      );
      const state = await atm.devices();
      return {
        screen,
        told,
        journal,
        takenMinor,
        ledgerMinor: jammed.ledgerMinor,
        heldMinor: jammed.heldMinor,
        nextTakenMinor: taken(state) - before,
        nextLedgerMinor: account.ledgerMinor,
        nextHeldMinor: account.heldMinor,
        cashConserved: state.cash?.conservation.holds,
      };
    },
  },
  {
    name: 'transfer',
    title: 'He transfers ¥1,000 to an account opened at the counter, and sees before he agrees whose it is',
    expected: {
      shows: true,
      wholeNameShown: false,
      screen: 'done',
      journal: 'posted',
      ledgerMinor: 5_920,
      payeeMinor: 1_000,
      entries: 1,
      booksBalance: true,
    },
    async run({ bank, atm }) {
      const payee = await bank.openAccount('山田 花子');
      await begin(atm, 'transfer');
      await atm.sees('amount');
      await atm.touches('choose-amount', { words: '1,000' });
      await atm.sees('payee');
      await atm.page.keyboard.type(payee.accountNumber);
      await atm.picture('payee-ja');
      await atm.touches('enter-payee');
      await atm.sees('pin');
      await atm.machine.press(`${PIN}E`);
      await atm.sees('confirm-transfer');
      await atm.picture('confirm-transfer-ja');
      const words = await atm.words();
      await atm.touches('confirm');
      await atm.sees('receipt');
      await atm.page.locator('[data-intent="choose-receipt"]:not(.button-first)').click();
      const screen = await atm.sees('done');
      await leave(atm);
      const accounts = await bank.accounts();
      return {
        shows: words.includes('山＊ 花＊') && words.includes('5,920'),
        wholeNameShown: words.includes('花子'),
        screen,
        journal: lastState(atm, 'transfer'),
        ledgerMinor: (await bank.customer()).ledgerMinor,
        payeeMinor: accounts.find(({ accountId }) => accountId === payee.accountId)?.ledgerMinor,
        entries: (await bank.entries()).filter(({ kind }) => kind === 'transfer').length,
        booksBalance: await bank.balanced(),
      };
    },
  },
  {
    name: 'sync',
    title: 'Everything is at the bank exactly once, and the cash adds up to the yen',
    expected: {
      everyResultOnce: true,
      chainsVerified: true,
      outboxes: 0,
      incidents: 0,
      booksBalance: true,
      standInsPosted: 1,
      insidePlusTakenMinusLoaded: 30_000,
      bankCashAgrees: true,
    },
    async run({ bank, atm, checkout }) {
      await eventually(
        async () => outboxSize(atm) + outboxSize(checkout),
        (size) => size === 0,
      );
      const counts = await resultCounts({ bank, atm, checkout });
      const { cash } = await atm.devices();
      const conservation = cash?.conservation;
      const inMinor = (conservation?.insideMinor ?? 0) + (conservation?.inReachMinor ?? 0);
      return {
        everyResultOnce: counts.everyResultOnce,
        chainsVerified: counts.chainVerified,
        outboxes: outboxSize(atm) + outboxSize(checkout),
        incidents: (await bank.incidents()).length,
        booksBalance: await bank.balanced(),
        standInsPosted: (await bank.entries()).filter((entry) => entry.kind === 'stand-in').length,
        insidePlusTakenMinusLoaded: inMinor + (conservation?.takenMinor ?? 0) - (conservation?.loadedMinor ?? 0),
        bankCashAgrees: await bankCashAgrees({ bank, atm }),
      };
    },
  },
  {
    name: 'opt-out',
    title:
      'The bank is away. He buys a book, then ends his registration at the ATM; the checkout hears of it, and his face buys nothing',
    expected: {
      bought: 'stood-in',
      optedOut: 'done',
      optedOutOffline: true,
      status: 'erased',
      acknowledged: ['atm', 'checkout'],
      // The book was bought before.
      chargedMinor: 800,
      afterwards: 'sorry',
      says: true,
      incidents: 0,
      booksBalance: true,
    },
    async run({ bank, atm, checkout }) {
      const before = (await bank.customer()).ledgerMinor;
      const personId = (await bank.people())[0]?.personId ?? '';
      await atm.camera(SCENES.personOnDayTwo.source);
      await bank.stop();
      await checkout.machine.scan('4900000000061');
      await checkout.sees('basket');
      await checkout.touches('pay');
      await receipt(checkout);
      await checkout.sees('done');
      const bought = lastState(checkout, 'purchase');
      await leave(checkout);
      await begin(atm, 'opt-out');
      await atm.sees('opt-out');
      await atm.picture('opt-out-ja');
      await atm.touches('confirm');
      const optedOut = await atm.sees('done');
      await atm.picture('done-opt-out-ja');
      const optedOutOffline = outboxSize(atm) > 0;
      await leave(atm);
      await bank.start();
      const report = await eventually(
        () => bank.erasure(personId),
        ({ terminals }) => terminals.every(({ receipt: signed }) => signed !== null),
        30_000,
      );
      const account = await eventually(
        () => bank.customer(),
        (one) => one.ledgerMinor === before - 800,
      );
      await checkout.machine.scan('4900000000016');
      await checkout.sees('basket');
      await checkout.touches('pay');
      const afterwards = await checkout.sees('sorry', 'receipt');
      const says = (await checkout.words()).includes(stripped(ja.sorry.texts.nobody.title));
      await checkout.picture('opted-out-checkout-ja');
      await leave(checkout);
      return {
        bought,
        optedOut,
        optedOutOffline,
        status: report.status,
        acknowledged: report.terminals
          .filter(({ receipt: signed }) => signed !== null)
          .map(({ terminalId }) => (terminalId === atm.terminalId ? 'atm' : 'checkout'))
          .sort(),
        chargedMinor: before - account.ledgerMinor,
        afterwards,
        says,
        incidents: (await bank.incidents()).length,
        booksBalance: await bank.balanced(),
      };
    },
  },
];

/** A withdrawal that ends at the look. */
function refusal(name: string, title: string, source: CameraSource, reason: string, picture: string): Step {
  return {
    name,
    title,
    expected: { reason, screen: 'sorry', says: true, ledgerMinor: 10_000, takenMinor: 0 },
    async run({ bank, atm }) {
      const before = taken(await atm.devices());
      const seen = await lookedAt(atm, bank, source, picture);
      return {
        reason: seen.reason,
        screen: seen.screen,
        says: seen.words.includes(stripped(titleOf(reason, seen.language))),
        ledgerMinor: (await bank.customer()).ledgerMinor,
        takenMinor: taken(await atm.devices()) - before,
      };
    },
  };
}

/** Tries to withdraw with this before the camera, to where the look ends. */
async function lookedAt(atm: DemoTerminal, bank: DemoBank, source: CameraSource, picture: string) {
  await atm.camera(source);
  await atm.touches('begin');
  await atm.sees('menu');
  const language = picture.endsWith('-en') ? ('en' as const) : ('ja' as const);
  if (language === 'en') await atm.language('English');
  await atm.touches('choose-service', { service: 'withdraw' });
  await atm.sees('amount');
  await atm.touches('choose-amount', { words: '5,000' });
  await atm.sees('look');
  await atm.page.waitForTimeout(1_200);
  await atm.picture(`${picture}-look`);
  const screen = await atm.sees('sorry', 'pin');
  await atm.picture(picture);
  const words = await atm.words();
  if (screen === 'pin') await atm.touches('cancel');
  await leave(atm);
  const sequence = lastResultSequence(atm);
  const results = await eventually(
    () => bank.results(atm.terminalId),
    (list) => list.length >= sequence,
  );
  return { screen, words, language, reason: results.at(-1)?.reason ?? 'accepted' };
}

async function begin(atm: DemoTerminal, service: string): Promise<void> {
  await atm.touches('begin');
  await atm.sees('menu');
  if (service === 'deposit') await atm.picture('menu-ja');
  await atm.touches('choose-service', { service });
}

async function toPin(atm: DemoTerminal, amount: string, pictures = false): Promise<void> {
  await begin(atm, 'withdraw');
  await atm.sees('amount');
  if (pictures) await atm.picture('amount-ja');
  await atm.touches('choose-amount', { words: amount });
  if (pictures) {
    await atm.sees('look');
    await atm.page.waitForTimeout(900);
    await atm.picture('look-ja');
  }
  await atm.sees('pin');
  if (pictures) await atm.picture('pin-ja');
}

async function receipt(terminal: DemoTerminal): Promise<void> {
  await terminal.sees('receipt');
  await terminal.page.locator('[data-intent="choose-receipt"].button-first').click();
}

/** Back to the start, whatever stands there. */
async function leave(terminal: DemoTerminal): Promise<void> {
  const way = terminal.page.locator(
    'main [data-intent="cancel"], main [data-intent="confirm"], footer [data-intent="cancel"]',
  );
  for (let touches = 0; touches < 4 && (await terminal.screen()) !== 'attract'; touches++) {
    await way
      .first()
      .click({ timeout: 3_000 })
      .catch(() => undefined);
    await terminal.page.waitForSelector('[data-screen="attract"]', { timeout: 1_500 }).catch(() => undefined);
  }
  await terminal.page.waitForSelector('[data-screen="attract"]');
}

function titleOf(reason: string, language: 'ja' | 'en'): string {
  const texts: Readonly<Record<string, { readonly title: string }>> = (language === 'en' ? en : ja).sorry.texts;
  return texts[reason]?.title ?? '';
}

/** Without the line-break hints of the language files. */
function stripped(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

export async function eventually<T>(
  read: () => Promise<T>,
  enough: (value: T) => boolean,
  withinMs = 15_000,
  everyMs = 150,
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const value = await read();
    if (enough(value) || performance.now() > until) return value;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function taken(state: Awaited<ReturnType<DemoTerminal['devices']>>): number {
  return state.cash?.conservation.takenMinor ?? 0;
}

/** Whether the bank's view of what the machine gained, deposits less withdrawals, is what is in it. */
async function bankCashAgrees({ bank, atm }: Pick<World, 'bank' | 'atm'>): Promise<boolean> {
  const account = (await bank.accounts()).find((one) => one.kind === 'cash' && one.ownerId === atm.terminalId);
  const conservation = (await atm.devices()).cash?.conservation;
  if (!account || !conservation) return false;
  const { insideMinor, inReachMinor, loadedMinor } = conservation;
  return Math.abs(account.ledgerMinor) === insideMinor + inReachMinor - loadedMinor;
}

/** Reads the terminal's own files, as an auditor would. */
function readJournal<T>(terminal: DemoTerminal, query: string, ...values: unknown[]): T | undefined {
  const database = new Database(join(terminal.dataDir, 'journal.sqlite'), { readonly: true });
  try {
    return database.prepare(query).get(...values) as T | undefined;
  } finally {
    database.close();
  }
}

function lastState(terminal: DemoTerminal, service: string): string | undefined {
  return readJournal<{ state: string }>(
    terminal,
    `SELECT e.state FROM transaction_events e JOIN transactions t ON t.transaction_id = e.transaction_id
     WHERE t.service = ? ORDER BY e.at DESC, e.number DESC LIMIT 1`,
    service,
  )?.state;
}

function outboxSize(terminal: DemoTerminal): number {
  return readJournal<{ n: number }>(terminal, "SELECT count(*) AS n FROM outbox WHERE state = 'waiting'")?.n ?? -1;
}

function lastResultSequence(terminal: DemoTerminal): number {
  return readJournal<{ n: number }>(terminal, 'SELECT coalesce(max(sequence), 0) AS n FROM match_results')?.n ?? -1;
}

/** What was signed here and what the bank has, terminal by terminal. */
export async function resultCounts({ bank, atm, checkout }: World) {
  let sent = 0;
  let accepted = 0;
  let chainVerified = true;
  let everyResultOnce = true;
  for (const terminal of [atm, checkout]) {
    const signed = lastResultSequence(terminal);
    const held = await bank.results(terminal.terminalId);
    const chain = await bank.chain(terminal.terminalId);
    sent += signed;
    accepted += held.length;
    chainVerified &&= chain.verified && chain.results === signed;
    everyResultOnce &&= held.length === signed && new Set(held.map((one) => one.resultId)).size === signed;
  }
  return { sent, accepted, chainVerified, everyResultOnce };
}
