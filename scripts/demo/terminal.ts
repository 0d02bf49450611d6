/** One terminal as a process, the hands of whoever stands before it, and eyes on its screen. */
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { CameraSource, ScreenName } from '../../src-contract/screen.ts';
import { SCENES } from '../../src-main/config/scenes.ts';
import type { DemoBank } from './bank.ts';
import { askControl, DemoDevices, type DeviceState } from './devices.ts';
import { FRAMES_PASS, type Program, startProgram } from './processes.ts';
import { provisionTerminal } from './provision.ts';
import { keepsItsFrames } from './quiet-page.ts';

/** No screen of the demonstration needs longer; ms. */
const SCREEN_MS_MAX = 30_000;

export class DemoTerminal {
  readonly dataDir: string;
  readonly #name: string;
  readonly #profile: 'atm' | 'checkout';
  readonly #log: string;
  readonly #shots: { readonly dir: string; readonly files: string[] };
  #program: Program | null = null;
  #browser: Browser | null = null;
  #page: Page | null = null;
  readonly machine: DemoDevices;
  terminalId = '';

  constructor(options: {
    dataDir: string;
    name: string;
    profile: 'atm' | 'checkout';
    log: string;
    shots: { dir: string; files: string[] };
    dialect?: readonly string[];
    speed?: number;
  }) {
    this.dataDir = options.dataDir;
    this.#name = options.name;
    this.#profile = options.profile;
    this.#log = options.log;
    this.#shots = options.shots;
    this.machine = new DemoDevices({
      dir: `${options.dataDir}-devices`,
      profile: options.profile,
      log: options.log.replace(/(\.log)?$/, '-devices.log'),
      dialect: options.dialect ?? [],
      speed: options.speed ?? 1,
    });
  }

  get page(): Page {
    if (!this.#page) throw new Error(`${this.#name} has no screen`);
    return this.#page;
  }

  /** What a technician does: activates with the bank's code, writes the configuration, and tells the bank the machine's keys. */
  async provision(bank: DemoBank, activationCode: string): Promise<{ code: number | null; output: string }> {
    await this.machine.start();
    const { terminalId, ...activated } = await provisionTerminal({
      bank,
      activationCode,
      machine: this.machine,
      dataDir: this.dataDir,
      name: this.#name,
      profile: this.#profile,
      settings: {
        demonstration: true,
        camera: SCENES.nobody.source,
        screen: { headless: true, remoteDebugging: true },
        // Nobody watches a terminal for ten seconds to see its books settle or its bank go away.
        sync: { roundMs: 1_500, probeMs: 1_000 },
      },
    });
    if (terminalId !== null) this.terminalId = terminalId;
    return activated;
  }

  async start(): Promise<void> {
    await this.machine.start();
    this.#program = await startProgram('src-main/chromium.ts', ['--data', this.dataDir], this.#log, FRAMES_PASS);
    this.#browser = await chromium.connectOverCDP(String(this.#program.ready['debugging']));
    const page = this.#browser.contexts()[0]?.pages()[0];
    if (!page) throw new Error(`${this.#name} opened no page`);
    page.setDefaultTimeout(SCREEN_MS_MAX);
    await keepsItsFrames(page);
    // Nobody watches, and what moves takes a core of the machine's where no GPU draws it.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    this.#page = page;
    await this.sees('attract');
  }

  async stop(): Promise<void> {
    await this.#browser?.close().catch(() => undefined);
    await this.#program?.stop();
    await this.machine.stop();
    this.#program = null;
    this.#browser = null;
    this.#page = null;
  }

  /** The terminal and its machine stop where they stand. */
  async losesPower(): Promise<void> {
    await Promise.all([this.#program?.kill(), this.machine.plug('out')]);
    await this.#browser?.close().catch(() => undefined);
    this.#program = null;
    this.#browser = null;
    this.#page = null;
  }

  async powerReturns(): Promise<void> {
    await this.machine.plug('in');
    await this.start();
  }

  /** Waits until the screen shows this. Ends at once, with what stands there, when the visit ended otherwise. */
  async sees(name: ScreenName, ...alternatives: ScreenName[]): Promise<ScreenName> {
    const wanted: readonly string[] = [name, ...alternatives];
    // On the way back to the start the last screen of the visit is still there for a moment.
    const ends = wanted.includes('attract') ? ['out-of-service'] : ['sorry', 'out-of-service', 'done'];
    const endings = ends.filter((one) => !wanted.includes(one));
    const any = [...wanted, ...endings].map((one) => `[data-screen="${one}"]`).join(',');
    await this.page.waitForSelector(any, { timeout: SCREEN_MS_MAX });
    const seen = await this.screen();
    if (!wanted.includes(seen))
      throw new Error(`expected ${wanted.join(' or ')}, the screen shows "${seen}": ${await this.words()}`);
    return seen as ScreenName;
  }

  async screen(): Promise<string> {
    return (await this.page.locator('[data-screen]').first().getAttribute('data-screen')) ?? '';
  }

  /** The screen's words, on one line. */
  async words(): Promise<string> {
    return ((await this.page.locator('[data-screen]').first().textContent()) ?? '').replace(/\s+/g, ' ').trim();
  }

  /** Touches the button for an intent; with words or an attribute where there are several. */
  async touches(intent: string, which: { words?: string; service?: string } = {}): Promise<void> {
    let button = this.page.locator(
      `[data-intent="${intent}"]${which.service ? `[data-service="${which.service}"]` : ''}`,
    );
    if (which.words) button = button.filter({ hasText: which.words });
    await button.first().click();
  }

  async language(name: '日本語' | 'English'): Promise<void> {
    await this.page.locator('[data-intent="set-language"]', { hasText: name }).first().click();
    await this.page.waitForSelector(`html[lang="${name === 'English' ? 'en' : 'ja'}"]`, { state: 'attached' });
    await this.page.waitForTimeout(400); // A hand needs this long from one button to the next.
  }

  async picture(name: string): Promise<void> {
    const file = join(this.#shots.dir, `${String(this.#shots.files.length + 1).padStart(2, '0')}-${name}.png`);
    await this.page.screenshot({ path: file, animations: 'disabled' }); // As it stands once it has faded in.
    this.#shots.files.push(file);
  }

  /** Puts somebody, or something, before the camera. */
  async camera(source: CameraSource): Promise<void> {
    const response = await askControl(String(this.#program?.ready['control']), '/camera', { source });
    if (!response.ok) throw new Error(`the camera answered ${response.status}: ${await response.text()}`);
  }

  devices(): Promise<DeviceState> {
    return this.machine.state();
  }
}
