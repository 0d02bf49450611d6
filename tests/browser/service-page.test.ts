/**
 * The technician's page in a real browser: what it shows of healthy and broken devices, in both languages, and what its tests do.
 * Set KAOPASS_SCREENSHOTS to a folder to look at it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import axe from 'axe-core';
import { pino } from 'pino';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DayClose, DayCloseAnswer } from '../../src-contract/day-close.ts';
import { money } from '../../src-contract/primitives.ts';
import type { CameraIdentity } from '../../src-main/camera/identity.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { openDevices } from '../../src-main/devices/open.ts';
import type { StoredClose } from '../../src-main/journal/day-closes.ts';
import { CameraHealth } from '../../src-main/provisioning/camera-health.ts';
import { openServicePage, type ServicePage } from '../../src-main/provisioning/service-page/open.ts';
import { storageWords, type Words } from '../../src-main/session/standing.ts';
import type { SuspectReport } from '../../src-main/session/suspects.ts';
import { launchChromium } from '../screens/browser.ts';
import type { Axe } from '../support/axe.ts';

const SCREENSHOTS = process.env['KAOPASS_SCREENSHOTS'];
const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];

const dir = mkdtempSync(path.join(tmpdir(), 'kaopass-service-page-'));
let opened: Awaited<ReturnType<typeof openDevices>>;
let service: ServicePage;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const camera = new CameraHealth();
const blocked = new Set<string>();
const troubles: string[] = [];
let busy = false;
let online = true;
let lastClose: StoredClose | null = null;
let notices: readonly Words[] = [];

/** A close with everything there is to see: money on its way, notes that are missing, postings that differ. */
function exampleClose(): StoredClose {
  const close = DayClose.parse({
    version: 1,
    closeId: systemChance.id(),
    terminalId: systemChance.id(),
    number: 12,
    previousHash: 'A'.repeat(43),
    businessDate: '2026-11-28',
    timeZone: 'Asia/Tokyo',
    reason: 'demand',
    at: systemClock.now(),
    after: 80,
    upTo: 120,
    currency: 'JPY',
    totals: [
      { service: 'withdraw', transactions: 31, amountMinor: 640_000 },
      { service: 'deposit', transactions: 8, amountMinor: 212_000 },
    ],
    cash: [
      { denominationMinor: 1_000, opening: 500, exchanged: 0, moved: -60, closing: 440, difference: 0 },
      { denominationMinor: 10_000, opening: 500, exchanged: 200, moved: -64, closing: 633, difference: -3 },
    ],
    cashProblem: null,
    transactions: 0,
    transactionsSha256: 'A'.repeat(43),
  });
  return {
    number: close.number,
    closeId: close.closeId,
    jws: `e30.${Buffer.from(JSON.stringify(close)).toString('base64url')}.AA`,
    hash: 'A'.repeat(43),
    transactions: [],
    at: close.at,
    answer: DayCloseAnswer.parse({
      number: 12,
      matched: 38,
      differences: [
        { transactionId: systemChance.id(), what: 'amount-differs', terminalMinor: 20_000, bankMinor: 10_000 },
        { transactionId: systemChance.id(), what: 'not-posted', terminalMinor: 5_000, bankMinor: null },
      ],
      inFlight: [],
      cashDifferenceNotes: 3,
    }),
  };
}
/** What the page was told to do about a suspect, and what it shows of them. */
const deeds: unknown[] = [];
let suspects: SuspectReport[] = [];
const SUSPECT: SuspectReport = {
  transactionId: '0193f0a0-0000-7000-8000-000000000001',
  service: 'withdraw',
  device: 'cash-dispenser',
  amount: money(20_000),
  begunAt: 1_795_305_600_000,
  cleared: false,
  events: [
    { at: 1_795_305_600_000, state: 'begun', evidence: {} },
    { at: 1_795_305_601_000, state: 'authorised', evidence: {} },
    { at: 1_795_305_602_000, state: 'dispensing', evidence: { mix: [{ denominationMinor: 10_000, count: 2 }] } },
    { at: 1_795_305_609_000, state: 'presenting', evidence: {} },
    { at: 1_795_305_615_000, state: 'present-failed', evidence: { error: 'jammed' } },
    {
      at: 1_795_305_640_000,
      state: 'suspect',
      evidence: {
        why: 'the cash dispenser cannot say what happened',
        status: { state: 'unknown', presented: [], retracted: [], rejected: [], remaining: 'unknown' },
      },
    },
  ],
};

beforeAll(async () => {
  opened = await openDevices({
    config: { kind: 'simulated', controlPort: 0, speed: 50 },
    profile: 'atm',
    dataDir: dir,
    dir,
    receiptsDir: path.join(dir, 'receipts'),
    clock: systemClock,
    chance: systemChance,
    log: pino({ level: 'silent' }),
    onAlarm: (alarm) => troubles.push(alarm.message),
  });
  const guard = {
    pinned: null as CameraIdentity | null,
    pin: () => {
      guard.pinned = { label: 'Cam (046d:082d)', model: '046d:082d', serial: 'A1' };
      return guard.pinned;
    },
  };
  service = await openServicePage({
    terminal: { name: 'ATM 1', profile: 'atm', services: ['withdraw', 'deposit', 'balance', 'enrol'] },
    devices: opened.devices,
    origins: opened.origins,
    camera: { health: camera, connection: () => 'footage', watch: () => () => {}, guard },
    blocked,
    online: () => online,
    notices: () => notices,
    dayCloser: {
      closeNow: async () => {
        lastClose = exampleClose();
        return lastClose;
      },
      last: () => lastClose,
    },
    busy: () => busy,
    suspects: {
      list: () => suspects,
      clear: async () => {
        deeds.push('clear');
        suspects = suspects.map((one) => ({ ...one, cleared: true }));
        return { outcome: 'cleared', intoBinsMinor: 10_000 };
      },
      count: async (order) => {
        deeds.push(order);
        if (order.notes.some(({ denominationMinor, count }) => denominationMinor === 10_000 && count > 2)) {
          return { outcome: 'refused', field: 'notes', message: 'are worth 30000, and only 20000 was ordered' };
        }
        suspects = [];
        return { outcome: 'settled', bank: 'told' };
      },
    },
    port: 0,
    addressFile: path.join(dir, 'service-page.json'),
    clock: systemClock,
    chance: systemChance,
    log: pino({ level: 'silent' }),
  });
  browser = await launchChromium();
  context = await browser.newContext({ viewport: SIZES[0]!, reducedMotion: 'reduce', locale: 'ja-JP' });
  page = await context.newPage();
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  await page.goto(service.issueUrl());
  await page.waitForSelector('[data-device="camera"]');
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
  await opened?.close();
  rmSync(dir, { recursive: true, force: true });
});

const card = (key: string) => page.locator(`[data-device="${key}"]`);

async function looksRight(name: string): Promise<void> {
  if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });
  for (const size of SIZES) {
    await page.setViewportSize(size);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect([size, wide]).toEqual([size, 0]);
    if (SCREENSHOTS) {
      await page.screenshot({ path: path.join(SCREENSHOTS, `service-${name}-${size.width}.png`), fullPage: true });
    }
  }
  await page.setViewportSize(SIZES[0]!);
  if (!(await page.evaluate(() => 'axe' in window))) {
    await context.newCDPSession(page).then((session) => session.send('Runtime.evaluate', { expression: axe.source }));
  }
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }),
  );
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

describe('the service page', () => {
  it('is drawn in the font that comes with it, whatever the machine has', async () => {
    const loaded = await page.evaluate(async () => {
      await document.fonts.ready;
      const faces = [...document.fonts].filter(({ status }) => status === 'loaded');
      return [...new Set(faces.map(({ weight }) => weight))].sort();
    });
    expect(loaded).toEqual(['400', '700']);
  });

  it('opens once by its address', async () => {
    const url = service.issueUrl();
    const other = await browser.newContext();
    const guest = await other.newPage();
    await guest.goto(url);
    await guest.waitForSelector('[data-device="cashDispenser"]');
    const again = await (await browser.newContext()).request.get(url);
    expect(again.status()).toBe(403);
    await other.close();
  });

  it('in Japanese, with every device well', async () => {
    camera.reported({ state: 'running', detail: '' });
    await page.getByText('すべて正常です').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ja');
    await looksRight('well-ja');
  });

  it('in English, with a printer without paper, a device gone, a suspect and no bank', async () => {
    opened.control?.setPaper(0);
    opened.control?.armFault({ device: 'pin-pad', fault: 'gone', mode: 'untilCleared' });
    blocked.add('cash-dispenser');
    online = false;
    await page.locator('#lang-en').click();
    await page.getByText('3 things to look at').waitFor();
    expect(await card('cashDispenser').textContent()).toContain('Blocked by an unsettled transaction');
    expect(await card('pinPad').textContent()).toContain('Does not answer');
    expect(await card('receiptPrinter').textContent()).toContain('out of paper');
    const withdrawal = page.locator('#service-list li', { hasText: 'Withdrawal' });
    for (const reason of ['Cash dispenser is blocked', 'PIN pad does not work', 'The bank does not answer']) {
      expect(await withdrawal.textContent()).toContain(reason);
    }
    expect(await page.locator('#changes tr').count()).toBeGreaterThan(2);
    await looksRight('trouble-en');
    await page.locator('#lang-ja').click();
    await looksRight('trouble-ja');
    opened.control?.clearFault();
    opened.control?.setPaper(100);
    blocked.clear();
    online = true;
    await page.getByText('すべて正常です').waitFor();
  });

  it('tests a device at the press of a button, and no device while a customer is served', async () => {
    await card('cashDispenser').getByRole('button', { name: 'テスト 紙幣出金機' }).click();
    await card('cashDispenser').locator('.result.passed').waitFor();
    expect(await card('cashDispenser').locator('.result').textContent()).toContain('合格');
    expect(blocked.size).toBe(0);
    await looksRight('tested-ja');
    busy = true;
    await page.getByText('お客様が利用中です').waitFor();
    expect(await card('cashDispenser').locator('button').first().isDisabled()).toBe(true);
    busy = false;
  });

  it('pins the camera that was opened last, once that was meant', async () => {
    await expect.poll(() => card('camera').textContent()).toContain('未登録');
    page.once('dialog', (dialog) => void dialog.accept());
    await card('camera').getByRole('button', { name: 'このカメラを登録' }).click();
    await expect.poll(() => card('camera').textContent()).toContain('"Cam (046d:082d)", serial number A1');
  });

  it('takes a technician through clearing, counting and recording, and shows what was refused', async () => {
    suspects = [SUSPECT];
    const desk = page.locator('[data-suspect]');
    await desk.waitFor();
    expect(await desk.textContent()).toContain('結果の分からない取引');
    expect(await page.locator('#verdict').textContent()).toBe('1件の確認が必要です');
    const notes = desk.getByLabel('￥10,000 ×').or(desk.getByLabel('¥10,000 ×'));
    expect(await notes.isDisabled()).toBe(true);
    await looksRight('suspect-ja');
    await desk.getByRole('button', { name: '搬送路を空にする' }).click();
    await desk.locator('.result.passed').waitFor();
    await page.locator('#lang-en').click();
    await notes.fill('3');
    await desk.getByLabel('Who counted').fill('tanaka.k');
    await desk.getByLabel('Technician code').fill('abcd-efgh-2345');
    const record = async () => {
      await desk.getByRole('button', { name: 'Sign and record' }).click();
      await desk.getByRole('button', { name: 'Record it' }).click();
    };
    await record();
    await desk.locator('.result.failed').waitFor();
    expect(await notes.getAttribute('aria-invalid')).toBe('true');
    // A refresh takes nothing back that was typed.
    await page.waitForTimeout(2_200);
    expect(await notes.inputValue()).toBe('3');
    await looksRight('suspect-refused-en');
    // The browser's own line about the refusal.
    expect(troubles.splice(0)).toEqual([expect.stringContaining('status of 400')]);
    await notes.fill('1');
    await record();
    await desk.waitFor({ state: 'detached' });
    expect(await page.locator('#toast').textContent()).toContain('sent to the bank');
    expect(deeds.at(-1)).toEqual({
      transactionId: SUSPECT.transactionId,
      currency: 'JPY',
      notes: [
        { denominationMinor: 10_000, count: 1 },
        { denominationMinor: 5_000, count: 0 },
        { denominationMinor: 2_000, count: 0 },
        { denominationMinor: 1_000, count: 0 },
      ],
      staffId: 'tanaka.k',
      note: '',
      technicianCode: 'ABCD-EFGH-2345',
    });
    expect(deeds).toHaveLength(3);
  });

  it('says nothing to the console', () => {
    expect(troubles).toEqual([]);
  });

  it('says what is wrong with the terminal as a whole, above everything else', async () => {
    notices = [storageWords({ kind: 'full' })];
    await page.locator('#lang-en').click();
    await expect.poll(() => page.locator('#notices').textContent()).toContain('The disk is full');
    await page.locator('#lang-ja').click();
    await expect.poll(() => page.locator('#notices').textContent()).toContain('ディスクの空き容量がありません');
    await looksRight('disk-full');
    notices = [];
    await expect.poll(() => page.locator('#notices').textContent()).toBe('');
  });

  it('closes the day and shows what differs, in both languages', async () => {
    const section = page.locator('section[aria-labelledby="day-close-title"]');
    for (const [language, button, sentence, what] of [
      ['ja', '今すぐ締める', '3件の差異があります', '金額が違います'],
      ['en', 'Close the day now', '3 differences', 'The amounts differ'],
    ] as const) {
      await page.locator(`#lang-${language}`).click();
      await section.getByRole('button', { name: button }).click();
      await expect.poll(() => section.locator('.state').textContent()).toBe(sentence);
      await expect.poll(() => section.locator('table').textContent()).toContain(what);
      await looksRight(`day-close-${language}`);
    }
    lastClose = null;
  });
});
