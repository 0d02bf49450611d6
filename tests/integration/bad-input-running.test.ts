/**
 * What a running terminal is told that does not fit: a bank that answers something else, frames that are none, intents that
 * nobody offered. Nothing of it is used, the customer is told what they need to know, and what the terminal owes the bank
 * arrives once the bank is itself again.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DemoBank } from '../../scripts/demo/bank.ts';
import { ROOT, runProgram } from '../../scripts/demo/processes.ts';
import { encodeFrame } from '../../src-contract/frame.ts';
import type { View } from '../../src-contract/screen.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { parseConfig } from '../../src-main/config/config.ts';
import { checkoutInstallation, dataPlaces } from '../../src-main/places.ts';
import { startTerminal, type Terminal } from '../../src-main/terminal.ts';
import { layEmptyBank } from '../support/bank-database.ts';

type Behaviour = 'itself' | 'html' | 'half JSON' | 'other types' | 'other status' | 'silent' | 'hangs up';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-running-'));
const dataDir = join(dir, 'checkout');
const bank = new DemoBank(join(dir, 'bank'), join(dir, 'bank.log'));
const logged: string[] = [];
let line: Server;
let behaviour: Behaviour = 'itself';
/** Requests since the behaviour last changed. */
let requests = 0;
let terminal: Terminal;
let view: View;
let views = 0;

/** Stands between terminal and bank. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  requests++;
  const say = (status: number, body: string, type = 'application/json') => {
    response.writeHead(status, { 'content-type': type }).end(body);
  };
  switch (behaviour) {
    case 'itself':
      forward(request, response).catch(() => response.destroy());
      return;
    case 'html':
      say(200, '<h1>Please log in to the Wi-Fi</h1>', 'text/html');
      return;
    case 'half JSON':
      say(200, '{"status":"ok","data');
      return;
    case 'other types':
      say(200, '{"status":1,"database":["pglite"],"results":{},"entries":"none","next":-1,"more":"no"}');
      return;
    case 'other status':
      say(418, '{"status":"ok","database":"pglite"}');
      return;
    case 'hangs up':
      request.socket.destroy();
      return;
    case 'silent':
  }
}

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const headers = Object.fromEntries(
    ['authorization', 'content-type', 'accept'].flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
  const { method = 'GET', url = '/' } = request;
  const answered = await fetch(bank.url + url, { method, headers, ...(method === 'GET' ? {} : { body }) });
  response.writeHead(answered.status, { 'content-type': answered.headers.get('content-type') ?? '' });
  response.end(await answered.text());
}

function become(next: Behaviour): void {
  behaviour = next;
  requests = 0;
}

beforeAll(async () => {
  await layEmptyBank(join(dir, 'bank'));
  await bank.start();
  line = createServer(answer);
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const bankUrl = `http://127.0.0.1:${(line.address() as { port: number }).port}`;
  const code = await bank.activationCode('checkout');
  const activated = await runProgram('src-main/provisioning/cli.ts', [
    ...['activate', '--data', dataDir, '--bank', bankUrl, '--code', code, '--name', 'Till 1', '--profile', 'checkout'],
  ]);
  expect(activated).toMatchObject({ code: 0 });
  const patience = { answerMs: 60_000, warnMs: 5_000, lookMs: 3_000, takeMs: 5_000, farewellMs: 5_000 };
  const config = { name: 'Till 1', profile: 'checkout', bankUrl, devices: { kind: 'simulated', speed: 20 }, patience };
  writeFileSync(dataPlaces(dataDir).config, JSON.stringify(config));
  terminal = await startTerminal({
    config: parseConfig(config, 'kaopass.json'),
    dataDir,
    installation: checkoutInstallation(ROOT),
    clock: systemClock,
    chance: systemChance,
    log: pino({ level: 'info' }, { write: (text: string) => void logged.push(text) }),
  });
  terminal.end.onView((next) => {
    view = next;
    views++;
  });
  await vi.waitFor(() => expect(view.terminal.online).toBe(true), { timeout: 15_000 });
});
afterAll(async () => {
  await terminal?.close();
  line?.closeAllConnections();
  await new Promise((resolve) => line.close(resolve));
  await bank.stop();
  rmSync(dir, { recursive: true, force: true });
});

const says = (intent: object, revision = view.revision) => terminal.end.handleIntent({ revision, intent });
const seen = (name: string) => expect.poll(() => view.screen.name, { timeout: 15_000 }).toBe(name);
async function scan(text: string): Promise<void> {
  const control = new URL(terminal.controlUrl ?? '');
  const response = await fetch(new URL('/scan', control), {
    method: 'POST',
    headers: { authorization: `Bearer ${control.searchParams.get('token')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
  expect(response.status).toBe(200);
}
function inJournal(query: string): unknown {
  const database = new Database(dataPlaces(dataDir).journal, { readonly: true });
  try {
    return database.prepare(query).pluck().get();
  } finally {
    database.close();
  }
}
const results = () => inJournal('SELECT count(*) FROM match_results');
const waiting = () => inJournal("SELECT count(*) FROM outbox WHERE state = 'waiting'");
const dead = () => inJournal('SELECT count(*) FROM dead_letters');

/** Somebody pays with a face that the camera never shows: a refusal, signed and queued. */
async function refusedPurchase(frames: () => void = () => {}): Promise<void> {
  await scan('4900000000016');
  await seen('basket');
  expect(says({ kind: 'pay' })).toEqual({ ok: true });
  await seen('look');
  frames();
  await seen('sorry');
  expect(says({ kind: 'cancel' })).toEqual({ ok: true });
  await seen('attract');
}

describe('an intent that does not fit is refused, and nothing changes:', () => {
  const ID = '019aa000-0000-7000-8000-000000000002';
  it.each<[string, object]>([
    ['an answer to another screen', { kind: 'confirm' }],
    ['an amount nobody asked for', { kind: 'choose-amount', amountMinor: 50_000 }],
    ['a payment without a basket', { kind: 'pay' }],
    ['a service of another profile', { kind: 'choose-service', service: 'withdraw' }],
    ['a consent nobody showed', { kind: 'answer-consent', version: '1', agreed: true }],
    ['a line of no basket', { kind: 'remove-line', lineId: ID }],
    ['more time where none runs', { kind: 'extend' }],
  ])('%s', (_, intent) => {
    const before = [views, view, results(), waiting()];
    expect(says(intent)).toMatchObject({ ok: false, code: 'not-offered', message: expect.stringContaining('attract') });
    expect([views, view, results(), waiting()]).toEqual(before);
  });

  it.each<[string, unknown]>([
    ['no message at all', null],
    ['text', 'begin'],
    ['an unknown kind', { revision: 1, intent: { kind: 'open-the-safe' } }],
    ['an unknown key', { revision: 1, intent: { kind: 'begin', and: 'pay' } }],
    ['no revision', { intent: { kind: 'begin' } }],
    ['half a yen', { revision: 1, intent: { kind: 'choose-amount', amountMinor: 0.5 } }],
    ['a negative amount', { revision: 1, intent: { kind: 'choose-amount', amountMinor: -1_000 } }],
  ])('%s', (_, message) => {
    const before = [views, view];
    expect(terminal.end.handleIntent(message)).toMatchObject({ ok: false, code: 'invalid' });
    expect([views, view]).toEqual(before);
  });

  it('an answer to a screen that is gone', async () => {
    const { revision } = view;
    await scan('4900000000016');
    await seen('basket');
    expect(says({ kind: 'pay' }, revision)).toMatchObject({ ok: false, code: 'stale' });
    expect(view.screen.name).toBe('basket');
    expect(says({ kind: 'cancel' })).toEqual({ ok: true });
    await seen('attract');
  });
});

describe('frames that are none', () => {
  it('are dropped while nobody is looked at', () => {
    const before = logged.length;
    terminal.end.handleFrame(new Uint8Array(10));
    expect(logged).toHaveLength(before);
  });

  it('are reported by what is wrong with them, the look goes on, and its refusal is signed', async () => {
    const [signed, before] = [Number(results()), logged.length];
    const pixels = new Uint8Array(64 * 64 * 4).fill(90);
    const good = encodeFrame({ width: 64, height: 64, sequence: 1, capturedAtMs: 1, pixels });
    const bad = [good.subarray(0, -4), new TextEncoder().encode('<html></html> is no frame'), new Uint8Array(3)];
    let stop = () => {};
    await refusedPurchase(() => {
      stop = terminal.end.onFrameWanted(() => setTimeout(() => terminal.end.handleFrame(bad.shift() ?? good), 20));
    });
    stop();
    const problems = logged.slice(before).filter((text) => text.includes('FRAME_INVALID'));
    expect(problems.map((text) => (JSON.parse(text) as { msg: string }).msg)).toEqual([
      'frame: 64×64 needs 16404 bytes, got 16400',
      'frame: magic is not "KPF1"',
      'frame: 3 bytes is less than the 20-byte header',
    ]);
    expect(results()).toBe(signed + 1);
    await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
  });
});

describe('a bank that is not itself is offline to the customer, and what it is owed waits:', () => {
  let signed: number;
  beforeAll(async () => {
    signed = Number(results());
    become('hangs up');
    await vi.waitFor(() => expect(view.terminal.online).toBe(false), { timeout: 25_000 });
  });

  it.each<Behaviour>(['hangs up', 'html', 'half JSON', 'other types', 'other status', 'silent'])('%s', async (kind) => {
    const before = Number(results());
    become(kind);
    await refusedPurchase();
    await expect.poll(() => requests, { timeout: 15_000 }).toBeGreaterThan(0);
    expect([view.terminal.online, results(), dead()]).toEqual([false, before + 1, 0]);
    expect(waiting()).toBe(before + 1 - signed);
  });

  it('until it is itself again: then everything arrives, once and in order', async () => {
    become('itself');
    await expect.poll(() => view.terminal.online, { timeout: 25_000 }).toBe(true);
    await expect.poll(waiting, { timeout: 15_000 }).toBe(0);
    const terminalId = await bank.terminalId('checkout');
    const held = (await bank.results(terminalId)).map(({ sequence }) => sequence);
    expect(held).toEqual(Array.from({ length: signed + 6 }, (_, index) => index + 1));
    expect(await bank.chain(terminalId)).toMatchObject({ results: signed + 6, verified: true });
    expect([dead(), await bank.incidents()]).toEqual([0, []]);
  });

  it('also one that begins to answer something else while it is served', async () => {
    const before = Number(results());
    become('other types');
    await refusedPurchase();
    await expect.poll(() => requests, { timeout: 15_000 }).toBeGreaterThan(0);
    expect([results(), waiting(), dead()]).toEqual([before + 1, 1, 0]);
    become('itself');
    await expect.poll(waiting, { timeout: 25_000 }).toBe(0);
    expect(await bank.chain(await bank.terminalId('checkout'))).toMatchObject({ results: before + 1, verified: true });
  });
});
