/**
 * Step 1: node_modules is what package-lock.json says. npm writes node_modules/.package-lock.json as the very last thing of an
 * install, and `npm ci` begins by removing it: an interrupted install is one without it. It is compared with the lock, entry
 * by entry, and the lock's hash then kept so that the next start needs no comparison.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
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

/**
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function installDependencies({ root, progress, npm }) {
  if (dependenciesReady(root)) return;
  const lock = readJson(path.join(root, 'package-lock.json'));
  if (!lock) throw new SetupError('package-lock.json is missing or damaged: this is not a whole copy of Kaopass.');
  if (!installCovers(lock, readJson(path.join(root, 'node_modules', '.package-lock.json')))) {
    const locations = Object.keys(lock.packages).filter((name) => name !== '' && !lock.packages[name].optional);
    progress.doing(`installing ${locations.length} packages as package-lock.json says`);
    const result = await whileWaiting(
      npm(['ci', '--no-fund', '--no-audit', '--loglevel=error'], { cwd: root }),
      (seconds) => progress.doing(`${percentInstalled(root, locations)} % after ${seconds} s`),
    );
    if (result.code !== 0) {
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
  }
  const version = await promisify(execFile)(nodeBinary(root), ['--version'], { timeout: 20_000 }).then(
    ({ stdout }) => stdout.trim(),
    (error) => `none that runs (${error.message.split('\n')[0]})`,
  );
  if (!version.startsWith(`v${NODE_MAJOR}.`)) {
    throw new SetupError(
      `Node ${NODE_MAJOR} should have come with the packages, but there is ${version}: install scripts of the package "node" must be allowed. Remove node_modules and run the same command again.`,
    );
  }
  writeFileSync(stampFile(root), JSON.stringify(expectedStamp(root)));
}
