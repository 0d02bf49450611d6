/** Step 4: the screens, built into dist/renderer whenever what they are built from has changed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nodeBinary } from './dependencies.mjs';
import { SetupError, whileWaiting } from './progress.mjs';

const BUILD_TIMEOUT_MS = 5 * 60_000;

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath ?? /** @type {any} */ (entry).path, entry.name))
    .sort();
}

/** What the built screens are recognised by: everything they are made of. @param {string} root */
function sourcesHash(root) {
  const hash = createHash('sha256');
  const files = [...filesBelow(path.join(root, 'src-renderer')), ...filesBelow(path.join(root, 'src-contract'))];
  for (const file of [...files, path.join(root, 'vite.config.ts'), path.join(root, 'package-lock.json')]) {
    const body = readFileSync(file);
    hash.update(`${path.relative(root, file)}\0${body.length}\0`).update(body);
  }
  return hash.digest('hex');
}

/** @param {{ root: string, progress: import('./progress.mjs').Progress }} options */
export async function buildRenderer({ root, progress }) {
  if (!existsSync(path.join(root, 'vite.config.ts'))) return;
  const stamp = path.join(root, 'dist', 'renderer.sha256');
  const sources = sourcesHash(root);
  const built = existsSync(path.join(root, 'dist', 'renderer', 'index.html'));
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  progress.doing('building the screens');
  rmSync(stamp, { force: true });
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  /** @type {Promise<{ error: unknown, output: string }>} */
  const work = new Promise((resolve) => {
    const args = [vite, 'build', '--logLevel', 'error'];
    execFile(nodeBinary(root), args, { cwd: root, timeout: BUILD_TIMEOUT_MS }, (error, stdout, stderr) => {
      resolve({ error, output: `${stdout}${stderr}` });
    });
  });
  const { error, output } = await whileWaiting(work, (seconds) => progress.doing(`${seconds} s`));
  if (error) {
    throw new SetupError(
      'The screens could not be built, so a terminal has nothing to show; the sources say why.',
      output.trim(),
    );
  }
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
}
