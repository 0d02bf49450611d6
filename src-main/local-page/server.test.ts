import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemChance, systemClock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { json, type PageServer, startPageServer } from './server.ts';

const TOKEN = 'a-token-for-this-test';
const asked: string[] = [];
let page: PageServer;

const options = {
  name: 'test page',
  port: 0,
  token: TOKEN,
  clock: systemClock,
  chance: systemChance,
  handle: async ({ method, path, body }: { method: string; path: string; body: unknown }) => {
    asked.push(`${method} ${path}`);
    if (path === '/broken') throw new TerminalError('DEVICE_FAILED', 'cash.json is damaged');
    return json(200, {
      ok: true,
      ...(method === 'POST' ? z.strictObject({ count: z.int().optional() }).parse(body) : {}),
    });
  },
};

beforeAll(async () => {
  page = await startPageServer({ ...options, access: 'launch-once' });
});
afterAll(() => page.close());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : `${page.origin}${path}`, { headers, redirect: 'manual' });
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${page.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body,
  });
/** fetch sets Host itself. */
const withHeaders = (headers: Record<string, string>) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(`${page.origin}/state`, { headers: { authorization: `Bearer ${TOKEN}`, ...headers } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('a page that is launched once', () => {
  it('opens by its address once, and stays open by a cookie that no script can read', async () => {
    const url = page.issueUrl();
    const launched = await get(url);
    expect(launched.status).toBe(303);
    expect(launched.headers.get('location')).toBe('/');
    const cookie = launched.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^kaopass-\d+=\S{40,}; Path=\/; HttpOnly; SameSite=Strict$/);
    const [pair = ''] = cookie.split(';');
    expect((await get('/state', { cookie: pair })).status).toBe(200);
    expect((await get('/state', { cookie: `other=1; ${pair}` })).status).toBe(200);
    expect((await get(url)).status).toBe(403);
  });

  it('opens to nobody else', async () => {
    const before = asked.length;
    expect((await get('/state')).status).toBe(401);
    expect((await get(`/state?token=${TOKEN}`)).status).toBe(401);
    expect((await get('/state', { cookie: 'kaopass-1=guess' })).status).toBe(401);
    expect((await get('/launch/guess')).status).toBe(403);
    expect((await get('/launch/')).status).toBe(403);
    expect((await get('/state', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect(await withHeaders({ host: 'evil.example' })).toBe(403);
    expect(await withHeaders({ origin: 'http://evil.example' })).toBe(403);
    expect(await withHeaders({ origin: 'null' })).toBe(403);
    expect(asked.length).toBe(before);
    expect(await withHeaders({ origin: page.origin })).toBe(200);
  });

  it('gives who has the token a new address, and forgets the oldest of many', async () => {
    const first = page.issueUrl();
    const answer = (await (await post('/launch', '{}')).json()) as { url: string };
    expect((await get(answer.url)).status).toBe(303);
    for (let i = 0; i < 8; i++) page.issueUrl();
    expect((await get(first)).status).toBe(403);
    expect((await post('/launch', '{}', { authorization: 'Bearer wrong' })).status).toBe(401);
  });
});

describe('a request', () => {
  it.each([
    ['that is no JSON', '{', {}, 400],
    ['that does not fit', '{"count":"many"}', {}, 400],
    ['that is too long', `"${'x'.repeat(20_000)}"`, {}, 413],
    ['that a form could send', '{}', { 'content-type': 'text/plain' }, 415],
  ])('%s is refused', async (_, body, headers, status) => {
    expect((await post('/count', body, headers)).status).toBe(status);
  });

  it('that fails says why, as one that cannot be served now', async () => {
    const answer = await post('/broken', '');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ok: false, message: 'TerminalError: cash.json is damaged' });
  });
});

it('a page without a good token, or on a port in use, does not start', async () => {
  await expect(startPageServer({ ...options, access: 'token', token: 'short' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'test page: the token is shorter than 16 characters',
  });
  const port = Number(new URL(page.origin).port);
  await expect(startPageServer({ ...options, access: 'token', port })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringContaining(`port ${port}`),
  });
});
