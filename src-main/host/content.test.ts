import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Content, openContent, parseRange, securityHeaders } from './content.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kaopass-content-'));
  mkdirSync(path.join(folder, 'renderer/assets'), { recursive: true });
  mkdirSync(path.join(folder, 'footage'));
  writeFileSync(path.join(folder, 'secret.json'), '{}');
  writeFileSync(path.join(folder, 'renderer/index.html'), '<p>');
  writeFileSync(path.join(folder, 'renderer/.env.json'), '{}');
  writeFileSync(path.join(folder, 'renderer/notes.txt'), 'x');
  writeFileSync(path.join(folder, 'renderer/assets/app.js'), '0123456789');
  writeFileSync(path.join(folder, 'footage/clip.webm'), '0123456789');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function get(urlPath: string, range?: string, footage = true): Promise<Content & { text: string }> {
  const roots = { rendererDir: `${folder}/renderer`, footageDir: footage ? `${folder}/footage` : null };
  const content = await openContent(roots, urlPath, range);
  let text = '';
  if (content.body) {
    const { first, last } = content.body.range;
    for await (const chunk of content.body.open.createReadStream({ start: first, end: last })) text += chunk;
  }
  return { ...content, text };
}

describe('content of a screen', () => {
  it('is the page, its assets and the footage, each with its type', async () => {
    expect(await get('/')).toMatchObject({
      status: 200,
      text: '<p>',
      headers: { 'Content-Type': 'text/html; charset=utf-8' },
    });
    expect(await get('/assets/app.js')).toMatchObject({ status: 200, text: '0123456789' });
    expect((await get('/footage/clip.webm')).headers).toMatchObject({
      'Content-Type': 'video/webm',
      'Accept-Ranges': 'bytes',
    });
  });

  it('has no footage where the camera is real', async () => {
    expect((await get('/footage/clip.webm', undefined, false)).status).toBe(404);
  });

  it.each([
    '/../secret.json',
    '/%2e%2e/secret.json',
    '/footage/../../secret.json',
    '/footage/..%2f..%2fsecret.json',
    '/..%5csecret.json',
    '/.env.json',
    '/notes.txt',
    '/assets',
    '/assets//app.js',
    '/index.html%00.js',
    '/%',
    '',
    '/nothing.js',
  ])('gives nothing for %j', async (urlPath) => {
    expect((await get(urlPath)).status).toBe(404);
  });

  it('gives the part of a clip that a video element seeks (RFC 9110, 14.2)', async () => {
    const part = await get('/footage/clip.webm', 'bytes=4-6');
    expect(part).toMatchObject({ status: 206, text: '456' });
    expect(part.headers).toMatchObject({ 'Content-Range': 'bytes 4-6/10', 'Content-Length': '3' });
    expect(await get('/footage/clip.webm', 'bytes=10-')).toMatchObject({
      status: 416,
      headers: { 'Content-Range': 'bytes */10' },
    });
  });
});

describe('byte ranges (RFC 9110, 14.1.2)', () => {
  it.each([
    ['bytes=0-', { first: 0, last: 9 }],
    ['bytes=2-5', { first: 2, last: 5 }],
    ['bytes=2-99', { first: 2, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-99', { first: 0, last: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,3-4', undefined],
    ['lines=0-1', undefined],
    [undefined, undefined],
  ] as const)('%j of ten bytes', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });
});

it('allows the page its own origin and the named connection, no inline script and no frame around it', () => {
  const policy = securityHeaders(['ws://127.0.0.1:1'])['Content-Security-Policy'] ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("connect-src 'self' ws://127.0.0.1:1");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
});
