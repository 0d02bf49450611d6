/**
 * Electron's entry: the terminal in Electron's main process, its screen in a kiosk window.
 *
 *   electron . --data DIR [--log-level LEVEL]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { app } from 'electron';
import { systemChance, systemClock } from './clock.ts';
import { loadConfig } from './config/config.ts';
import { TerminalError } from './errors.ts';
import { type ElectronHost, prepareElectron, startElectronHost } from './host/electron/electron-host.ts';
import { technicianLog } from './log.ts';
import { checkoutInstallation, dataPlaces, type Installation } from './places.ts';
import { startTerminal } from './terminal.ts';

/** Where electron-builder.yml puts things. */
function packagedInstallation(resources: string): Installation {
  return {
    modelsDir: path.join(resources, 'models'),
    weightsDir: path.join(resources, 'weights'),
    rendererDir: path.join(resources, 'renderer'),
    footageDir: null,
    bundledBrowserDir: null,
    goodsFile: path.join(resources, 'goods.demonstration.json'),
  };
}

async function main(): Promise<void> {
  let host: ElectronHost | undefined;
  if (!prepareElectron(() => host?.show())) {
    throw new TerminalError('ALREADY_RUNNING', 'Kaopass runs on this machine already');
  }
  const { values } = parseArgs({
    args: process.argv.slice(app.isPackaged ? 1 : 2),
    options: { data: { type: 'string' }, 'log-level': { type: 'string', default: 'info' } },
    // Electron and Chromium have switches of their own on the same line.
    strict: false,
  });
  const dataDir = path.resolve(typeof values.data === 'string' ? values.data : app.getPath('userData'));
  const log = technicianLog(String(values['log-level']));
  const config = loadConfig(dataPlaces(dataDir).config);
  await app.whenReady();
  const installation = app.isPackaged
    ? packagedInstallation(process.resourcesPath)
    : checkoutInstallation(app.getAppPath());
  const terminal = await startTerminal({
    config,
    dataDir,
    installation,
    clock: systemClock,
    chance: systemChance,
    log,
  });
  const started = startElectronHost({
    terminal: terminal.end,
    rendererDir: installation.rendererDir,
    footageDir: config.demonstration ? installation.footageDir : null,
    log,
    clock: systemClock,
  });
  host = started;

  let closing = false;
  const end = async (why: string) => {
    if (closing) return;
    closing = true;
    log.info({ why }, 'closing');
    await started.close();
    await terminal.close();
    app.exit(0);
  };
  // Quitting waits for the journal to be closed.
  app.on('before-quit', (event) => {
    event.preventDefault();
    void end('Electron was asked to quit');
  });
  // Without a listener Electron quits by itself when the window goes.
  app.on('window-all-closed', () => {});
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
  await end(await started.closed);
}

main().catch((error: unknown) => {
  const code = error instanceof TerminalError ? `${error.code}: ` : '';
  process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`);
  app.exit(1);
});
