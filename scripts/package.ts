/**
 * Makes the installable terminal with electron-builder.
 *
 *   npm run package                  for this machine's platform; electron-builder fetches Electron's binary
 *   npm run package -- --stand-in    with an empty folder in Electron's place, for networks that refuse that binary: the
 *                                    result does not run, but what goes into it is decided, and checked, the same way
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Arch, build, type Configuration, Platform } from 'electron-builder';
import { inspectPackage } from './package-contents.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const BUILD = path.join(ROOT, 'build');

/** JavaScript of what runs in Electron's main process. To check its types takes nine times as long as to write it. */
function emit(checked: boolean): void {
  rmSync(BUILD, { recursive: true, force: true });
  const tsc = path.join(ROOT, 'node_modules/@typescript/native/bin/tsc');
  const flags = ['-p', 'tsconfig.build.json', ...(checked ? ['--noCheck'] : [])];
  execFileSync(process.execPath, [tsc, ...flags], { cwd: ROOT, stdio: 'inherit' });
}

/** The weights that the manifests name, and no others that lie in the cache. */
function stageWeights(): void {
  const folder = path.join(BUILD, 'weights');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(path.join(ROOT, 'models')).filter((file) => file.endsWith('.json'))) {
    const { source, sha256 } = JSON.parse(readFileSync(path.join(ROOT, 'models', name), 'utf8'));
    const file = path.basename(source.file);
    const weights = path.join(ROOT, '.cache/models', file);
    const found = createHash('sha256').update(readFileSync(weights)).digest('hex');
    if (found !== sha256) throw new Error(`${weights} is not the file models/${name} names; run "npm run setup"`);
    copyFileSync(weights, path.join(folder, file));
  }
}

/** What electron-builder needs to find in an unpacked Electron, and nothing else. */
function standInElectron(): string {
  const folder = path.join(BUILD, 'stand-in-electron');
  mkdirSync(path.join(folder, 'resources'), { recursive: true });
  mkdirSync(path.join(folder, 'locales'));
  writeFileSync(path.join(folder, 'electron'), '#!/bin/sh\necho "a stand-in for Electron" >&2\nexit 1\n', {
    mode: 0o755,
  });
  for (const name of [
    'LICENSE',
    'LICENSES.chromium.html',
    'version',
    'locales/ja.pak',
    'locales/en-US.pak',
    'locales/fr.pak',
  ])
    writeFileSync(path.join(folder, name), '');
  return folder;
}

/** Returns the folder that was made. @param options.checked the types of these sources were checked before. */
export async function packageTerminal(options: {
  standIn: boolean;
  outDir: string;
  checked?: boolean;
}): Promise<string> {
  emit(options.checked ?? false);
  stageWeights();
  const config: Configuration = {
    extends: path.join(ROOT, 'electron-builder.yml'),
    directories: { output: options.outDir },
  };
  if (options.standIn) {
    await build({
      projectDir: ROOT,
      targets: Platform.LINUX.createTarget('dir', Arch.x64),
      // Fuses are bits in Electron's binary, which a stand-in has not.
      config: { ...config, electronDist: standInElectron(), electronFuses: null },
      publish: 'never',
    });
    return path.join(options.outDir, 'linux-unpacked');
  }
  const [first = ''] = await build({ projectDir: ROOT, config, publish: 'never' });
  return path.dirname(first);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { 'stand-in': { type: 'boolean', default: false }, out: { type: 'string' } },
  });
  const outDir = path.resolve(values.out ?? path.join(ROOT, 'release'));
  const made = await packageTerminal({ standIn: values['stand-in'], outDir });
  console.log(`made ${made}`);
  if (values['stand-in']) {
    const contents = inspectPackage(made);
    console.log(
      `archive: ${contents.archived.length} files; unpacked: ${contents.unpacked.length}; beside it: ${contents.resources.length}`,
    );
    for (const problem of contents.problems) console.error(`package: ${problem}`);
    if (contents.problems.length > 0) process.exitCode = 1;
  }
}
