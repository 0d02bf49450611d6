/**
 * Every screen of the contract, drawn by the product's own App in a real Chromium under the product's own headers, in every
 * language and on every size of display a terminal has. Set KAOPASS_SCREENSHOTS to a folder to look at them.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Language } from '../../src-contract/primitives.ts';
import { Intent, type IntentKind, type View } from '../../src-contract/screen.ts';
import { en } from '../../src-renderer/i18n/en.ts';
import { launchChromium } from '../screens/browser.ts';
import { FIXTURES, type Fixture } from '../screens/fixtures.ts';
import { type ServedPage, servePage } from '../screens/serve.ts';
import type {} from '../screens/stage-api.ts';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1024, height: 768 },
  { width: 1280, height: 1024 },
  { width: 1080, height: 1920 },
];
/** Half a fingertip, CSS pixels; WCAG 2.2, 2.5.5 asks for 44. */
const TOUCH_PX_MIN = 48;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SCREENSHOTS = process.env['KAOPASS_SCREENSHOTS'];

declare global {
  interface Window {
    axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    layoutFaults: typeof layoutFaults;
  }
}

/** As the product is built; and with the React that says what is wrong with a tree. */
let served: ServedPage;
let watchful: ServedPage;
let browser: Browser;
let page: Page;
const troubles: string[] = [];

beforeAll(async () => {
  served = await servePage('stage', null);
  watchful = await servePage('stage', null, 'development');
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await watchful?.close();
});

async function openPage(from = watchful): Promise<Page> {
  const opened = await browser.newPage({ viewport: SIZES[0]!, reducedMotion: 'reduce' });
  opened.on('pageerror', (error) => troubles.push(error.message));
  opened.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Permissions-Policy')) troubles.push(message.text());
  });
  await opened.goto(from.url);
  await opened.waitForFunction(() => 'stage' in window);
  return opened;
}

let shared: Page | undefined;
/** The App anew on a page that is kept: to load a page takes a second of a core, most of it for the fonts. */
async function beginAnew(): Promise<void> {
  shared ??= await openPage();
  page = shared;
  await page.evaluate(() => window.stage.anew());
}

const show = (view: View, on = page) => on.evaluate((next) => window.stage.show(next), view);
const sent = (on = page) => on.evaluate(() => window.stage.sent.map(({ intent }) => intent));
const people = (intents: Intent[]) => intents.filter(({ kind }) => kind !== 'report-camera');
const fixture = (name: string): Fixture => {
  const found = FIXTURES.find((one) => one.name === name);
  if (!found) throw new Error(`no fixture is called ${name}`);
  return found;
};

async function settle(on = page): Promise<void> {
  await on.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

/** What is wrong with how the page lies on its display: a list to be empty. */
function layoutFaults(touchPxMin: number): string[] {
  const faults: string[] = [];
  const name = (element: Element) =>
    `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`;
  const scrolls = (element: Element | null): boolean =>
    element !== null && (element.matches('.consent-text, .basket-scroll') || scrolls(element.parentElement));
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth || root.scrollHeight > innerHeight) faults.push('the page scrolls');
  const main = document.querySelector('main');
  if (main && main.scrollHeight > main.clientHeight + 1) {
    faults.push(`main is ${main.scrollHeight - main.clientHeight} px too high for its place`);
  }
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('svg') || !(element instanceof HTMLElement)) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    if (
      element.scrollWidth > element.clientWidth + 1 &&
      element.clientWidth > 0 &&
      !element.matches('.header-terminal')
    ) {
      faults.push(`${name(element)} is ${element.scrollWidth - element.clientWidth} px too narrow for its text`);
    }
    if (scrolls(element)) continue;
    if (box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1) {
      faults.push(`${name(element)} lies outside of the display`);
    }
  }
  for (const button of document.querySelectorAll('button')) {
    const { width, height } = button.getBoundingClientRect();
    if (width < touchPxMin || height < touchPxMin) {
      faults.push(`${name(button)} is ${Math.round(width)}×${Math.round(height)}, too small to touch`);
    }
  }
  return faults;
}

/** Shows one view after the other, lets it settle, and asks: in one message to the page, since each costs more than to draw a screen. */
const faultsOf = (views: readonly (View & { readonly name: string })[]): Promise<string[]> =>
  page.evaluate(
    async ({ all, touchPxMin }) => {
      const faults: string[] = [];
      for (const { name, ...view } of all) {
        window.stage.show(view);
        await document.fonts.ready;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        for (const fault of window.layoutFaults(touchPxMin)) faults.push(`${name}: ${fault}`);
      }
      return faults;
    },
    { all: views, touchPxMin: TOUCH_PX_MIN },
  );

/** On every size of display; leaves the page at the first. */
async function expectNoLayoutFaults(): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await settle();
    expect([size, await page.evaluate(layoutFaults, TOUCH_PX_MIN)]).toEqual([size, []]);
  }
  await page.setViewportSize(SIZES[0]!);
}

describe.each(Language.options)('every screen in %s', (language) => {
  beforeAll(async () => {
    page = await openPage(served);
    await page.evaluate(await readFile(AXE, 'utf8'));
  });
  afterAll(() => page.close());

  it.each(FIXTURES)('$name is accessible, and offers a way on', async ({ view }) => {
    const { lang, violations, drawn } = await page.evaluate(
      async (next) => {
        window.stage.show(next);
        await document.fonts.ready;
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const found = await window.axe.run({ resultTypes: ['violations'] });
        return {
          lang: document.documentElement.lang,
          violations: found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
          drawn: [...document.querySelectorAll<HTMLElement>('[data-intent]')].map((one) => one.dataset['intent']),
        };
      },
      { ...view, language },
    );
    expect(lang).toBe(language);
    expect(violations).toEqual([]);

    // "extend" has its place in the warning; the camera page answers for itself.
    const expected = view.offers.filter((kind) => kind !== 'extend' && kind !== 'report-camera');
    expect(expected.filter((kind) => !covers(kind, drawn, expected))).toEqual([]);
  });

  // One size after the other: to give the page another size costs more than to draw another screen.
  it.each(SIZES)('fits a display of $width × $height', async ({ width, height }) => {
    await page.setViewportSize({ width, height });
    await page.evaluate(`window.layoutFaults = ${layoutFaults}`);
    const views = FIXTURES.map(({ name, view }) => ({ ...view, language, name }));
    if (SCREENSHOTS) await mkdir(SCREENSHOTS, { recursive: true });
    // What nobody looks at lies where it would lie, and costs no painting.
    else await page.evaluate(() => document.documentElement.style.setProperty('visibility', 'hidden'));
    if (!SCREENSHOTS) return expect(await faultsOf(views)).toEqual([]);
    const faults: string[] = [];
    for (const view of views) {
      faults.push(...(await faultsOf([view])));
      await page.screenshot({ path: path.join(SCREENSHOTS, `${view.name}-${language}-${width}x${height}.png`) });
    }
    expect(faults).toEqual([]);
  });
});

it('gives React nothing to warn of, whichever screen follows another', async () => {
  await beginAnew();
  const before = troubles.length;
  const views = Language.options.flatMap((language) => FIXTURES.map(({ view }) => ({ ...view, language })));
  await page.evaluate(async (all) => {
    for (const view of all) {
      window.stage.show(view);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }, views);
  expect(troubles.slice(before)).toEqual([]);
});

/** On the balance one button is both answers: either means that it was read. */
function covers(kind: IntentKind, drawn: (string | undefined)[], offered: readonly IntentKind[]): boolean {
  return drawn.includes(kind) || (kind === 'cancel' && offered.includes('confirm') && drawn.includes('confirm'));
}

describe('answers', () => {
  beforeEach(beginAnew);

  it.each<[string, string, Intent]>([
    ['attract', '画面にタッチしてください', { kind: 'begin' }],
    ['menu', 'お引き出し', { kind: 'choose-service', service: 'withdraw' }],
    ['consent', '同意する', { kind: 'answer-consent', version: '2026-10', agreed: true }],
    ['consent', '同意しない', { kind: 'answer-consent', version: '2026-10', agreed: false }],
    ['amount', '20,000円', Intent.parse({ kind: 'choose-amount', amountMinor: 20_000 })],
    ['amount-refused', '10,000円', Intent.parse({ kind: 'choose-amount', amountMinor: 10_000 })],
    ['insert-cash', 'すべて入れました', { kind: 'confirm' }],
    ['confirm-deposit', 'この金額を預け入れる', { kind: 'confirm' }],
    ['confirm-deposit', '取り消して返却する', { kind: 'cancel' }],
    ['payee', '金額を変える', { kind: 'correct', what: 'amount' }],
    ['confirm-transfer', 'この内容で振り込む', { kind: 'confirm' }],
    ['confirm-transfer', '振り込まない', { kind: 'cancel' }],
    ['balance', '確認しました', { kind: 'confirm' }],
    ['receipt', '受け取る', { kind: 'choose-receipt', print: true }],
    ['receipt', '受け取らない', { kind: 'choose-receipt', print: false }],
    ['done-withdraw', '終わる', { kind: 'confirm' }],
    ['sorry-no-face', 'もう一度', { kind: 'retry' }],
    ['sorry-nobody-claim', '口座番号を入力する', { kind: 'claim-identity' }],
    ['sorry-no-face', '最初の画面に戻る', { kind: 'cancel' }],
    ['pin', '取り消す', { kind: 'cancel' }],
    ['basket', 'お顔で支払う', { kind: 'pay' }],
    ['basket', '緑茶 500mlを取り消す', { kind: 'remove-line', lineId: '019aa000-0000-7000-8000-000000000002' }],
    ['menu', 'English', { kind: 'set-language', language: 'en' }],
  ])('on %s, "%s" is said once, however often it is touched', async (name, label, intent) => {
    await show(fixture(name).view);
    const button = page
      .getByRole('button', { name: label, exact: true })
      .or(page.getByRole('button', { name: new RegExp(`^${label}`) }))
      .first();
    await button.dblclick();
    expect(people(await sent())).toEqual([intent]);
  });

  it('a touch anywhere on the inviting screen begins', async () => {
    await show(fixture('attract').view);
    await settle(); // A place on the display waits for nothing.
    await page.mouse.click(1000, 600);
    expect(people(await sent())).toEqual([{ kind: 'begin' }]);
  });

  it('a service that is not available says why, and can be touched to hear it in full', async () => {
    await show(fixture('menu-offline').view);
    const service = page.getByRole('button', { name: 'お引き出し' });
    expect(await service.textContent()).toContain('お取り扱いできません');
    expect(await service.getAttribute('data-available')).toBe('false');
    await service.click();
    expect(people(await sent())).toEqual([{ kind: 'choose-service', service: 'withdraw' }]);
  });

  it('an amount is keyed in by hand or keyboard, refused above the maximum, and sent', async () => {
    await show({ ...fixture('amount').view, language: 'en' });
    await page.getByRole('button', { name: 'Another amount' }).click();
    const ok = page.locator('.own-ok');
    expect(await ok.getAttribute('aria-disabled')).toBe('true');
    for (const key of ['2', '3', '4']) await page.getByRole('button', { name: key, exact: true }).click();
    expect(await page.locator('.own-amount').textContent()).toBe('¥234,000');
    expect(await page.getByRole('alert').textContent()).toBe('The most at one time is ¥100,000.');
    await expectNoLayoutFaults();
    await ok.click({ force: true });
    expect(people(await sent())).toEqual([]);
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('7');
    await ok.click();
    expect(people(await sent())).toEqual([{ kind: 'choose-amount', amountMinor: 27_000 }]);
  });

  it('an account number is keyed in by hand or keyboard, shown in groups, and sent only when it is whole', async () => {
    await show({ ...fixture('payee').view, language: 'en' });
    const ok = page.locator('.own-ok');
    const digits = page.locator('.payee-digits');
    for (const key of ['0', '1', '2', '3']) await page.getByRole('button', { name: key, exact: true }).click();
    expect(await digits.getAttribute('aria-label')).toBe('Account number entered: 012 3');
    expect(await ok.getAttribute('aria-disabled')).toBe('true');
    await ok.click({ force: true });
    expect(people(await sent())).toEqual([]);
    await page.keyboard.type('4567899');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('8');
    expect(await digits.getAttribute('aria-label')).toBe('Account number entered: 012 345 6788');
    await ok.click();
    expect(people(await sent())).toEqual([{ kind: 'enter-payee', accountNumber: '0123456788' }]);
  });

  it('a number that was wrong is there to be corrected, and cannot be sent again as it is', async () => {
    await show({ ...fixture('payee-unknown').view, language: 'en' });
    const ok = page.locator('.own-ok');
    expect(await page.getByRole('alert').textContent()).toBe(en.payee.problem.unknown);
    expect(await ok.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('button', { name: 'Erase one digit' }).click();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: '5', exact: true }).click();
    await ok.click();
    expect(people(await sent())).toEqual([{ kind: 'enter-payee', accountNumber: '0123456785' }]);
  });

  it('the own account number is keyed in the same way, and not sent again as it was when it was not confirmed', async () => {
    await show({ ...fixture('claim-unconfirmed').view, language: 'en' });
    expect(await page.getByRole('alert').textContent()).toBe(en.claim.problem.unconfirmed);
    await page.locator('.own-ok').click({ force: true });
    expect(people(await sent())).toEqual([]);
    await page.keyboard.press('Backspace');
    await page.getByRole('button', { name: '4', exact: true }).click();
    await page.locator('.own-ok').click();
    expect(people(await sent())).toEqual([{ kind: 'enter-claim', accountNumber: '0123456784' }]);
  });

  it('a long consent can be read to its end without a scrolling finger', async () => {
    await show(fixture('consent').view);
    const more = page.getByRole('button', { name: '続きを読む' });
    // A press scrolls smoothly, and a press in the middle of that goes on from there: on a busy machine it takes a few more.
    await expect
      .poll(
        async () => {
          if (await more.isVisible()) await more.click({ timeout: 1_000 }).catch(() => {});
          return more.isVisible();
        },
        { timeout: 20_000 },
      )
      .toBe(false);
    expect(await page.locator('.consent-version').isVisible()).toBe(true);
  });

  it('an answer that was refused as stale by a view showing the same is repeated', async () => {
    await show(fixture('menu').view);
    await page.evaluate(() => window.stage.answers.push({ ok: false, code: 'stale', message: 'crossed' }));
    await page.getByRole('button', { name: 'お引き出し' }).click();
    await expect.poll(async () => people(await sent()).length).toBe(2);
  });
});

describe('by keyboard', () => {
  it('every answer of a screen is reached by Tab with a ring around it, and given by Enter', async () => {
    page = await openPage();
    await show(fixture('amount').view);
    const buttons = await page.locator('button').count();
    const reached = new Set<string>();
    // One more than there are buttons: on its way around, Tab passes the page itself.
    for (let press = 0; press <= buttons; press++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement === document.body)) continue;
      const focused = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { words: element.textContent, ring: outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth) };
      });
      expect(focused.ring).toBeGreaterThanOrEqual(3);
      reached.add(focused.words);
    }
    expect(reached.size).toBe(buttons);
    await page.getByRole('button', { name: '50,000円' }).focus();
    await page.keyboard.press('Enter');
    expect(people(await sent())).toEqual([{ kind: 'choose-amount', amountMinor: 50_000 }]);
    await page.close();
  });
});

describe('when time runs out', () => {
  const late = (name: string, remainingMs: number, warnMs = 10_000): View => ({
    ...fixture(name).view,
    timeout: { remainingMs, warnMs },
  });

  beforeEach(beginAnew);

  it('warns in a dialog that has the focus, counts down, and extends', async () => {
    await show(late('amount', 8_000));
    const dialog = page.getByRole('alertdialog', { name: 'お取引を続けますか' });
    await dialog.waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('続ける');
    expect(await dialog.textContent()).toContain('残り8秒');
    await expect.poll(() => dialog.textContent(), { timeout: 10_000 }).toMatch(/残り[1-7]秒/);
    await expectNoLayoutFaults();
    await page.keyboard.press('Enter');
    expect(people(await sent())).toEqual([{ kind: 'extend' }]);
    await show(late('amount', 45_000));
    await dialog.waitFor({ state: 'detached' });
  });

  it('does not warn before it is time', async () => {
    await show(late('amount', 10_800));
    await settle();
    expect(await page.getByRole('alertdialog').count()).toBe(0);
    await page.getByRole('alertdialog').waitFor({ timeout: 3_000 });
  });

  it('takes Escape for "still here", and the other button for the end', async () => {
    await show(late('menu', 5_000));
    await page.getByRole('alertdialog').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(async () => people(await sent())).toEqual([{ kind: 'extend' }]);
    await page.waitForTimeout(800);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await settle();
    expect(await page.getByRole('alertdialog').isVisible()).toBe(true);
    await page.waitForTimeout(800);
    await page.evaluate(() => window.stage.sent.splice(1));
    await page.getByRole('button', { name: '終了する' }).click();
    expect(people(await sent())).toEqual([{ kind: 'extend' }, { kind: 'cancel' }]);
  });

  it('only tells the seconds where more time can not be had', async () => {
    await show(late('take-cash', 9_000));
    await page.locator('.countdown').waitFor();
    expect(await page.getByRole('alertdialog').count()).toBe(0);
  });
});

describe('what is around a screen', () => {
  beforeEach(beginAnew);

  it('says that this is a demonstration, and that the bank is away, only when so', async () => {
    const { view } = fixture('menu');
    await show({ ...view, terminal: { ...view.terminal, demonstration: false } });
    expect(await page.getByText('デモ', { exact: true }).count()).toBe(0);
    expect(await page.getByText('ただいま銀行と通信できません').count()).toBe(0);
    await show({ ...view, terminal: { ...view.terminal, online: false } });
    expect(await page.getByText('デモ', { exact: true }).count()).toBe(1);
    expect(await page.getByText('ただいま銀行と通信できません').count()).toBe(1);
  });

  it('speaks both languages before the first view and when the terminal is lost, and comes back', async () => {
    expect(await page.locator('main').textContent()).toMatch(/準備をしています.*Getting ready/);
    await show(fixture('balance').view);
    expect(await page.getByText('1,234,567円').count()).toBe(1);
    await page.evaluate(() => window.stage.disconnect());
    expect(await page.locator('main').textContent()).toMatch(/接続が切れました.*lost its connection/);
    expect(await page.getByText('1,234,567円').count()).toBe(0);
    await show(fixture('menu').view);
    await page.getByRole('heading', { name: 'ご希望のお取引をお選びください' }).waitFor();
  });

  it('shows of a PIN how many digits there are, and nothing else', async () => {
    await show(fixture('pin-digits').view);
    expect(await page.getByRole('img', { name: '3けた入力されています' }).count()).toBe(1);
    expect(await page.locator('.pin-dots').textContent()).toBe('');
  });

  it('keeps still for people who asked for less motion', async () => {
    for (const name of ['attract', 'take-cash', 'pin']) {
      await show(fixture(name).view);
      await settle();
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    }
  });
});

describe('the product’s own page', () => {
  it('says in both languages that it gets ready, until a terminal answers', async () => {
    const product = await servePage('product', null);
    try {
      page = await browser.newPage();
      const violations: string[] = [];
      page.on(
        'console',
        (message) => message.text().includes('Content Security Policy') && violations.push(message.text()),
      );
      await page.goto(product.url);
      await expect.poll(() => page.locator('main').textContent()).toMatch(/準備をしています.*Getting ready/);
      await settle();
      expect(await page.evaluate(() => document.fonts.check('700 20px "Noto Sans JP"', '顔'))).toBe(true);
      expect(violations).toEqual([]);
    } finally {
      await page.close();
      await product.close();
    }
  });
});

it('drew all of this without an error in the page, and without breaking its content security policy', () => {
  expect(troubles).toEqual([]);
});
