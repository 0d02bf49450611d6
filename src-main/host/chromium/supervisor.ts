/**
 * Keeps a browser on the screen: one that ends, or whose page stays silent, is replaced by a fresh one. Bounded: a screen that
 * keeps failing is given up, with why, so that whoever runs the terminal can restart it or call a technician.
 */
import type { Clock } from '../../clock.ts';
import type { HostLog } from '../log.ts';
import type { BrowserProcess } from './browser-process.ts';

/** Replacements allowed within {@link RELAUNCH_WINDOW_MS}; the next failure gives the screen up. */
export const RELAUNCHES_MAX = 5;
export const RELAUNCH_WINDOW_MS = 10 * 60_000;
/** Waits before the first replacement in a window, ms; doubles each time up to the maximum. */
export const RELAUNCH_DELAY_MS = 500;
export const RELAUNCH_DELAY_MS_MAX = 15_000;
/** Longest a running browser's page may be without connection, ms. Above the bridge's own longest pause between two tries. */
export const SILENCE_MS_MAX = 30_000;

const CLOSED = 'closed by the terminal';

export interface SupervisorOptions {
  /** Starts one browser on a fresh launch URL. */
  readonly launch: () => Promise<BrowserProcess>;
  /** Whether the page is connected: at once, and at each change. Returns how to stop. */
  readonly onConnection: (listener: (connected: boolean) => void) => () => void;
  readonly isConnected: () => boolean;
  readonly clock: Clock;
  readonly log: HostLog;
}

export interface Supervisor {
  readonly current: BrowserProcess | undefined;
  /** Resolves with why, once no browser will be started any more. */
  readonly closed: Promise<string>;
  close(): Promise<void>;
}

/** Launches the first browser, whose failure is thrown, and looks after it from then on. */
export async function superviseBrowser(options: SupervisorOptions): Promise<Supervisor> {
  const { launch, clock, log } = options;
  const closing = new AbortController();
  const relaunchedAtMs: number[] = [];
  let current: BrowserProcess | undefined = await launch();

  /** Resolves with why the running browser has to be replaced. */
  async function failure(browser: BrowserProcess): Promise<string> {
    let stop = () => {};
    const silent = new Promise<string>((resolve) => {
      let callOff = () => {};
      const watch = (connected: boolean) => {
        callOff();
        callOff = connected
          ? () => {}
          : clock.after(SILENCE_MS_MAX, () => resolve(`its page was silent for ${SILENCE_MS_MAX / 1000} s`));
      };
      watch(options.isConnected());
      const unsubscribe = options.onConnection(watch);
      stop = () => {
        unsubscribe();
        callOff();
      };
    });
    const aborted = new Promise<string>((resolve) => {
      if (closing.signal.aborted) resolve(CLOSED);
      closing.signal.addEventListener('abort', () => resolve(CLOSED), { once: true });
    });
    try {
      return await Promise.race([browser.ended, silent, aborted]);
    } finally {
      stop();
    }
  }

  async function replace(): Promise<string | undefined> {
    for (;;) {
      const nowMs = clock.monotonicMs();
      while (relaunchedAtMs[0] !== undefined && relaunchedAtMs[0] < nowMs - RELAUNCH_WINDOW_MS) relaunchedAtMs.shift();
      if (relaunchedAtMs.length >= RELAUNCHES_MAX) {
        return `the screen failed ${RELAUNCHES_MAX + 1} times within ${RELAUNCH_WINDOW_MS / 60_000} minutes`;
      }
      relaunchedAtMs.push(nowMs);
      await clock.sleep(
        Math.min(RELAUNCH_DELAY_MS * 2 ** (relaunchedAtMs.length - 1), RELAUNCH_DELAY_MS_MAX),
        closing.signal,
      );
      try {
        current = await launch();
        return undefined;
      } catch (error) {
        log.error({ error: String(error) }, 'screen: the browser could not be replaced');
      }
    }
  }

  async function watch(): Promise<string> {
    for (;;) {
      const browser = current;
      if (!browser) return CLOSED;
      const why = await failure(browser);
      await browser.end();
      current = undefined;
      if (closing.signal.aborted) return CLOSED;
      log.error({ why }, 'screen: the browser is gone and will be replaced');
      try {
        const givenUp = await replace();
        if (givenUp) return `${givenUp}, the last time because ${why}`;
      } catch (error) {
        if (closing.signal.aborted) return CLOSED;
        throw error;
      }
    }
  }

  const closed = watch().catch((error: unknown) => {
    log.error({ error: String(error) }, 'screen: looking after the browser failed');
    return String(error);
  });
  return {
    get current() {
      return current;
    },
    closed,
    async close() {
      closing.abort(new Error(CLOSED));
      await closed;
    },
  };
}
