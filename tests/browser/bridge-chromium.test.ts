/** The Chromium host in a real Chromium: the bridge's contract, and what only this host has to withstand. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChromiumHost, startChromiumHost } from '../../src-main/host/chromium/chromium-host.ts';
import { type BridgeScreen, bridgeContract, eventually } from '../contract/bridge.ts';
import { writeMjpegCamera } from '../contract/mjpeg-camera.ts';
import { scriptedTerminal, silentLog } from '../contract/scripted-terminal.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOOTAGE = path.join(ROOT, '.cache/footage');

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kaopass-bridge-'));
  await build({
    root: path.join(ROOT, 'tests/contract/bridge-page'),
    configFile: false,
    logLevel: 'error',
    build: { outDir: path.join(folder, 'page'), emptyOutDir: true, modulePreload: { polyfill: false } },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the page puts on its window (tests/contract/bridge-page/main.ts). */
interface Held {
  heard: Awaited<ReturnType<BridgeScreen['heard']>>;
  send: BridgeScreen['send'];
  sendFrame(bytes: readonly number[]): void;
}

async function start(options: { fakeCamera?: string } = {}) {
  const terminal = scriptedTerminal();
  terminal.show({ name: 'attract' });
  const host = await startChromiumHost({
    terminal,
    rendererDir: path.join(folder, 'page'),
    footageDir: FOOTAGE,
    dataDir: path.join(folder, 'data'),
    bundledBrowserDir: path.join(ROOT, '.cache/chromium'),
    remoteDebugging: true,
    log: silentLog,
    ...options,
  });
  await host.whenConnected();
  const { browser, page } = await attach(host);
  return { terminal, host, browser, page };
}

async function attach(host: ChromiumHost): Promise<{ browser: Browser; page: Page }> {
  const browser = await chromium.connectOverCDP(host.debuggingUrl ?? '');
  const page = browser.contexts()[0]?.pages()[0];
  if (!page) throw new Error('the host opened no page');
  return { browser, page };
}

bridgeContract('a WebSocket in Chromium', async () => {
  const { terminal, host, browser, page } = await start();
  return {
    terminal,
    send: (intent) => page.evaluate((value) => (window as unknown as Held).send(value), intent),
    sendFrame: (bytes) => page.evaluate((value) => (window as unknown as Held).sendFrame(value), bytes),
    heard: () => page.evaluate(() => (window as unknown as Held).heard),
    reload: async () => void (await page.reload()),
    close: async () => {
      await browser.close();
      await host.close();
    },
  };
});

describe('the Chromium host', () => {
  it('plays and seeks footage, and shows an MJPEG file as the camera without asking', async () => {
    const fakeCamera = path.join(folder, 'camera.mjpeg');
    await writeMjpegCamera(fakeCamera, FOOTAGE);
    const { host, browser, page } = await start({ fakeCamera });
    const seen = await page.evaluate(async () => {
      const video = document.createElement('video');
      video.muted = true;
      video.src = '/footage/cap12_edit.webm';
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = () => reject(new Error('the clip does not load'));
      });
      video.currentTime = 30;
      await new Promise((resolve) => {
        video.onseeked = resolve;
      });
      const camera = await navigator.mediaDevices.getUserMedia({ video: true });
      const settings = camera.getVideoTracks()[0]?.getSettings();
      return { at: video.currentTime, width: settings?.width ?? 0 };
    });
    expect(seen.at).toBe(30);
    expect(seen.width).toBeGreaterThan(100);
    await browser.close();
    await host.close();
  });

  it('lets the page load nothing from elsewhere and run no script of its own making', async () => {
    const { host, browser, page } = await start();
    const refused = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.head.append(script);
      const elsewhere = await fetch('http://127.0.0.1:9/').then(
        () => 'answered',
        () => 'refused',
      );
      return { injected: 'injected' in window, elsewhere, cookie: document.cookie };
    });
    expect(refused).toEqual({ injected: false, elsewhere: 'refused', cookie: '' });
    await browser.close();
    await host.close();
  });

  it('opens a fresh browser when the page crashes or the browser is killed, and clears up after both', async () => {
    const { host, browser, page } = await start();
    const first = host.debuggingUrl;
    await browser.close();
    const pid = pidOfBrowser(path.join(folder, 'data/screen'));
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(host.debuggingUrl).not.toBe(first), 20_000);
    await host.whenConnected();
    const again = await attach(host);
    await eventually(async () => {
      expect(await again.page.evaluate(() => (window as unknown as Held).heard.views.length)).toBe(1);
    });
    expect(page.isClosed()).toBe(true);
    await again.browser.close();
    await host.close();
    expect(readdirSync(path.join(folder, 'data/screen'))).toEqual([]);
    expect(await host.closed).toBe('closed by the terminal');
  });

  it('says which port is in use', async () => {
    const { host, browser } = await start();
    const port = Number(new URL(host.origin).port);
    const second = startChromiumHost({
      terminal: scriptedTerminal(),
      rendererDir: folder,
      dataDir: path.join(folder, 'other'),
      port,
      browser: null,
      log: silentLog,
    });
    await expect(second).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) });
    await browser.close();
    await host.close();
  });

  it('says which browser did not come up, in its own words', async () => {
    const broken = path.join(folder, 'broken-browser');
    writeFileSync(broken, '#!/bin/sh\necho "cannot open display" >&2\nexit 7\n', { mode: 0o755 });
    const starting = startChromiumHost({
      terminal: scriptedTerminal(),
      rendererDir: folder,
      dataDir: path.join(folder, 'broken'),
      browser: { path: broken, source: 'named', headless: true, libraryDir: null },
      remoteDebugging: true,
      log: silentLog,
    });
    await expect(starting).rejects.toMatchObject({
      code: 'HOST_FAILED',
      message: expect.stringMatching(/broken-browser did not come up.*code 7.*cannot open display/),
    });
  });
});

function pidOfBrowser(screenDir: string): number {
  const [profile = ''] = readdirSync(screenDir);
  const file = path.join(screenDir, profile, 'kaopass-browser.pid');
  if (!existsSync(file)) throw new Error('no browser runs');
  return Number(readFileSync(file, 'utf8'));
}
