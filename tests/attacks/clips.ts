/**
 * The demonstration's clips as frames of a camera, 15 a second: taken out of them once by a headless Chromium, kept in a folder, read
 * one by one. Whoever renders attacks or people takes what they show from here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { CLIP_FPS, recordClip } from '../crash/footage.ts';
import { launchChromium } from '../screens/browser.ts';

export const CLIPS = ['cap12_edit.webm', 'cap13_edit2.webm', 'franck.webm'] as const;
export type ClipName = (typeof CLIPS)[number];

/** RGB, three bytes a pixel. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export interface Clips {
  /** Frames of a clip. */
  length(clip: ClipName): number;
  frame(clip: ClipName, index: number): Promise<Image>;
}

/** Seconds of a clip that are recorded at once: what the page holds in memory. */
const PART_S = 10;
/** Frames kept decoded, the last ones used: a look goes over one clip, or back and forth. */
const DECODED_MAX = 200;

/**
 * @param cacheDir where frames are kept; what is there already is not recorded again.
 * @param upToS seconds of every clip that are needed, or all of it.
 */
export async function openClips(
  cacheDir: string,
  footageDir: string,
  { upToS = Number.POSITIVE_INFINITY, onProgress = () => undefined }: Recording = {},
): Promise<Clips> {
  const folders = new Map(
    CLIPS.map((clip) => {
      const digest = createHash('sha256')
        .update(readFileSync(join(footageDir, clip)))
        .digest('hex');
      return [clip, join(cacheDir, `${clip}-${digest.slice(0, 12)}${upToS < Infinity ? `-${upToS}s` : ''}`)] as const;
    }),
  );
  const missing = CLIPS.filter((clip) => !existsSync(folders.get(clip)!));
  if (missing.length > 0) {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      for (const clip of missing) {
        onProgress(clip);
        await record(page, clip, folders.get(clip)!, upToS);
      }
    } finally {
      await browser.close();
    }
  }
  const lengths = new Map(CLIPS.map((clip) => [clip, readdirSync(folders.get(clip)!).length]));
  const decoded = new Map<string, Promise<Image>>();
  return {
    length: (clip) => lengths.get(clip)!,
    frame: (clip, index) => {
      const file = join(folders.get(clip)!, nameOf(index));
      const image = decoded.get(file) ?? imageIn(file);
      decoded.delete(file);
      decoded.set(file, image);
      for (const oldest of decoded.keys()) {
        if (decoded.size <= DECODED_MAX) break;
        decoded.delete(oldest);
      }
      return image;
    },
  };
}

interface Recording {
  readonly upToS?: number;
  readonly onProgress?: (clip: ClipName) => void;
}

/** A photograph, in its own size or cropped to fill another. */
export async function imageIn(
  file: string,
  size?: { readonly width: number; readonly height: number },
): Promise<Image> {
  const image = sharp(file).autoOrient();
  if (size) image.resize(size.width, size.height, { fit: 'cover' });
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, rgb: new Uint8Array(data) };
}

/** All of it or nothing: the folder gets its name when it is complete. */
async function record(page: Page, clip: ClipName, folder: string, upToS: number): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  let count = 0;
  for (let fromS = 0; fromS < upToS; fromS += PART_S) {
    const seconds = Math.min(PART_S, upToS - fromS);
    const frames = await recordClip(page, clip, { fromS, seconds });
    for (const frame of frames) writeFileSync(join(unfinished, nameOf(count++)), frame);
    if (frames.length < seconds * CLIP_FPS) break;
  }
  renameSync(unfinished, folder);
}

const nameOf = (index: number) => `${String(index).padStart(5, '0')}.jpg`;
