/**
 * A terminal as its own process, as the demonstration runs one, with what tests need beyond it: other settings, a sudden end
 * of the browser or of the terminal, an eye for accessibility, and a look into the journal.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import Database from 'better-sqlite3';
import { type Browser, chromium, type Page } from 'playwright-core';
import { keepsItsFrames } from '../../scripts/demo/quiet-page.ts';
import { DemoTerminal } from '../../scripts/demo/terminal.ts';
import type { Service } from '../../src-contract/primitives.ts';
import { dataPlaces } from '../../src-main/places.ts';

/** A browser that was killed is replaced within 1 s, and needs up to 5 s to come up on two busy cores; ms. */
const RELAUNCH_MS_MAX = 75_000;

interface Axe {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

export class TerminalUnderTest extends DemoTerminal {
  #reconnected: { browser: Browser; page: Page } | null = null;

  override get page(): Page {
    return this.#reconnected?.page ?? super.page;
  }

  override async start(): Promise<void> {
    await this.#reconnected?.browser.close();
    this.#reconnected = null;
    await super.start();
  }

  override async stop(): Promise<void> {
    await this.#reconnected?.browser.close();
    this.#reconnected = null;
    await super.stop();
  }

  /** Changes settings of the configuration file; counts from the next start. */
  configure(change: Readonly<Record<string, unknown>>): void {
    const path = dataPlaces(this.dataDir).config;
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...config, ...change }));
  }

  /** The terminal's process ends as by a power cut. */
  kill(): void {
    process.kill(this.#terminalPid(), 'SIGKILL');
  }

  /** Kills the browser and waits for the screen of the one that takes its place. */
  async killBrowser(): Promise<void> {
    const gone = this.#browserRun();
    process.kill(Number(readFileSync(join(gone, 'kaopass-browser.pid'), 'utf8')), 'SIGKILL');
    await this.#reconnected?.browser.close().catch(() => undefined);
    this.#reconnected = null;
    const until = performance.now() + RELAUNCH_MS_MAX;
    for (;;) {
      try {
        this.#reconnected = await reachBrowser(this.#browserRun(), gone);
        await this.page.waitForSelector('[data-screen]', { timeout: RELAUNCH_MS_MAX });
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** What axe-core holds against the page as it stands, one line each; empty is good. */
  async violations(): Promise<string[]> {
    // Colours are judged as they stay, not on the way in. What moves for longer than a second is no way in.
    await this.page.evaluate(async () => {
      await document.fonts.ready;
      const ending = document
        .getAnimations()
        .filter(({ effect }) => Number(effect?.getComputedTiming().endTime ?? 0) <= 1_000);
      await Promise.allSettled(ending.map(({ finished }) => finished));
    });
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate(() =>
      (window as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }),
    );
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  /** Touches the answer that stands first on the screen. */
  async agrees(intent: string): Promise<void> {
    await this.page.locator(`[data-intent="${intent}"].button-first`).first().click();
  }

  /** From the inviting screen, in this language, into a service. */
  async begins(service: Service, language: '日本語' | 'English'): Promise<void> {
    await this.sees('attract');
    await this.touches('begin');
    await this.sees('menu');
    if (language === 'English') await this.language(language);
    await this.touches('choose-service', { service });
  }

  /** Whether the page's own words say that the bank is away. */
  async showsOffline(offline: boolean): Promise<void> {
    await this.page.waitForSelector(`.offline-notice[data-shown="${offline}"]`, { state: 'attached' });
  }

  /** The last state that the journal holds of this service's newest transaction. */
  lastState(service: Service): { state: string; final: boolean } | undefined {
    const row = this.#journal<{ state: string; final: number }>(
      `SELECT e.state, e.final FROM transaction_events e JOIN transactions t ON t.transaction_id = e.transaction_id
       WHERE t.service = ? ORDER BY e.at DESC, e.number DESC LIMIT 1`,
      service,
    );
    return row && { state: row.state, final: row.final === 1 };
  }

  /** Requests that wait to be delivered to the bank. */
  waiting(): number {
    return this.#journal<{ n: number }>("SELECT count(*) AS n FROM outbox WHERE state = 'waiting'")?.n ?? -1;
  }

  results(): number {
    return this.#journal<{ n: number }>('SELECT count(*) AS n FROM match_results')?.n ?? -1;
  }

  #journal<Row>(query: string, ...values: unknown[]): Row | undefined {
    const database = new Database(dataPlaces(this.dataDir).journal, { readonly: true });
    try {
      return database.prepare(query).get(...values) as Row | undefined;
    } finally {
      database.close();
    }
  }

  #terminalPid(): number {
    return Number(readFileSync(join(this.dataDir, 'running.pid'), 'utf8'));
  }

  /** The folder of the browser that was started last. */
  #browserRun(): string {
    const folder = join(this.dataDir, 'screen');
    const runs = readdirSync(folder).map((name) => join(folder, name));
    const last = runs.sort((a, b) => statSync(b).birthtimeMs - statSync(a).birthtimeMs)[0];
    if (!last) throw new Error('no browser was started yet');
    return last;
  }
}

async function reachBrowser(run: string, gone: string): Promise<{ browser: Browser; page: Page }> {
  if (run === gone) throw new Error('the browser was not replaced');
  const port = readFileSync(join(run, 'DevToolsActivePort'), 'utf8').split('\n')[0];
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { timeout: 5_000 });
  const page = browser.contexts()[0]?.pages()[0];
  if (page) {
    // Nobody watches, and what moves takes a core of the machine's where no GPU draws it.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await keepsItsFrames(page);
    return { browser, page };
  }
  await browser.close();
  throw new Error('the browser shows no page');
}
