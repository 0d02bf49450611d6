/**
 * The font of the pages: Noto Sans JP as packaged by Fontsource, in the files that receipts use too, so that a machine without any
 * Japanese font shows words and not boxes.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { PageAnswer } from './server.ts';

const WEIGHTS = [400, 700] as const;
const FILE = /^\/font\/(noto-sans-jp-(?:japanese|latin)-(?:400|700)-normal\.woff)$/;
/** What the Latin file has; for all else a browser asks for the Japanese one, which is large. */
const LATIN = 'U+0000-00A4,U+00A6-00FF,U+2013-2014,U+2018-201A,U+201C-201E,U+2022,U+2026,U+20AC';

const face = (subset: string, weight: number, range: string) =>
  `@font-face{font-family:"Noto Sans JP";font-weight:${weight};src:url("/font/noto-sans-jp-${subset}-${weight}-normal.woff") format("woff")${range}}`;
/** CSS; of two faces the later one is asked first. */
export const fontFaces = WEIGHTS.flatMap((weight) => [
  face('japanese', weight, ''),
  face('latin', weight, `;unicode-range:${LATIN}`),
]).join('\n');

/** The font file at this path, or null when it is none. */
export async function fontFile(path: string): Promise<PageAnswer | null> {
  const file = FILE.exec(path)?.[1];
  if (file === undefined) return null;
  const { resolve } = createRequire(import.meta.url);
  const body = await readFile(resolve(`@fontsource/noto-sans-jp/files/${file}`));
  return { status: 200, type: 'font/woff', body, headers: { 'cache-control': 'private, max-age=86400' } };
}
