/** One terminal as a process, the hands of whoever stands before it, and eyes on its screen. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Profile } from '../../src-contract/primitives.ts';
import type { CameraSource, ScreenName } from '../../src-contract/screen.ts';
import { SCENES } from '../../src-main/config/scenes.ts';
import { type Program, runProgram, startProgram } from './processes.ts';

/** Of the simulated devices' control server; src-main/devices/simulated/control.ts. */
export interface DeviceState {
  readonly cash: {
    readonly units: readonly {
      readonly id: string;
      readonly kind: string;
      readonly count: number;
      readonly denominationMinor: number | null;
    }[];
    readonly conservation: {
      readonly loadedMinor: number;
      readonly insertedMinor: number;
      readonly insideMinor: number;
      readonly inReachMinor: number;
      readonly takenMinor: number;
      readonly takenBackMinor: number;
      readonly holds: boolean;
    };
  } | null;
}

/** No screen of the demonstration needs longer; ms. */
const SCREEN_MS_MAX = 30_000;

export class DemoTerminal {
  readonly dataDir: string;
  readonly #name: string;
  readonly #profile: Profile;
  readonly #log: string;
  readonly #shots: { readonly dir: string; readonly files: string[] };
  #program: Program | null = null;
  #browser: Browser | null = null;
  #page: Page | null = null;
  terminalId = '';

  constructor(options: {
    dataDir: string;
    name: string;
    profile: Profile;
    log: string;
    shots: { dir: string; files: string[] };
  }) {
    this.dataDir = options.dataDir;
    this.#name = options.name;
    this.#profile = options.profile;
    this.#log = options.log;
    this.#shots = options.shots;
  }

  get page(): Page {
    if (!this.#page) throw new Error(`${this.#name} has no screen`);
    return this.#page;
  }

  /** What a technician does: activates with the bank's code and writes the configuration. */
  async provision(bankUrl: string, activationCode: string): Promise<{ code: number | null; output: string }> {
    mkdirSync(this.dataDir, { recursive: true });
    const activated = await runProgram('src-main/provisioning/cli.ts', [
      'activate',
      ...[
        '--data',
        this.dataDir,
        '--bank',
        bankUrl,
        '--code',
        activationCode,
        '--name',
        this.#name,
        '--profile',
        this.#profile,
      ],
    ]);
    writeFileSync(
      join(this.dataDir, 'kaopass.json'),
      `${JSON.stringify(
        {
          name: this.#name,
          profile: this.#profile,
          bankUrl,
          demonstration: true,
          camera: SCENES.nobody.source,
          screen: { headless: true, remoteDebugging: true },
        },
        null,
        2,
      )}\n`,
    );
    return activated;
  }

  async start(): Promise<void> {
    this.#program = await startProgram('src-main/chromium.ts', ['--data', this.dataDir], this.#log);
    this.#browser = await chromium.connectOverCDP(String(this.#program.ready['debugging']));
    const page = this.#browser.contexts()[0]?.pages()[0];
    if (!page) throw new Error(`${this.#name} opened no page`);
    page.setDefaultTimeout(SCREEN_MS_MAX);
    this.#page = page;
    await this.sees('attract');
  }

  async stop(): Promise<void> {
    await this.#browser?.close().catch(() => undefined);
    await this.#program?.stop();
    this.#program = null;
    this.#browser = null;
    this.#page = null;
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
    await this.#hand('/camera', { source });
  }

  /** Keys on the PIN pad; waits until it listens. */
  async keys(keys: string): Promise<void> {
    await this.#hand('/pin/keys', { keys }, 10_000);
  }

  async insertNotes(notes: readonly { denominationMinor: number; count: number }[]): Promise<void> {
    await this.#hand('/notes/insert', { notes }, 10_000);
  }

  async takeNotes(): Promise<void> {
    await this.#hand('/notes/take', {}, 10_000);
  }

  async scan(text: string): Promise<void> {
    await this.#hand('/scan', { text });
  }

  async fault(device: string, fault: string): Promise<void> {
    await this.#hand('/faults', { device, fault });
  }

  async devices(): Promise<DeviceState> {
    return ((await (await this.#ask('/state')).json()) as { state: DeviceState }).state;
  }

  async receipts(): Promise<unknown[]> {
    const answer = (await (await this.#ask('/receipts')).json()) as { receipts?: unknown[] } | unknown[];
    return Array.isArray(answer) ? answer : (answer.receipts ?? []);
  }

  /** Repeats while the answer is "not now": a pad that does not listen yet, a shutter still closed. */
  async #hand(path: string, body: unknown, patienceMs = 0): Promise<void> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const response = await this.#ask(path, body);
      if (response.ok) return;
      if (performance.now() >= until)
        throw new Error(`the devices answered ${response.status} to ${path}: ${await response.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #ask(path: string, body?: unknown): Promise<Response> {
    const control = new URL(String(this.#program?.ready['control']));
    const token = control.searchParams.get('token') ?? '';
    return fetch(new URL(path, control), {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
  }
}
