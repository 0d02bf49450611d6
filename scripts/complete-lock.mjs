/**
 * Adds to package-lock.json the optional packages of other platforms that a partial registry mirror left out when the lock was
 * made. Without them `npm ci` calls the lock out of step and refuses; with them it skips what is for another platform, as it
 * should. Also takes the install script of onnxruntime-node out of it: npm before 11 knows no "allowScripts", and would fetch GPU
 * libraries from outside the npm registry, or fail where that is refused. To be run after every `npm install`; tests/integration/lock.test.ts says when it was forgotten.
 *
 *   node scripts/complete-lock.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'aix',
  'win32',
  'windows',
];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

/** What a package's name says of where it runs; npm's own words. @param {string} name */
function platformOf(name) {
  const words = name.split('/').at(-1)?.replace('universal', 'x64').split(/[-.]/) ?? [];
  const os = words.find((word) => OS.includes(word));
  const cpu = words.find((word) => CPU.includes(word));
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word === 'gnu')
      ? 'glibc'
      : undefined;
  return {
    ...(cpu && { cpu: [cpu] }),
    ...(os && { os: [os === 'windows' ? 'win32' : os] }),
    ...(libc && { libc: [libc] }),
  };
}

/**
 * Optional dependencies no entry of the lock satisfies, with the entry each should have.
 * @param {{ packages: Record<string, any> }} lock
 * @returns {Record<string, object>}
 */
export function missingOptional({ packages }) {
  /** @type {Record<string, object>} */
  const missing = {};
  for (const [location, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const folders = location
        .split('/node_modules/')
        .map((_, i, parts) => parts.slice(0, i + 1).join('/node_modules/'));
      const places = ['', ...folders].map((folder) => `${folder ? `${folder}/` : ''}node_modules/${name}`);
      if (places.some((place) => packages[place])) continue;
      const version = String(range).replace(/^[\^~]|^npm:.*@/, '');
      const flags = entry.dev ? { dev: true } : {};
      missing[`node_modules/${name}`] = { version, ...platformOf(name), ...flags, optional: true };
    }
  }
  return missing;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptional(lock);
  delete lock.packages['node_modules/onnxruntime-node'].hasInstallScript;
  const { '': root, ...rest } = { ...lock.packages, ...missing };
  const sorted = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: { '': root, ...sorted } }, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(missing).length} optional packages of other platforms added`);
}
