/**
 * What the camera sees: frames of the demonstration's clips, taken out of them once by a headless Chromium and then sent as a
 * camera page would, so that no browser has to run beside the terminals. The terminal finds out by itself whether they live.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { ROOT } from '../../scripts/demo/processes.ts';
import { checkoutInstallation } from '../../src-main/places.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from '../../src-renderer/camera/frame-size.ts';
import { launchChromium } from '../screens/browser.ts';

/** Of every clip; more than one look needs. */
const CLIP_S = 5;
export const CLIP_FPS = 15;
/** Of JPEG; the passive liveness model takes coarser pictures for prints. */
const QUALITY = 0.97;

export type Clip = 'cap12_edit.webm' | 'cap13_edit2.webm';
/** One JPEG a frame, FRAME_WIDTH_PX × FRAME_HEIGHT_PX. */
export type Footage = Readonly<Record<Clip, readonly Buffer[]>>;

/** The same man on two days. */
export async function recordFootage(): Promise<Footage> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const record = (clip: Clip) => recordClip(page, clip, { fromS: 0, seconds: CLIP_S });
    return { 'cap12_edit.webm': await record('cap12_edit.webm'), 'cap13_edit2.webm': await record('cap13_edit2.webm') };
  } finally {
    await browser.close();
  }
}

/** Frames of one of the demonstration's clips, CLIP_FPS a second; fewer where the clip ends. */
export async function recordClip(
  page: Page,
  clip: string,
  { fromS, seconds }: { readonly fromS: number; readonly seconds: number },
): Promise<Buffer[]> {
  const file = readFileSync(join(checkoutInstallation(ROOT).footageDir ?? '', clip)).toString('base64');
  const size = { width: FRAME_WIDTH_PX, height: FRAME_HEIGHT_PX };
  const order = { file, fromS, seconds, fps: CLIP_FPS, quality: QUALITY, ...size };
  const frames = await page.evaluate(takeFrames, order);
  return frames.map((frame) => Buffer.from(frame, 'base64'));
}

/** RGBA, as a camera page hands it on. */
export async function pixelsOf(frame: Buffer): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await sharp(frame).ensureAlpha().raw().toBuffer());
}

/** Runs in the page. The clip comes as bytes: a canvas may not be read that showed another origin's picture. */
async function takeFrames(order: {
  file: string;
  fromS: number;
  seconds: number;
  fps: number;
  quality: number;
  width: number;
  height: number;
}): Promise<string[]> {
  const { width, height } = order;
  const bytes = Uint8Array.from(atob(order.file), (char) => char.charCodeAt(0));
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new Error('the browser gives no 2d canvas');
  const once = (event: string) =>
    new Promise((resolve, reject) => {
      video.addEventListener(event, resolve, { once: true });
      video.addEventListener('error', () => reject(new Error(`the clip can't be shown: ${video.error?.message}`)), {
        once: true,
      });
    });
  await once('loadeddata');
  // The middle of the picture fills the frame, as with any camera (src-renderer/camera/pixels.ts).
  const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
  const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
  const frames: string[] = [];
  for (let at = 0; at < order.seconds * order.fps; at++) {
    const atS = order.fromS + (at + 0.5) / order.fps;
    if (atS > video.duration) break;
    const sought = once('seeked');
    video.currentTime = atS;
    await sought;
    context.drawImage(video, (width - w) / 2, (height - h) / 2, w, h);
    frames.push(canvas.toDataURL('image/jpeg', order.quality).split(',')[1] ?? '');
  }
  return frames;
}
