/** The terminal's window in a real Electron, wherever its binary is. Electron fetches that from outside the npm registry. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { _electron } from 'playwright-core';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'node_modules/electron');

/** Without asking the package itself, which would try to download. */
function electronBinary(): string | undefined {
  const named = path.join(FOLDER, 'path.txt');
  const binary = existsSync(named) ? path.join(FOLDER, 'dist', readFileSync(named, 'utf8').trim()) : undefined;
  return binary && existsSync(binary) ? binary : undefined;
}

const binary = electronBinary();
const built = existsSync(path.join(ROOT, 'build/src-main/electron.js'));
const display = process.platform !== 'linux' || Boolean(process.env['DISPLAY'] ?? process.env['WAYLAND_DISPLAY']);
const missing = binary
  ? built
    ? display
      ? undefined
      : 'there is no display'
    : 'build/src-main is missing (npm run build)'
  : "Electron's binary is not in node_modules/electron/dist (npx install-electron)";
if (missing)
  console.log(`electron: not tested here, because ${missing}; the Chromium host's tests cover the same bridge`);

describe('the terminal in Electron', () => {
  it.runIf(missing === undefined)(
    'shows an unactivated terminal in a kiosk window that goes nowhere else',
    async () => {
      const data = mkdtempSync(path.join(tmpdir(), 'kaopass-electron-'));
      const config = { name: 'Test', profile: 'atm', bankUrl: 'http://127.0.0.1:9' };
      writeFileSync(path.join(data, 'kaopass.json'), JSON.stringify(config));
      const args = [ROOT, '--data', data, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
      const electron = await _electron.launch({ executablePath: binary ?? '', args });
      try {
        const page = await electron.firstWindow();
        expect(page.url()).toBe('kaopass://terminal/');
        const found = await page.evaluate(() => ({
          require: 'require' in globalThis,
          process: 'process' in globalThis,
          bridge: Object.keys((window as { kaopass?: object }).kaopass ?? {}).sort(),
          opened: window.open('https://example.org') === null,
        }));
        expect(found).toEqual({
          require: false,
          process: false,
          bridge: ['frame', 'intent', 'onFrameWanted', 'onView', 'ready'],
          opened: true,
        });
        expect(
          await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((one) => one.isKiosk())),
        ).toEqual([true]);
      } finally {
        await electron.close();
        rmSync(data, { recursive: true, force: true });
      }
    },
  );
});
