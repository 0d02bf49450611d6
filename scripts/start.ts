/**
 * `npm start`: the bank, one ATM with simulated devices, and its screen. Without a display it plays the demonstration. What
 * it keeps is in data/ and is there again the next time.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBrowser, hasDisplay } from '../src-main/host/chromium/find-browser.ts';
import { DemoBank } from './demo/bank.ts';
import { type Program, ROOT, runProgram, startProgram } from './demo/processes.ts';
import { runDemo } from './demo.ts';

const HELP = `Starts Kaopass to try it: a bank, one ATM with simulated devices, and its screen.

  npm start                 with a display: the ATM, in Electron or else in Chromium, Chrome or Edge;
                            without one: the demonstration, played in a headless browser
  npm start -- --chromium   does not look for Electron
  npm start -- --help       this text

The ATM's data is in data/; remove that folder to begin anew.`;

const DATA = join(ROOT, 'data');
const ATM = join(DATA, 'atm');
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
  await bank.start(rememberedPort());
  console.log(`bank      ${bank.url}`);
  try {
    await provision(bank);
    const electron = values.chromium ? { path: null, why: 'as asked' } : findElectron();
    if (electron.path) {
      console.log(`screen    Electron (${electron.why})`);
      await runElectron(electron.path);
    } else {
      const browser = findBrowser({ bundledDir: join(ROOT, '.cache', 'chromium') });
      console.log(`screen    ${browser.path}, since Electron is not here: ${electron.why}`);
      const terminal = await startProgram('src-main/chromium.ts', ['--data', ATM], join(DATA, 'logs', 'atm.log'));
      console.log(`devices   ${String(terminal.ready['control'])}`);
      console.log(
        '          Open this page to press PIN keys, insert and take notes, and choose who stands before the camera.',
      );
      console.log(`service   ${String(terminal.ready['service'])}`);
      console.log('          The technician’s page; this address opens it once, "kaopass status" prints another.');
      console.log('Ctrl+C ends it.');
      await untilEnded(terminal);
    }
  } finally {
    await bank.stop();
  }
}

/** The bank keeps its port, because the terminal was told it. */
function rememberedPort(): string {
  try {
    const { bankUrl } = JSON.parse(readFileSync(join(ATM, 'kaopass.json'), 'utf8')) as { bankUrl: string };
    return new URL(bankUrl).port;
  } catch {
    return '0'; // The first start: any free one.
  }
}

/** Activates the ATM the first time. */
async function provision(bank: DemoBank): Promise<void> {
  const config = join(ATM, 'kaopass.json');
  if (existsSync(config)) return;
  const code = await bank.activationCode('atm');
  mkdirSync(ATM, { recursive: true });
  const { code: exit, output } = await runProgram('src-main/provisioning/cli.ts', [
    ...['activate', '--data', ATM, '--bank', bank.url, '--code', code, '--name', 'ATM 1', '--profile', 'atm'],
  ]);
  if (exit !== 0) throw new Error(output);
  const settings = { name: 'ATM 1', profile: 'atm', bankUrl: bank.url, demonstration: true };
  writeFileSync(config, `${JSON.stringify(settings, null, 2)}\n`);
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
    [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
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
