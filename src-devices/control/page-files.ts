/** The page and what it is made of: files of this folder and the product's font. Nothing is fetched from anywhere else. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer } from './api.ts';

export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = fileURLToPath(new URL('page/', import.meta.url));
const FONT = /^\/font\/(noto-sans-jp-(?:japanese|latin)-(?:400|700)-normal\.woff2)$/;
const FILES: Readonly<Record<string, { readonly name: string; readonly type: string; readonly withToken?: true }>> = {
  '/': { name: 'index.html', type: 'text/html; charset=utf-8', withToken: true },
  '/page/style.css': { name: 'style.css', type: 'text/css; charset=utf-8', withToken: true },
  '/page/app.js': { name: 'app.js', type: 'text/javascript; charset=utf-8' },
  '/page/words.json': { name: 'words.json', type: 'application/json; charset=utf-8' },
};

/** The page's file at this path, or null. Where a file names others, `{{token}}` becomes the token. */
export async function pageFile(path: string, token: string): Promise<Answer | null> {
  const font = FONT.exec(path)?.[1];
  if (font) {
    const folder = dirname(fileURLToPath(import.meta.resolve('@fontsource/noto-sans-jp/package.json')));
    return { status: 200, type: 'font/woff2', body: await readFile(join(folder, 'files', font)) };
  }
  const file = FILES[path];
  if (!file) return null;
  const content = await readFile(join(PAGE, file.name), 'utf8');
  const body = file.withToken ? content.replaceAll('{{token}}', encodeURIComponent(token)) : content;
  return { status: 200, type: file.type, body };
}
