/** The Chromium that set-up unpacked (or an installed one), driven by Playwright. */
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { findBrowser } from '../../src-main/host/chromium/find-browser.ts';

const BUNDLED_DIR = fileURLToPath(new URL('../../.cache/chromium', import.meta.url));

export async function launchChromium(extraArgs: readonly string[] = []): Promise<Browser> {
  const found = findBrowser({ bundledDir: BUNDLED_DIR, headless: true });
  const libraries = [process.env['LD_LIBRARY_PATH'], found.libraryDir].filter(Boolean).join(':');
  return chromium.launch({
    executablePath: found.path,
    headless: true,
    env: { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--font-render-hinting=none',
      '--autoplay-policy=no-user-gesture-required',
      ...extraArgs,
    ],
  });
}
