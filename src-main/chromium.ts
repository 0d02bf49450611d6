/**
 * The terminal under Chromium: the same terminal as Electron's, run by Node, with its screen in a kiosk-mode browser.
 * Prints one line of JSON when it is ready; ends with the screen or at SIGTERM.
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemChance, systemClock } from './clock.ts';
import { loadConfig } from './config/config.ts';
import { TerminalError } from './errors.ts';
import { findBrowser } from './host/chromium/find-browser.ts';
import { checkoutInstallation, dataPlaces } from './places.ts';

const HELP = `Runs one terminal with its screen in Chromium.

  node src-main/chromium.ts --data DIR [--log-level LEVEL] [--no-browser]

  --data DIR         the terminal's data: configuration (kaopass.json), keys, journal, gallery
  --log-level LEVEL  trace, debug, info (default), warn, error or silent; the log goes to standard error
  --no-browser       starts no browser: the line below carries "launch", the address that opens the screen, once. Whoever
                     reads standard output is the screen; for tests, and for a browser that something else starts here
  --help             this text

When ready it prints one line of JSON: {"ready":true,"screen":URL,"browser":…,"control":URL of the simulated devices,
"service":URL of the technician's page (opens once; kaopass status prints another),"debugging":URL where configured}.`;

/** Until it is ready, or an error says what keeps it. */
export async function runInChromium(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      'log-level': { type: 'string', default: 'info' },
      'no-browser': { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (!values.data) throw new TerminalError('CONFIG_INVALID', '--data is missing (see --help)');
  const dataDir = resolve(values.data);
  const config = loadConfig(dataPlaces(dataDir).config);
  // Only now, since most of a start is loading these: what is refused, and --help, need not wait for it.
  const [{ startTerminal }, { startChromiumHost }, { technicianLog }] = await Promise.all([
    import('./terminal.ts'),
    import('./host/chromium/chromium-host.ts'),
    import('./log.ts'),
  ]);
  const log = technicianLog(values['log-level']);
  const installation = checkoutInstallation(dirname(dirname(fileURLToPath(import.meta.url))));
  const terminal = await startTerminal({
    config,
    dataDir,
    installation,
    clock: systemClock,
    chance: systemChance,
    log,
  });
  const host = await startChromiumHost({
    terminal: terminal.end,
    rendererDir: installation.rendererDir,
    footageDir: config.demonstration ? installation.footageDir : null,
    dataDir,
    port: config.screen.port,
    browser: values['no-browser']
      ? null
      : findBrowser({ bundledDir: installation.bundledBrowserDir, headless: config.screen.headless }),
    fakeCamera: config.screen.fakeCamera,
    remoteDebugging: config.screen.remoteDebugging,
    log,
    clock: systemClock,
    chance: systemChance,
  }).catch(async (error) => {
    await terminal.close();
    throw error;
  });

  let closing = false;
  const end = async (why: string) => {
    if (closing) return;
    closing = true;
    log.info({ why }, 'closing');
    await host.close();
    await terminal.close();
  };
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
  void host.closed.then((why) => end(why));
  // The same one-time address that a browser gets, on a pipe instead of a command line that everybody here can read.
  const launch = host.browser === null ? host.issueLaunchUrl() : null;
  if (launch === null) await host.whenConnected();
  console.log(
    JSON.stringify({
      ready: true,
      screen: host.origin,
      launch,
      browser: host.browser?.path ?? null,
      control: terminal.controlUrl,
      service: terminal.serviceUrl,
      debugging: host.debuggingUrl ?? null,
    }),
  );
}

/** What a technician reads of a start that failed: SQLite and browsers say what is wrong in several lines. */
export function inOneLine(error: unknown): string {
  const code = error instanceof TerminalError ? `${error.code}: ` : '';
  const why = error instanceof Error ? error.message : String(error);
  return code + why.replace(/\s*\n\s*/g, ' ');
}

if (import.meta.main) {
  runInChromium(process.argv.slice(2)).catch((error: unknown) => {
    console.error(inOneLine(error));
    process.exitCode = 1;
  });
}
