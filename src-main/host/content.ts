/**
 * The files a screen may load, and the headers they come with: the built renderer, and below /footage/ the demonstration's
 * clips. Both hosts serve the same through this.
 */
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';

export interface ContentRoots {
  /** The built renderer; index.html is its page. */
  readonly rendererDir: string;
  /** Served below /footage/. Null where a terminal has a real camera: nothing is there then. */
  readonly footageDir: string | null;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.webm': 'video/webm',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
};

/** @param connectSources what the page may connect to besides its own origin. */
export function securityHeaders(connectSources: readonly string[]): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "worker-src 'self'",
    ["connect-src 'self'", ...connectSources].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Permissions-Policy':
      'camera=(self), microphone=(), geolocation=(), usb=(), serial=(), hid=(), bluetooth=(), payment=(), display-capture=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
  };
}

/** The file behind a URL's path, or undefined where there is none to give: another type, a dot file, a way out of the folder. */
function locate(roots: ContentRoots, urlPath: string): { file: string; type: string } | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  const segments = decoded.split('/').slice(1);
  if (!decoded.startsWith('/') || /[\\\0:]/.test(decoded)) return undefined;
  if (segments.length === 1 && segments[0] === '') segments[0] = 'index.html';
  if (segments.some((segment) => segment === '' || segment.startsWith('.'))) return undefined;
  const inFootage = segments[0] === 'footage';
  const root = inFootage ? roots.footageDir : roots.rendererDir;
  const type = TYPES[path.extname(segments.at(-1) ?? '').toLowerCase()];
  if (root === null || type === undefined) return undefined;
  return { file: path.join(root, ...(inFootage ? segments.slice(1) : segments)), type };
}

export interface ByteRange {
  /** First and last byte, both included, as RFC 9110 counts them. */
  readonly first: number;
  readonly last: number;
}

/** RFC 9110, 14.2: one range of bytes. Several, or another unit, are ignored as the standard allows; undefined means the whole
 *  file, "unsatisfiable" 416. */
export function parseRange(header: string | null | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') {
    const suffix = Math.min(Number(match[2]), size);
    return suffix === 0 ? 'unsatisfiable' : { first: size - suffix, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first >= size) return 'unsatisfiable';
  return last < first ? undefined : { first, last };
}

/** An answer to one request, ready for either host. `open` is the file to send `range` of; the receiver closes it. */
export interface Content {
  readonly status: 200 | 206 | 404 | 416;
  readonly headers: Record<string, string>;
  readonly body: { readonly open: FileHandle; readonly range: ByteRange } | undefined;
}

/** Finds and opens what a URL's path names. Headers are the content's own; add {@link securityHeaders}. */
export async function openContent(
  roots: ContentRoots,
  urlPath: string,
  rangeHeader: string | null | undefined,
): Promise<Content> {
  const missing: Content = { status: 404, headers: { 'Content-Length': '0' }, body: undefined };
  const located = locate(roots, urlPath);
  if (!located) return missing;
  let file: FileHandle;
  try {
    file = await open(located.file, 'r');
  } catch {
    return missing;
  }
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    return missing;
  }
  const range = parseRange(rangeHeader, stat.size);
  if (range === 'unsatisfiable') {
    await file.close();
    return {
      status: 416,
      headers: { 'Content-Range': `bytes */${stat.size}`, 'Content-Length': '0' },
      body: undefined,
    };
  }
  const whole = { first: 0, last: stat.size - 1 };
  const { first, last } = range ?? whole;
  const headers: Record<string, string> = {
    'Content-Type': located.type,
    'Content-Length': String(last - first + 1),
    'Accept-Ranges': 'bytes',
  };
  if (range) headers['Content-Range'] = `bytes ${first}-${last}/${stat.size}`;
  if (stat.size === 0) {
    await file.close();
    return { status: 200, headers: { ...headers, 'Content-Length': '0' }, body: undefined };
  }
  return { status: range ? 206 : 200, headers, body: { open: file, range: { first, last } } };
}
