/** One run of a browser: its flags, its own throw-away profile, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, deadline } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { Browser } from './find-browser.ts';

/** How long a browser that was asked to end may take before it is killed, ms. */
const END_TIMEOUT_MS = 3000;
const HELPERS_TIMEOUT_MS = 500;
/** A cold start from a slow disk; measured 0.6 s for the bundled one on two shared cores. */
const DEBUGGING_PORT_TIMEOUT_MS = 30_000;
const STDERR_CHARS_MAX = 4000;

export interface LaunchOptions {
  readonly browser: Browser;
  readonly url: string;
  /** Made anew, removed at the end. */
  readonly profileDir: string;
  /** MJPEG or Y4M file that stands in for the camera; null for the machine's own. */
  readonly fakeCamera: string | null;
  /** Opens the DevTools protocol on a random port of 127.0.0.1: whoever reaches it drives the page. Demonstration and tests only. */
  readonly remoteDebugging: boolean;
  /** CSS pixels, for a browser without a window. */
  readonly windowSize: { readonly width: number; readonly height: number };
  readonly isRoot: boolean;
  readonly clock: Clock;
}

/** The command line. Exported for its test. */
export function browserArguments(options: Omit<LaunchOptions, 'clock'>): string[] {
  const { browser, url, profileDir, fakeCamera, windowSize } = options;
  const args = [
    `--user-data-dir=${profileDir}`,
    '--no-first-run',
    '--no-default-browser-check',
    '--no-pings',
    '--noerrdialogs',
    '--disable-session-crashed-bubble',
    // Nothing of the browser's own may talk to the network, change itself, or remember.
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-extensions',
    '--disable-sync',
    '--disable-translate',
    '--disable-breakpad',
    '--metrics-recording-only',
    '--password-store=basic',
    '--use-mock-keychain',
    '--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,AutofillServerCommunication,InterestFeedContentSuggestions',
    // A customer's fingers: no zoom, no swipe back.
    '--disable-pinch',
    '--overscroll-history-navigation=0',
    // The screen never counts as hidden: a timer or a camera that slows down would look like a customer who left.
    '--disable-background-timer-throttling',
    '--disable-backgrounding-occluded-windows',
    '--disable-renderer-backgrounding',
    '--autoplay-policy=no-user-gesture-required',
    // The only page this profile ever shows is ours; there is nobody at a kiosk to answer a permission prompt.
    '--use-fake-ui-for-media-stream',
    '--deny-permission-prompts',
    '--disable-dev-shm-usage',
  ];
  if (fakeCamera !== null)
    args.push('--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${fakeCamera}`);
  if (options.remoteDebugging) args.push('--remote-debugging-port=0', '--remote-debugging-address=127.0.0.1');
  // Chromium refuses to run its sandbox as root; a terminal in service has a user of its own.
  if (options.isRoot) args.push('--no-sandbox');
  if (!browser.headless) return [...args, '--kiosk', `--app=${url}`];
  args.push(
    browser.source === 'bundled' ? '--headless' : '--headless=new',
    '--disable-gpu',
    '--hide-scrollbars',
    '--mute-audio',
    '--font-render-hinting=none',
    `--window-size=${windowSize.width},${windowSize.height}`,
  );
  return [...args, url];
}

/** Only what a browser needs to find a display, a locale and its folders. Keys and database passwords of the terminal stay out. */
const ENVIRONMENT =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|PULSE_SERVER|FONTCONFIG_\w+|SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|PROGRAM\w+|USERPROFILE)$/i;

function environment(browser: Browser): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && ENVIRONMENT.test(name)) env[name] = value;
  }
  if (browser.libraryDir !== null) env['LD_LIBRARY_PATH'] = browser.libraryDir;
  return env;
}

export interface BrowserProcess {
  readonly pid: number;
  /** Resolves with how it ended, whoever ended it. */
  readonly ended: Promise<string>;
  /** http://127.0.0.1:PORT of the DevTools protocol; undefined unless asked for. */
  readonly debuggingUrl: string | undefined;
  /** Ends it and removes its profile. */
  end(): Promise<void>;
}

/** Chromium writes the port it took as the first line of this file. */
async function debuggingUrlOf(profileDir: string, ended: AbortSignal, clock: Clock): Promise<string> {
  using limit = deadline(clock, DEBUGGING_PORT_TIMEOUT_MS, ended);
  for (;;) {
    const text = await readFile(path.join(profileDir, 'DevToolsActivePort'), 'utf8').catch(() => '');
    const [port, rest] = text.split('\n');
    if (port && rest !== undefined) return `http://127.0.0.1:${port}`;
    await clock.sleep(25, limit.signal);
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  // The browser leads a process group of its own, so that its helpers end with it.
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill(name);
    else process.kill(-child.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Helpers of a killed browser write to its profile until they are dead too. One that a container never reaps counts as dead. */
async function groupGone(child: ChildProcess, clock: Clock): Promise<void> {
  for (let waitedMs = 0; waitedMs < HELPERS_TIMEOUT_MS; waitedMs += 20) {
    try {
      if (process.platform === 'win32' || child.pid === undefined) return;
      process.kill(-child.pid, 0);
    } catch {
      return;
    }
    await clock.sleep(20, new AbortController().signal);
  }
}

/** Throws HOST_FAILED with the browser's own last words where it does not come up. */
export async function launchBrowser(options: LaunchOptions): Promise<BrowserProcess> {
  const { browser, clock, profileDir } = options;
  await rm(profileDir, { recursive: true, force: true });
  await mkdir(profileDir, { recursive: true, mode: 0o700 });
  const child = spawn(browser.path, browserArguments(options), {
    env: environment(browser),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: process.platform !== 'win32',
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_CHARS_MAX);
  });
  const gone = new AbortController();
  const ended = new Promise<string>((resolve) => {
    const settle = (how: string) => {
      resolve(how);
      gone.abort(new Error(how));
    };
    child.once('error', (error) => settle(`it could not be started: ${error.message}`));
    child.once('exit', (code, by) => settle(by ? `ended by ${by}` : `ended with code ${code}`));
  });
  const end = async () => {
    signal(child, 'SIGTERM');
    const patience = new AbortController();
    await Promise.race([ended, clock.sleep(END_TIMEOUT_MS, patience.signal).catch(() => undefined)]);
    patience.abort();
    signal(child, 'SIGKILL');
    await ended;
    await groupGone(child, clock);
    await rm(profileDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    if (child.pid === undefined) throw new Error(await ended);
    const debuggingUrl = options.remoteDebugging ? await debuggingUrlOf(profileDir, gone.signal, clock) : undefined;
    return { pid: child.pid, ended, debuggingUrl, end };
  } catch (error) {
    const why = gone.signal.aborted ? gone.signal.reason.message : String(error);
    if (child.pid !== undefined) await end();
    const words = stderr.trim().split('\n').slice(-3).join(' | ');
    throw new TerminalError(
      'HOST_FAILED',
      `screen: ${browser.path} did not come up: ${why}${words && `; it said: ${words}`}`,
      {
        cause: error,
      },
    );
  }
}
