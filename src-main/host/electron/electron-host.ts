/** The Electron host: one kiosk window whose page reaches the terminal by IPC. */
import { app, Menu, session } from 'electron';
import { type Clock, systemClock } from '../../clock.ts';
import type { Host, TerminalEnd } from '../host.ts';
import type { HostLog } from '../log.ts';
import { serveIpc } from './ipc.ts';
import { restrictPermissions } from './permissions.ts';
import { registerScheme, serveContent } from './protocol.ts';
import { openWindow } from './window.ts';

/** What must be set before Electron is ready. Says false where this program runs already: the caller ends at once. */
export function prepareElectron(onSecondInstance: () => void): boolean {
  if (!app.requestSingleInstanceLock()) return false;
  app.on('second-instance', onSecondInstance);
  app.enableSandbox();
  app.commandLine.appendSwitch('disable-pinch');
  app.commandLine.appendSwitch('overscroll-history-navigation', '0');
  registerScheme();
  return true;
}

export interface ElectronHostOptions {
  readonly terminal: TerminalEnd;
  /** The built renderer, with index.html. */
  readonly rendererDir: string;
  /** Served below /footage/; null where the camera is a real one. */
  readonly footageDir: string | null;
  readonly log: HostLog;
  readonly clock?: Clock;
}

export interface ElectronHost extends Host {
  readonly kind: 'electron';
  /** Brings the window to the front. */
  show(): void;
}

/** Opens the window. Electron must be ready and {@link prepareElectron} have said true. */
export function startElectronHost(options: ElectronHostOptions): ElectronHost {
  const { terminal, rendererDir, footageDir, log, clock = systemClock } = options;
  Menu.setApplicationMenu(null);
  // In memory only: a customer's visit leaves no cache, cookie or storage behind.
  const screenSession = session.fromPartition('kaopass-screen');
  restrictPermissions(screenSession);
  serveContent(screenSession, { rendererDir, footageDir });

  let resolveClosed = (_why: string) => {};
  const closed = new Promise<string>((resolve) => {
    resolveClosed = resolve;
  });
  const window = openWindow(screenSession, clock, log, (why) => {
    resolveClosed(why);
    window.destroy();
  });
  const disconnect = serveIpc(terminal, window.webContents, clock, log);
  window.once('closed', () => {
    disconnect();
    resolveClosed('the window was closed');
  });
  return {
    kind: 'electron',
    closed,
    show: () => {
      if (!window.isDestroyed()) window.focus();
    },
    async close() {
      resolveClosed('closed by the terminal');
      if (!window.isDestroyed()) window.destroy();
    },
  };
}
