/**
 * Node itself, for the platform that scripts/node.json names. The package "node" brings it by an install script, which has npm
 * install another package: the binary and 2,800 files nobody uses, none of it pinned by package-lock.json. Here the binary alone is
 * fetched as models are, while the packages are installed, checked, and laid where the script would lay it. On other platforms, or
 * when scripts/node.json is of another version than the lock, the script does its work.
 */
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fetchPackage, state, wanted } from './files.mjs';

/** @param {string} root @returns {import('./files.mjs').Wanted | undefined} */
function pinned(root) {
  const manifest = path.join(root, 'scripts', 'node.json');
  // Windows starts commands by scripts of npm's own making.
  if (process.platform === 'win32' || !existsSync(manifest)) return undefined;
  const entry = JSON.parse(readFileSync(manifest, 'utf8'));
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  if (entry.platform !== `${process.platform}-${process.arch}`) return undefined;
  if (entry.source?.version !== packages['node_modules/node']?.version) return undefined;
  return wanted(entry, 'scripts/node.json', path.join(root, '.cache', 'node'), 'nothing of Kaopass can run');
}

/**
 * Node in .cache, verified; nothing where the install script brings it.
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function fetchNode(options) {
  const node = pinned(options.root);
  if (node && state(node.target, node) !== 'right') await fetchPackage(node.source, [node], options);
}

/** Lays Node into the package "node", as its install script does. @param {string} root @returns whether that script has nothing left to do */
export function layNode(root) {
  const node = pinned(root);
  if (!node || state(node.target, node) !== 'right') return false;
  const modules = path.join(root, 'node_modules');
  const binary = path.join(modules, 'node', 'bin', 'node');
  const command = path.join(modules, '.bin', 'node');
  for (const file of [binary, command]) {
    mkdirSync(path.dirname(file), { recursive: true });
    rmSync(file, { force: true });
  }
  chmodSync(node.target, 0o755);
  try {
    linkSync(node.target, binary);
  } catch {
    // A file system without links, or two of them.
    copyFileSync(node.target, binary);
  }
  symlinkSync(path.join('..', 'node', 'bin', 'node'), command);
  return true;
}
