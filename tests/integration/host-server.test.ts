/** The Chromium host's server against everything on the machine that is not its page. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import {
  CLOSE_MESSAGE_INVALID,
  CLOSE_REPLACED,
  FRAME_MESSAGE_BYTES_MAX,
  SCREEN_TEXT_CHARS_MAX,
} from '../../src-contract/bridge-messages.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { type Chance, systemClock } from '../../src-main/clock.ts';
import { type ScreenServer, startScreenServer } from '../../src-main/host/chromium/screen-server.ts';
import { connectChromium } from '../../src-renderer/bridge/chromium.ts';
import { eventually } from '../contract/bridge.ts';
import { type ScriptedTerminal, scriptedTerminal, silentLog } from '../contract/scripted-terminal.ts';

/** The same secrets in the same order, so that a server started again knows the cookie of before. */
function repeatingChance(): Chance {
  let count = 0;
  return {
    id: () => '01900000-0000-7000-8000-000000000000' as Uuid,
    bytes: (length) => new Uint8Array(length).fill(++count),
    fraction: () => 0.5,
  };
}

let folder = '';
let terminal: ScriptedTerminal;
let server: ScreenServer;
const sockets: WebSocket[] = [];

const start = (port = 0) =>
  startScreenServer({
    terminal,
    content: { rendererDir: folder, footageDir: null },
    port,
    clock: systemClock,
    chance: repeatingChance(),
    log: silentLog,
  });

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kaopass-server-'));
  writeFileSync(path.join(folder, 'index.html'), 'the page');
  terminal = scriptedTerminal();
  terminal.show({ name: 'attract' });
  server = await start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close();
  rmSync(folder, { recursive: true });
});

function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; cookie: string }>((resolve, reject) => {
    const asked = request(url, { headers, method }, (response) => {
      response.resume();
      response.on('end', () => {
        const cookie = (response.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
        resolve({ status: response.statusCode ?? 0, headers: response.headers, cookie });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

const launch = async () => (await get(server.issueLaunchUrl())).cookie;
const bridgeUrl = () => `${server.origin.replace('http', 'ws')}/bridge`;

function open(headers: Record<string, string>, url = bridgeUrl()): WebSocket {
  const socket = new WebSocket(url, { headers });
  sockets.push(socket);
  return socket;
}
const page = (cookie: string) => open({ Cookie: cookie, Origin: server.origin });
const opened = (socket: WebSocket) =>
  new Promise<number>((resolve) => {
    socket.on('open', () => resolve(101));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
  });
const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.on('close', resolve));

describe('the launch URL', () => {
  it('works once, and leaves a cookie that no script reads and no other site sends', async () => {
    const url = server.issueLaunchUrl();
    const first = await get(url);
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(first.headers['set-cookie']).toEqual([expect.stringMatching(/; Path=\/; HttpOnly; SameSite=Strict$/)]);
    expect((await get(`${server.origin}/`, { Cookie: first.cookie })).status).toBe(200);
    expect((await get(url)).status).toBe(403);
    expect((await get(`${server.origin}/`, { Cookie: first.cookie })).status).toBe(200);
  });

  it('is refused when it is wrong, and then still works', async () => {
    const url = server.issueLaunchUrl();
    expect((await get(`${server.origin}/launch/${'A'.repeat(43)}`)).status).toBe(403);
    expect((await get(`${server.origin}/launch/`)).status).toBe(403);
    expect((await get(url)).status).toBe(303);
  });

  it('ends what the one before it allowed', async () => {
    const cookie = await launch();
    const old = page(cookie);
    expect(await opened(old)).toBe(101);
    const gone = closed(old);
    server.issueLaunchUrl();
    expect(await gone).toBe(CLOSE_REPLACED);
    expect((await get(`${server.origin}/`, { Cookie: cookie })).status).toBe(403);
    expect(await opened(page(cookie))).toBe(403);
  });
});

describe('the page', () => {
  it('is not given without the cookie, under another name, or by another method', async () => {
    const cookie = await launch();
    expect((await get(`${server.origin}/`)).status).toBe(403);
    expect((await get(`${server.origin}/`, { Cookie: 'kaopass-screen=wrong' })).status).toBe(403);
    expect((await get(`${server.origin}/`, { Cookie: cookie, Host: 'kiosk.example' })).status).toBe(403);
    expect((await get(`${server.origin}/`, { Cookie: cookie }, 'POST')).status).toBe(405);
  });

  it('comes with its policy, also when it is refused', async () => {
    const { headers } = await get(`${server.origin}/`);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  });
});

describe('the bridge', () => {
  it.each([
    ['another origin', (cookie: string) => ({ Cookie: cookie, Origin: 'http://localhost:1' })],
    ['no origin', (cookie: string) => ({ Cookie: cookie })],
    ['no cookie', () => ({ Origin: server.origin })],
    ['a wrong cookie', () => ({ Origin: server.origin, Cookie: 'kaopass-screen=AAAA' })],
    ['another host name', (cookie: string) => ({ Cookie: cookie, Origin: server.origin, Host: 'kiosk.example' })],
  ])('refuses a connection with %s', async (_what, headers) => {
    const cookie = await launch();
    expect(await opened(open(headers(cookie)))).toBe(403);
    expect(server.connected).toBe(false);
  });

  it('lets a newer page replace the older one, which gets nothing more', async () => {
    const cookie = await launch();
    const older = page(cookie);
    await opened(older);
    const gone = closed(older);
    expect(await opened(page(cookie))).toBe(101);
    expect(await gone).toBe(CLOSE_REPLACED);
    expect(server.connected).toBe(true);
  });

  it.each([
    ['garbage', 'x'],
    ['JSON of another shape', '{"type":"view"}'],
    ['a key too many', '{"type":"intent","id":1,"message":{},"admin":true}'],
    ['an id that is none', '{"type":"intent","id":-1,"message":{}}'],
  ])('closes on %s, and the terminal hears nothing of it', async (_what, text) => {
    const socket = page(await launch());
    await opened(socket);
    const gone = closed(socket);
    socket.send(text);
    expect(await gone).toBe(CLOSE_MESSAGE_INVALID);
    expect(terminal.messages).toEqual([]);
  });

  it('closes on text and on frames longer than any can be', async () => {
    const cookie = await launch();
    const talker = page(cookie);
    await opened(talker);
    const silenced = closed(talker);
    talker.send(JSON.stringify({ type: 'intent', id: 1, message: 'x'.repeat(SCREEN_TEXT_CHARS_MAX) }));
    expect(await silenced).toBe(CLOSE_MESSAGE_INVALID);

    const camera = page(cookie);
    await opened(camera);
    const stopped = closed(camera);
    terminal.wantFrame();
    camera.send(new Uint8Array(FRAME_MESSAGE_BYTES_MAX + 1));
    expect(await stopped).toBe(1009); // RFC 6455, 7.4.1: message too big
    expect(terminal.frames).toEqual([]);
  });

  it('closes on a page that keeps sending frames nobody wants', async () => {
    const socket = page(await launch());
    await opened(socket);
    const gone = closed(socket);
    for (let i = 0; i < 30; i++) socket.send(new Uint8Array(8));
    expect(await gone).toBe(CLOSE_MESSAGE_INVALID);
    expect(terminal.frames).toEqual([]);
  });

  it('hands the terminal an intent of any shape, and its answer back', async () => {
    const socket = page(await launch());
    terminal.answer = { ok: false, code: 'invalid', message: 'no such intent' };
    await opened(socket);
    const answers: unknown[] = [];
    socket.on('message', (data) => answers.push(JSON.parse(String(data))));
    socket.send('{"type":"intent","id":7,"message":[null]}');
    await eventually(() => expect(answers).toContainEqual({ type: 'answer', id: 7, answer: terminal.answer }));
    expect(terminal.messages).toEqual([[null]]);
  });

  it('is found again by the page after the server was gone', async () => {
    const cookie = await launch();
    const port = Number(new URL(server.origin).port);
    const origin = server.origin;
    const bridge = connectChromium({
      url: bridgeUrl(),
      open: (url) => {
        const socket = new WebSocket(url, { headers: { Cookie: cookie, Origin: origin } });
        sockets.push(socket);
        return socket as unknown as globalThis.WebSocket;
      },
    });
    const connections: boolean[] = [];
    const revisions: number[] = [];
    bridge.onConnection((connected) => connections.push(connected));
    bridge.onView((view) => revisions.push(view.revision));
    await eventually(() => expect(revisions).toEqual([1]));

    await server.close();
    await eventually(() => expect(connections.at(-1)).toBe(false));
    await expect(bridge.send({ kind: 'begin' })).rejects.toMatchObject({ name: 'BridgeLostError' });

    terminal.show({ name: 'starting' });
    server = await start(port);
    await launch();
    await eventually(() => expect(revisions).toEqual([1, 2]));
    expect(connections).toEqual([false, true, false, true]);
    expect(await bridge.send({ kind: 'begin' })).toEqual({ ok: true });
    bridge.close();
  });
});
