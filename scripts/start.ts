/**
 * `npm start`: the bank, the devices of one ATM, the ATM, and its screen. Without a display it plays the demonstration. What
 * it keeps is in data/ and is there again the next time.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBrowser, hasDisplay } from '../src-main/host/chromium/find-browser.ts';
import { DemoBank } from './demo/bank.ts';
import { DemoDevices } from './demo/devices.ts';
import { type Program, ROOT, runProgram, startProgram } from './demo/processes.ts';
import { runDemo } from './demo.ts';

const HELP = `Starts Kaopass to try it: a bank, one ATM, its devices (simulated, over XFS4IoT), and its screen.

  npm start                 with a display: the ATM, in Electron or else in Chromium, Chrome or Edge;
                            without one: the demonstration, played in a headless browser
  npm start -- --chromium   does not look for Electron
  npm start -- --help       this text

The ATM's data is in data/; remove that folder to begin anew.`;

const DATA = join(ROOT, 'data');
const ATM = join(DATA, 'atm');
const CONFIG = join(ATM, 'kaopass.json');
/** As far as a start reads it. */
interface Remembered {
  readonly bankUrl: string;
  readonly devices?: { readonly ports: readonly [{ readonly port: number }] };
}

/** Electron's binary is about 110 MB; a network that refuses it answers at once, and one that hangs must not keep us; ms. */
const ELECTRON_FETCH_MS_MAX = 180_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { chromium: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (!hasDisplay(process.platform, process.env)) {
    console.log('There is no display here, so the demonstration is played in a headless browser.');
    process.exitCode = (await runDemo({ keep: false })) ? 0 : 1;
    return;
  }
  mkdirSync(join(DATA, 'logs'), { recursive: true });
  const bank = new DemoBank(join(DATA, 'bank'), join(DATA, 'logs', 'bank.log'));
  const remembered = readConfig();
  const devices = new DemoDevices({
    dir: join(DATA, 'devices'),
    profile: 'atm',
    log: join(DATA, 'logs', 'devices.log'),
    dialect: [],
    speed: 1,
    port: remembered?.devices?.ports[0].port ?? 0,
  });
  await bank.start(remembered ? new URL(remembered.bankUrl).port : '0');
  console.log(`bank      ${bank.url}`);
  try {
    await devices.start();
    console.log(`devices   ${devices.controlUrl}`);
    console.log('          Open this page to press PIN keys, insert and take notes, and make things fail.');
    await provision(bank, devices, remembered);
    const electron = values.chromium ? { path: null, why: 'as asked' } : findElectron();
    if (electron.path) {
      console.log(`screen    Electron (${electron.why})`);
      await runElectron(electron.path);
    } else {
      const browser = findBrowser({ bundledDir: join(ROOT, '.cache', 'chromium') });
      console.log(`screen    ${browser.path}, since Electron is not here: ${electron.why}`);
      const terminal = await startProgram('src-main/chromium.ts', ['--data', ATM], join(DATA, 'logs', 'atm.log'));
      console.log(`camera    ${String(terminal.ready['control'])}`);
      console.log('          Open this page to choose who stands before the camera.');
      console.log(`service   ${String(terminal.ready['service'])}`);
      console.log('          The technician’s page; this address opens it once, "kaopass status" prints another.');
      console.log('Ctrl+C ends it.');
      await untilEnded(terminal);
    }
  } finally {
    await devices.stop();
    await bank.stop();
  }
}

/** What an earlier start left: bank and devices keep their ports, because the terminal was told them. */
function readConfig(): Remembered | null {
  return existsSync(CONFIG) ? (JSON.parse(readFileSync(CONFIG, 'utf8')) as Remembered) : null;
}

/** Activates the ATM the first time, and tells the bank the machine's keys. */
async function provision(bank: DemoBank, devices: DemoDevices, remembered: Remembered | null): Promise<void> {
  if (remembered?.devices) return;
  if (!remembered) {
    const code = await bank.activationCode('atm');
    mkdirSync(ATM, { recursive: true });
    const { code: exit, output } = await runProgram('src-main/provisioning/cli.ts', [
      ...['activate', '--data', ATM, '--bank', bank.url, '--code', code, '--name', 'ATM 1', '--profile', 'atm'],
    ]);
    if (exit !== 0) throw new Error(output);
  }
  await bank.setDeviceKeys(await bank.terminalId('atm'), devices.keys, 'atm');
  const settings = {
    ...(remembered ?? { name: 'ATM 1', profile: 'atm', bankUrl: bank.url, demonstration: true }),
    devices: { kind: 'xfs4iot', host: '127.0.0.1', ports: [{ port: devices.port, secure: false }] },
  };
  writeFileSync(CONFIG, `${JSON.stringify(settings, null, 2)}\n`);
}

/** Electron's binary where it is there or can be fetched. */
function findElectron(): { path: string | null; why: string } {
  const there = binary();
  if (there) return { path: there, why: 'installed' };
  console.log('fetching Electron …');
  const fetched = spawnSync(process.execPath, [join(ROOT, 'node_modules', 'electron', 'install.js')], {
    timeout: ELECTRON_FETCH_MS_MAX,
    encoding: 'utf8',
  });
  const path = fetched.status === 0 ? binary() : null;
  if (path) return { path, why: 'just fetched' };
  const reason = fetched.stderr?.split('\n').find((line) => /error/i.test(line)) ?? 'its download did not end in time';
  return { path: null, why: `its binary could not be fetched (${reason.trim()})` };
}

/** Reads what electron's own package reads, without its attempt to download. */
function binary(): string | null {
  const folder = join(ROOT, 'node_modules', 'electron');
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

async function runElectron(path: string): Promise<void> {
  console.log('building for Electron …');
  const built = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules', '@typescript', 'native', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: ROOT,
      stdio: 'inherit',
    },
  );
  if (built.status !== 0) throw new Error('the terminal could not be built for Electron');
  const child = spawn(path, [ROOT, '--data', ATM], { stdio: 'inherit', cwd: ROOT });
  const stop = () => child.kill('SIGTERM');
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`Electron ended with code ${code}`);
}

async function untilEnded(terminal: Program): Promise<void> {
  const stop = () => void terminal.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await terminal.exited;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
