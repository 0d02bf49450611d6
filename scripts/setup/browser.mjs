/**
 * Step 3: the Chromium that comes in an npm package, for machines without a display or a browser. It is packed with brotli;
 * unpacked once here, with the few libraries a bare Linux lacks beside it, so that starting a terminal does not wait for it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { writeWhole } from './files.mjs';
import { megabytes } from './progress.mjs';
import { readTar } from './tar.mjs';

/** Off this thread, on which other steps are going on. */
const unpacked = promisify(brotliDecompress);

/** @param {{ root: string, progress: import('./progress.mjs').Progress }} options */
export async function unpackBrowser({ root, progress }) {
  const packed = path.join(root, 'node_modules', '@sparticuz', 'chromium');
  const archive = path.join(packed, 'bin', 'chromium.br');
  // Built for Linux on x64 alone; elsewhere the host takes a browser that is installed.
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return;
  const { version } = JSON.parse(readFileSync(path.join(packed, 'package.json'), 'utf8'));
  const folder = path.join(root, '.cache', 'chromium');
  const stamp = path.join(folder, 'version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version && existsSync(path.join(folder, 'chromium'))) return;
  progress.doing(`unpacking Chromium ${version} for screens nobody looks at`);
  rmSync(stamp, { force: true });
  const binary = await unpacked(readFileSync(archive));
  writeWhole(path.join(folder, 'chromium'), binary, 0o755);
  const libraries = await unpacked(readFileSync(path.join(packed, 'bin', 'al2023.tar.br')));
  for (const { name, body } of readTar(libraries)) writeWhole(path.join(folder, name), body);
  writeFileSync(stamp, version);
  progress.doing(`${megabytes(binary.length)} unpacked`);
}
