/**
 * Step 1: node_modules is what package-lock.json says. npm writes node_modules/.package-lock.json as the very last thing of an
 * install, and `npm ci` begins by removing it: an interrupted install is one without it. It is compared with the lock, entry
 * by entry, and the lock's hash then kept so that the next start needs no comparison.
 *
 * Install scripts run afterwards, those that package.json allows and no others, whatever version npm has: what needs the packages
 * alone need not wait for them. That they have yet to run is written down before the install begins, outside of what it removes.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { fetchNode, layNode } from './node.mjs';
import { npmComplaint } from './npm.mjs';
import { SetupError, whileWaiting } from './progress.mjs';

/** The Node everything but set-up runs on: the one Electron embeds. */
const NODE_MAJOR = 24;

/** @param {string} file @returns {any} */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether what npm says it installed covers the lock; packages for other platforms may be absent. @param {any} lock @param {any} installed */
export function installCovers(lock, installed) {
  if (!lock?.packages || !installed?.packages) return false;
  return Object.entries(lock.packages).every(([name, wanted]) => {
    if (name === '') return true;
    const got = installed.packages[name];
    if (got === undefined) return wanted.optional === true || wanted.peer === true;
    return got.version === wanted.version && got.integrity === wanted.integrity;
  });
}

/** @param {string} root */
const stampFile = (root) => path.join(root, 'node_modules', '.kaopass-setup.json');

/** The pinned Node. @param {string} root */
export const nodeBinary = (root) =>
  path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** What an intact install is recognised by. @param {string} root */
function expectedStamp(root) {
  const lock = readFileSync(path.join(root, 'package-lock.json'));
  return {
    lockSha256: createHash('sha256').update(lock).digest('hex'),
    platform: `${process.platform}-${process.arch}`,
  };
}

/** @param {string} root */
export function dependenciesReady(root) {
  const stamp = readJson(stampFile(root));
  const expected = expectedStamp(root);
  return (
    stamp?.lockSha256 === expected.lockSha256 &&
    stamp?.platform === expected.platform &&
    existsSync(path.join(root, 'node_modules', '.package-lock.json')) &&
    existsSync(nodeBinary(root))
  );
}

/** How far an install is, in percent: npm makes the folders first and fills them one by one. @param {string} root @param {readonly string[]} locations */
function percentInstalled(root, locations) {
  const filled = locations.filter((location) => existsSync(path.join(root, location, 'package.json'))).length;
  return Math.floor((100 * filled) / Math.max(locations.length, 1));
}

/** Is there while install scripts have yet to run. @param {string} root */
const scriptsPending = (root) => path.join(root, '.cache', 'install-scripts-pending');

/**
 * Everything in node_modules but what install scripts add to it.
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function installPackages({ root, progress, npm }) {
  if (dependenciesReady(root)) return;
  const lock = readJson(path.join(root, 'package-lock.json'));
  if (!lock) throw new SetupError('package-lock.json is missing or damaged: this is not a whole copy of Kaopass.');
  if (installCovers(lock, readJson(path.join(root, 'node_modules', '.package-lock.json')))) return;
  const locations = Object.keys(lock.packages).filter((name) => name !== '' && !lock.packages[name].optional);
  progress.doing(`installing ${locations.length} packages as package-lock.json says`);
  mkdirSync(path.dirname(scriptsPending(root)), { recursive: true });
  writeFileSync(scriptsPending(root), '');
  const result = await whileWaiting(
    npm(['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'], { cwd: root }),
    (seconds) => progress.doing(`${percentInstalled(root, locations)} % after ${seconds} s`),
  );
  if (result.code === 0) return;
  if (/^npm error code EUSAGE/m.test(result.output)) {
    throw new SetupError(
      'package.json and package-lock.json do not belong together, so nothing was installed; "npm install" and then "node scripts/complete-lock.mjs" put them in step.',
      npmComplaint(result.output),
    );
  }
  throw new SetupError(
    'Could not get all packages from the npm registry, and without them nothing of Kaopass can run; when the registry can be reached, run the same command again.',
    npmComplaint(result.output),
  );
}

/** Packages that are installed and whose install scripts package.json allows. @param {string} root */
function scripted(root) {
  const installed = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  const allowed = Object.entries(readJson(path.join(root, 'package.json'))?.allowScripts ?? {});
  return allowed.filter(([name, allow]) => allow === true && installed[`node_modules/${name}`]).map(([name]) => name);
}

/** What the pinned Node says it is, or why it does not. @param {string} root */
function nodeVersion(root) {
  return promisify(execFile)(nodeBinary(root), ['--version'], { timeout: 20_000 }).then(
    ({ stdout }) => stdout.trim(),
    (error) => `none that runs (${error.message.split('\n')[0]})`,
  );
}
const rightNode = (/** @type {string} */ version) => version.startsWith(`v${NODE_MAJOR}.`);

/** Whether the pinned Node or what other install scripts make is missing. @param {string} root */
const incomplete = async (root) => existsSync(scriptsPending(root)) || !rightNode(await nodeVersion(root));

/**
 * Node for the packages that are being installed, so that it is there when they are.
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function fetchNodeIfMissing(options) {
  if (!dependenciesReady(options.root) && (await incomplete(options.root))) await fetchNode(options);
}

/**
 * What is left to do once the packages are there; afterwards the pinned Node runs.
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function runInstallScripts({ root, progress, npm }) {
  if (dependenciesReady(root)) return;
  if (await incomplete(root)) {
    const laid = layNode(root);
    const names = scripted(root).filter((name) => !(laid && name === 'node'));
    if (names.length > 0) await rebuild(names, { root, progress, npm });
  }
  const version = await nodeVersion(root);
  if (!rightNode(version)) {
    throw new SetupError(
      `Node ${NODE_MAJOR} should have come with the packages, but there is ${version}: install scripts of the package "node" must be allowed (npm config get ignore-scripts). Allow them and run the same command again.`,
    );
  }
  rmSync(scriptsPending(root), { force: true });
  writeFileSync(stampFile(root), JSON.stringify(expectedStamp(root)));
}

/**
 * @param {readonly string[]} names of packages
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
async function rebuild(names, { root, progress, npm }) {
  progress.doing(`running the install scripts of ${names.join(' and ')}`);
  const attempt = (/** @type {string[]} */ ...how) =>
    whileWaiting(
      npm(['rebuild', ...names, ...how, '--no-fund', '--no-audit', '--loglevel=error'], { cwd: root }),
      (seconds) => progress.doing(`install scripts: ${seconds} s`),
    );
  // The package "node" asks npm for Node itself, in one exact version; what npm remembers of it may be older than that.
  let result = await attempt('--prefer-offline');
  if (result.code !== 0) result = await attempt();
  if (result.code === 0) return;
  throw new SetupError(
    `The install scripts of ${names.join(' and ')} failed, and without them nothing of Kaopass can run; that of "node" gets Node ${NODE_MAJOR} from the npm registry: when that can be reached, run the same command again.`,
    npmComplaint(result.output),
  );
}
