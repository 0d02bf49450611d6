/** The page of the simulated devices, used as a person uses it, in a real Chromium, in both languages. */
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemChance, systemClock } from '../../src-devices/clock.ts';
import { Machine } from '../../src-devices/control/machine.ts';
import { type ControlServer, startControlServer } from '../../src-devices/control/server.ts';
import { makeStateDir } from '../../src-devices/test-bench.ts';
import { TestClient } from '../../src-devices/test-client.ts';
import { launchChromium } from '../screens/browser.ts';
import type { Axe } from '../support/axe.ts';

const folder = makeStateDir();
let machine: Machine;
let control: ControlServer;
let browser: Browser;
let page: Page;
const troubles: string[] = [];

beforeAll(async () => {
  machine = await Machine.open({
    stateDir: folder.path,
    profile: 'atm',
    clock: systemClock,
    chance: systemChance,
    speed: 1_000,
    dialect: {},
    ports: [0],
    security: 'off',
  });
  control = await startControlServer({ machine, clock: systemClock, port: 0, token: 'token-of-the-browser-test' });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'ja-JP', reducedMotion: 'reduce' });
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    // An answer of 409 is a deed that was impossible; the page says so itself.
    if (message.type() === 'error' && !message.text().includes('409')) troubles.push(message.text());
  });
  await page.goto(control.url);
});
afterAll(async () => {
  await browser?.close();
  await control?.close();
  await machine?.close();
  folder.remove();
});

const named = (name: string) => page.getByRole('button', { name, exact: true });
const service = async (name: string) => await TestClient.connect(machine.atm()!.serviceUrl(name));

async function violations(): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: axe.source });
  }
  const found = await page.evaluate(() => (window as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }));
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

describe('the page of the devices', () => {
  it('shows the notes of a payout, and hands take them', async () => {
    const cash = await service('CashRecycler1');
    const denomination = { service: { currencies: { JPY: 16_000 }, mix: 'mix1' } };
    await cash.command('CashDispenser.Dispense', { denomination: { denomination }, position: 'outCenter' });
    await cash.command('CashDispenser.Present', {});
    const output = page.locator('#output');
    await output.getByText('× 1').first().waitFor();
    expect(await output.textContent()).toBe('￥10,000 × 1￥5,000 × 1￥1,000 × 1');
    await named('受け取る').click();
    await cash.event('CashManagement.ItemsTakenEvent');
    await page.getByText('シャッターは閉じています').waitFor();
    cash.socket.terminate();
  });

  it('puts notes in, good and bad, while the slot is open', async () => {
    const cash = await service('CashRecycler1');
    await expect.poll(() => named('投入する').isEnabled()).toBe(false);
    await cash.command('CashAcceptor.CashInStart', { useRecycleUnits: true });
    const cashIn = cash.send('CashAcceptor.CashIn');
    await page.getByText('投入口が開いています').waitFor();
    for (let note = 0; note < 3; note += 1) await named('￥1,000 増やす').click();
    await named('読めない紙 増やす').click();
    await named('投入する（￥3,000）').click();
    expect((await cash.completion(cashIn)).payload.items.type1000JPY1.fit).toBe(3);
    await named('返却された紙幣を受け取る').click();
    await cash.event('CashManagement.ItemsTakenEvent');
    cash.socket.terminate();
  });

  it('presses PIN keys by pointer and by keyboard, and shows only how many', async () => {
    const pin = await service('PinPad1');
    const digits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    const activeKeys = { ...Object.fromEntries(digits.map((digit) => [digit, {}])), enter: { terminate: true } };
    const entry = pin.send('Keyboard.PinEntry', { minLen: 4, maxLen: 6, activeKeys });
    await named('2').click();
    await page.locator('#pin-hint').getByText('1 桁').waitFor();
    await page.locator('body').press('7');
    await page.locator('body').press('4');
    await page.locator('#pin-hint').getByText('3 桁').waitFor();
    await named('9').click();
    await page.locator('#pin-hint').getByText('4 桁').waitFor();
    await named('確認').click();
    expect((await pin.completion(entry)).payload).toEqual({ digits: 4, completion: 'enter' });
    pin.socket.terminate();
  });

  it('arms a fault and shows a device that is gone', async () => {
    await page.getByLabel('故障の種類').selectOption('slowCompletion');
    await page.getByLabel('命令').fill('Lights.SetLight');
    await page.getByLabel('遅れ（ミリ秒）').fill('5');
    await named('仕掛ける').click();
    await page.locator('#armed').getByText('slowCompletion').waitFor();
    expect(machine.atm()!.faults.armed()).toMatchObject([{ fault: 'slowCompletion', parameters: { delayMs: 5 } }]);
    await named('外す').click();
    await page.getByLabel('Camera1').selectOption('noDevice');
    await page.locator('#services').getByText('Camera1: 装置なし').waitFor();
    await page.getByLabel('Camera1').selectOption('online');
  });

  it('speaks English, keeps the focus, and has nothing an accessibility checker would mind', async () => {
    expect(await violations()).toEqual([]);
    await named('English').click();
    await page.getByRole('heading', { name: 'Cash output' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('English');
    expect(await violations()).toEqual([]);
  });

  it('pulls the plug and puts it in again; every note is where it was', async () => {
    await named('Pull the plug').click();
    await named('Plug in again').waitFor();
    expect(machine.atm()).toBeNull();
    expect(await violations()).toEqual([]);
    await named('Plug in again').click();
    await page.getByText('Every note is accounted for').waitFor();
    await expect.poll(() => named('Pull the plug').isVisible()).toBe(true);
  });

  it('fits a telephone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it('met no error of script or policy', () => {
    expect(troubles).toEqual([]);
  });
});
