/** The camera page in a real Chromium: what reaches the terminal of a simulated camera, of a real one, and of none. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CameraSource, type SceneLayer, type View } from '../../src-contract/screen.ts';
import { launchChromium } from '../screens/browser.ts';
import { FIXTURES } from '../screens/fixtures.ts';
import { type ServedPage, servePage } from '../screens/serve.ts';
import type { ArrivedFrame, Rgba } from '../screens/stage-api.ts';

let footage: string;
let served: ServedPage;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  footage = await mkdtemp(path.join(tmpdir(), 'kaopass-footage-'));
  // Half red, half blue, so that a mirrored frame would show.
  const blue = await sharp({ create: { width: 320, height: 480, channels: 3, background: '#0000ff' } })
    .png()
    .toBuffer();
  await sharp({ create: { width: 640, height: 480, channels: 3, background: '#ff0000' } })
    .composite([{ input: blue, left: 320, top: 0 }])
    .png()
    .toFile(path.join(footage, 'halves.png'));
  served = await servePage('stage', footage);
  browser = await launchChromium(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
  await rm(footage, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext({ permissions: ['camera'] });
  page = await context.newPage();
  await page.goto(served.url);
  await page.waitForFunction(() => 'stage' in window);
  return () => context.close();
});

const LOOK = FIXTURES.find(({ name }) => name === 'look-begin')!.view;
const use = (source: unknown, more: Partial<View> = {}) =>
  page.evaluate((view) => window.stage.show(view), {
    ...LOOK,
    camera: source ? { source: CameraSource.parse(source) } : null,
    ...more,
  } as View);
const scene = (layers: Partial<SceneLayer>[], background = '#00ff00') => ({ kind: 'scene', background, layers });
const want = () => page.evaluate(() => window.stage.wantFrame());
const frames = () => page.evaluate(() => window.stage.frames);
const reports = () =>
  page.evaluate(() =>
    window.stage.sent.flatMap(({ intent }) => (intent.kind === 'report-camera' ? [intent.state] : [])),
  );
async function nextFrame(): Promise<ArrivedFrame> {
  const before = (await frames()).length;
  await want();
  await expect.poll(async () => (await frames()).length, { timeout: 5_000 }).toBe(before + 1);
  return (await frames()).at(-1)!;
}
/** Video coding shifts colours a little. */
const near = ([r, g, b]: Rgba, [R, G, B]: readonly number[]) =>
  Math.max(Math.abs(r - R!), Math.abs(g - G!), Math.abs(b - B!)) < 40;

describe('a simulated camera', () => {
  it('says that it runs, and sends frames of 640×480 that are not mirrored', async () => {
    await use(scene([{ kind: 'image', url: '/footage/halves.png' }]));
    const frame = await nextFrame();
    expect([frame.width, frame.height]).toEqual([640, 480]);
    expect(near(frame.left, [255, 0, 0])).toBe(true);
    expect(near(frame.right, [0, 0, 255])).toBe(true);
    expect(await reports()).toEqual(['running']);
  });

  it('shows the customer the same picture, mirrored', async () => {
    await use(scene([{ kind: 'image', url: '/footage/halves.png' }]));
    await nextFrame();
    const video = page.locator('.camera-preview');
    await expect.poll(() => video.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(640);
    expect(await video.evaluate((element) => new DOMMatrix(getComputedStyle(element).transform).a)).toBe(-1);
  });

  it('puts its layers before its wall', async () => {
    await use(scene([{ kind: 'image', url: '/footage/halves.png', x: 0.4, y: 0.4, width: 0.2, height: 0.2 }]));
    const frame = await nextFrame();
    expect(near(frame.corner, [0, 255, 0])).toBe(true);
    expect(near(frame.left, [0, 255, 0])).toBe(true);
    expect(near(frame.middle, [0, 255, 0])).toBe(false);
  });

  it('goes on sending where nothing moves: a still picture is a feed like any other', async () => {
    await use(scene([{ kind: 'image', url: '/footage/halves.png' }]));
    const first = await nextFrame();
    for (let count = 0; count < 10; count++) await nextFrame();
    const last = (await frames()).at(-1)!;
    expect(last.sequence).toBeGreaterThanOrEqual(first.sequence + 10);
    expect(last.capturedAtMs).toBeGreaterThan(first.capturedAtMs);
  });

  it('gives every frame back, however often it is switched off: a camera without free buffers stands still', async () => {
    const told: string[] = [];
    page.on('console', (message) => void (/VideoFrame/.test(message.text()) && told.push(message.text())));
    for (let look = 0; look < 60; look++) {
      await use(scene([]));
      await page.waitForTimeout(40 + ((look * 37) % 90));
      await use(null);
    }
    const session = await context.newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    // Chromium tells of frames that nobody closed within ten seconds of collecting them.
    await page.waitForTimeout(11_000);
    expect(told).toEqual([]);
  });

  it('sends the newest frame when asked late, once, and none unasked', async () => {
    await use(scene([]));
    const first = await nextFrame();
    await page.waitForTimeout(1_000);
    expect(await frames()).toHaveLength(1);
    const late = await nextFrame();
    // Not one that was captured when the last one was asked for, however few a busy machine draws.
    expect(late.arrivedAtMs - late.capturedAtMs).toBeLessThan(900);
    expect(late.sequence).toBeGreaterThan(first.sequence + 1);
    await page.waitForTimeout(300);
    expect(await frames()).toHaveLength(2);
  });

  it('changes its scene, and stops when no view wants a camera', async () => {
    await use(scene([], '#ff0000'));
    await nextFrame();
    await use(scene([], '#0000ff'));
    await expect.poll(async () => near((await nextFrame()).middle, [0, 0, 255])).toBe(true);
    await use(null, { screen: { name: 'attract' } });
    await expect.poll(reports).toEqual(['running', 'stopped', 'running', 'stopped']);
    const count = (await frames()).length;
    await want();
    await page.waitForTimeout(500);
    expect(await frames()).toHaveLength(count);
    await expect.poll(() => page.evaluate(() => document.querySelectorAll('video').length)).toBe(0);
  });

  it('never shows the terminal what stood there before', async () => {
    await use(scene([], '#ff0000'));
    await nextFrame();
    await page.waitForTimeout(200);
    await use(null, { screen: { name: 'attract' } });
    await expect.poll(reports).toEqual(['running', 'stopped']);
    await want();
    await use(scene([], '#0000ff'));
    await expect.poll(async () => (await frames()).length).toBe(2);
    expect(near((await frames()).at(-1)!.middle, [0, 0, 255])).toBe(true);
  });

  it('is not begun anew by views that show something else of the same look', async () => {
    await use(scene([]));
    await nextFrame();
    for (const hint of ['come-closer', 'hold-it', null] as const) {
      await use(scene([]), { screen: { ...LOOK.screen, hint } as View['screen'] });
      await nextFrame();
    }
    expect(await reports()).toEqual(['running']);
  });

  it('says which file it could not show', async () => {
    await use(scene([{ kind: 'video', url: '/footage/gone.webm' }]));
    await expect.poll(reports).toContain('failed');
    const said = await page.evaluate(() => window.stage.sent.at(-1)?.intent);
    expect(said).toMatchObject({ detail: expect.stringContaining('/footage/gone.webm') });
  });

  it('reports only to a terminal that takes reports, and then what is so by then', async () => {
    await use(scene([]), { offers: ['cancel'] });
    await nextFrame();
    expect(await reports()).toEqual([]);
    await use(scene([]));
    await expect.poll(reports).toEqual(['running']);
  });
});

describe('a real camera', () => {
  it('gives frames of the same size through the same path', async () => {
    await use({ kind: 'device', label: null });
    const frame = await nextFrame();
    expect([frame.width, frame.height]).toEqual([640, 480]);
    expect(await reports()).toEqual(['running']);
  });

  it('is found by a part of its name, and missed by a wrong one with the names there are', async () => {
    await use({ kind: 'device', label: 'fake' });
    await nextFrame();
    await use({ kind: 'device', label: 'Other Brand' });
    await expect.poll(reports).toEqual(['running', 'stopped', 'not-found']);
    const said = await page.evaluate(() => window.stage.sent.at(-1)?.intent);
    expect(said).toMatchObject({
      detail: expect.stringMatching(/no camera is called "Other Brand"; there is ".*fake/),
    });
  });
});

describe('without the track processor', () => {
  it('frames are read from a video element, with the same result', async () => {
    await page.addInitScript(() => Reflect.deleteProperty(window, 'MediaStreamTrackProcessor'));
    await page.reload();
    await page.waitForFunction(() => 'stage' in window);
    await use(scene([{ kind: 'image', url: '/footage/halves.png' }]));
    const frame = await nextFrame();
    expect([frame.width, frame.height]).toEqual([640, 480]);
    expect(near(frame.left, [255, 0, 0])).toBe(true);
    expect((await nextFrame()).sequence).toBeGreaterThan(frame.sequence);
  });
});
