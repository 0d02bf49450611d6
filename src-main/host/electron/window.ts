/** The one window: kiosk mode, a page in the sandbox, no way to go elsewhere, a crash that is survived a bounded number of times. */
import { fileURLToPath } from 'node:url';
import { BrowserWindow, type Session } from 'electron';
import type { Clock } from '../../clock.ts';
import type { HostLog } from '../log.ts';
import { isOurs, ORIGIN } from './channels.ts';
import { leavesKiosk } from './keys.ts';

/** Reloads allowed within {@link RELOAD_WINDOW_MS}; the next crash gives the screen up. */
export const RELOADS_MAX = 5;
export const RELOAD_WINDOW_MS = 10 * 60_000;
const RELOAD_DELAY_MS = 500;

/** @param onGivenUp called once, with why, when reloading does not help. */
export function openWindow(
  session: Session,
  clock: Clock,
  log: HostLog,
  onGivenUp: (why: string) => void,
): BrowserWindow {
  const window = new BrowserWindow({
    kiosk: true,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: '#ffffff',
    webPreferences: {
      session,
      preload: fileURLToPath(new URL('preload.cjs', import.meta.url)),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      devTools: false,
      spellcheck: false,
      backgroundThrottling: false,
      autoplayPolicy: 'no-user-gesture-required',
    },
  });
  const contents = window.webContents;
  window.removeMenu();
  window.once('ready-to-show', () => window.show());

  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  // A reload of our own page is no navigation elsewhere; anything else is.
  contents.on('will-navigate', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('before-input-event', (event, input) => {
    if (leavesKiosk(input)) event.preventDefault();
  });

  const reloadedAtMs: number[] = [];
  const reload = (why: string) => {
    const nowMs = clock.monotonicMs();
    while (reloadedAtMs[0] !== undefined && reloadedAtMs[0] < nowMs - RELOAD_WINDOW_MS) reloadedAtMs.shift();
    if (reloadedAtMs.length >= RELOADS_MAX) {
      return onGivenUp(
        `the screen failed ${RELOADS_MAX + 1} times within ${RELOAD_WINDOW_MS / 60_000} minutes, the last time because ${why}`,
      );
    }
    reloadedAtMs.push(nowMs);
    log.error({ why }, 'screen: the page is loaded anew');
    clock.after(RELOAD_DELAY_MS, () => {
      if (!window.isDestroyed()) load();
    });
  };
  contents.on('render-process-gone', (_event, { reason }) => {
    // clean-exit is our own close(); everything else (crashed, killed, oom, launch-failed …) leaves a blank screen.
    if (reason !== 'clean-exit') reload(`its process is gone: ${reason}`);
  });
  contents.on('unresponsive', () => {
    log.error({}, 'screen: the page hangs and is ended');
    contents.forcefullyCrashRenderer();
  });
  const load = () => {
    window.loadURL(`${ORIGIN}/`).catch((error: unknown) => {
      if (!window.isDestroyed()) reload(`it could not be loaded: ${String(error)}`);
    });
  };
  load();
  return window;
}
