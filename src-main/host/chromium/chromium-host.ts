/**
 * The Chromium host: a page and a bridge on 127.0.0.1, and a browser in kiosk mode that shows them. The terminal runs on
 * whatever happens to the browser.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Chance, type Clock, systemChance, systemClock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { Host, TerminalEnd } from '../host.ts';
import type { HostLog } from '../log.ts';
import { launchBrowser } from './browser-process.ts';
import { type Browser, findBrowser } from './find-browser.ts';
import { type ScreenServer, startScreenServer } from './screen-server.ts';
import { superviseBrowser } from './supervisor.ts';

export interface ChromiumHostOptions {
  readonly terminal: TerminalEnd;
  /** The built renderer, with index.html. */
  readonly rendererDir: string;
  /** Served below /footage/; absent or null where the camera is a real one. */
  readonly footageDir?: string | null;
  /** The terminal's data directory; the browser's throw-away profile lives in `screen/` below it. */
  readonly dataDir: string;
  /** Port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
  /** Absent: {@link findBrowser} looks. Null: no browser is started, and whoever calls opens {@link ChromiumHost.issueLaunchUrl}. */
  readonly browser?: Browser | null;
  /** Where set-up unpacked the bundled Chromium, for {@link findBrowser}. */
  readonly bundledBrowserDir?: string | null;
  /** MJPEG (of baseline JPEGs: progressive ones leave the page without a camera) or Y4M file that stands in for the camera. */
  readonly fakeCamera?: string | null;
  /** Opens DevTools on a random port of 127.0.0.1: whoever reaches it drives the page. For demonstrations and tests. */
  readonly remoteDebugging?: boolean;
  /** Of a browser without a window, CSS pixels. */
  readonly windowSize?: { readonly width: number; readonly height: number };
  readonly log: HostLog;
  readonly clock?: Clock;
  readonly chance?: Chance;
}

export interface ChromiumHost extends Host {
  readonly kind: 'chromium';
  /** http://127.0.0.1:PORT */
  readonly origin: string;
  /** The browser that was chosen; null where none was wanted. */
  readonly browser: Browser | null;
  /** DevTools of the browser that runs now (it changes when one is replaced); undefined without remoteDebugging. */
  readonly debuggingUrl: string | undefined;
  /** Whether a page is connected now. */
  readonly connected: boolean;
  /** Resolves once a page is connected. Never rejects: bound the wait and watch {@link Host.closed}. */
  whenConnected(): Promise<void>;
  /** A new URL that opens the screen once; the screen open until then loses its connection. */
  issueLaunchUrl(): string;
}

/** A browser whose terminal was killed lives on, showing a dead page over the next one: it is ended, and its profile removed. */
async function clearLeftovers(folder: string, log: HostLog): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) {
    const profileDir = path.join(folder, name);
    const pid = Number.parseInt(await readFile(`${profileDir}/kaopass-browser.pid`, 'utf8').catch(() => ''), 10);
    // A process id may have been given to another program since: only one that names our profile is ours.
    const commandLine = pid > 1 ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
    if (commandLine.split('\0').includes(`--user-data-dir=${profileDir}`)) {
      log.warn({ pid }, 'screen: ending the browser of a terminal that is gone');
      try {
        process.kill(-pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await rm(profileDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function asHost(
  server: ScreenServer,
  browser: Browser | null,
): Omit<ChromiumHost, 'debuggingUrl' | 'closed' | 'close'> {
  return {
    kind: 'chromium',
    origin: server.origin,
    browser,
    get connected() {
      return server.connected;
    },
    whenConnected: () =>
      new Promise((resolve) => {
        if (server.connected) return resolve();
        const stop = server.onConnection((connected) => {
          if (!connected) return;
          stop();
          resolve();
        });
      }),
    issueLaunchUrl: () => server.issueLaunchUrl(),
  };
}

/**
 * Starts server and browser. Throws PORT_IN_USE, BROWSER_MISSING, or HOST_FAILED where the browser does not come up; nothing
 * is left running then.
 */
export async function startChromiumHost(options: ChromiumHostOptions): Promise<ChromiumHost> {
  const { terminal, rendererDir, footageDir = null, log, clock = systemClock, chance = systemChance } = options;
  const { fakeCamera = null, remoteDebugging = false, windowSize = { width: 1280, height: 1024 } } = options;
  const browser =
    options.browser === undefined ? findBrowser({ bundledDir: options.bundledBrowserDir ?? null }) : options.browser;
  const content = { rendererDir, footageDir };
  const server = await startScreenServer({ terminal, content, port: options.port ?? 0, clock, chance, log });

  if (browser === null) {
    let resolveClosed = (_why: string) => {};
    const closed = new Promise<string>((resolve) => {
      resolveClosed = resolve;
    });
    const close = async () => {
      await server.close();
      resolveClosed('closed by the terminal');
    };
    return Object.defineProperties(
      { debuggingUrl: undefined, closed, close } as ChromiumHost,
      describe(asHost(server, null)),
    );
  }

  const isRoot = process.getuid?.() === 0;
  const folder = path.join(path.resolve(options.dataDir), 'screen');
  try {
    await clearLeftovers(folder, log);
    const launch = async () => {
      const profileDir = path.join(folder, chance.id());
      const url = server.issueLaunchUrl();
      const started = await launchBrowser({
        browser,
        url,
        profileDir,
        fakeCamera,
        remoteDebugging,
        windowSize,
        isRoot,
        clock,
      });
      await writeFile(path.join(profileDir, 'kaopass-browser.pid'), String(started.pid));
      return started;
    };
    log.info(
      { browser: browser.path, source: browser.source, headless: browser.headless },
      'screen: starting Chromium',
    );
    if (isRoot)
      log.warn({}, 'screen: running as root, so Chromium runs without its sandbox; give the terminal its own user');
    if (remoteDebugging) log.warn({}, 'screen: DevTools are open on 127.0.0.1; never so in service');
    const supervisor = await superviseBrowser({
      launch,
      onConnection: (listener) => server.onConnection(listener),
      isConnected: () => server.connected,
      clock,
      log,
    });
    const closed = supervisor.closed.then(async (why) => {
      await server.close();
      return why;
    });
    const own = {
      get debuggingUrl() {
        return supervisor.current?.debuggingUrl;
      },
      closed,
      async close() {
        await supervisor.close();
        await closed;
      },
    };
    return Object.defineProperties(own as ChromiumHost, describe(asHost(server, browser)));
  } catch (error) {
    await server.close();
    if (error instanceof TerminalError) throw error;
    throw new TerminalError('HOST_FAILED', `screen: ${String(error)}`, { cause: error });
  }
}

/** Spreading would freeze what getters say. */
const describe = (part: object): PropertyDescriptorMap => Object.getOwnPropertyDescriptors(part);
