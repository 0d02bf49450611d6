/** The control interface: who is let in, and what hands can do through it. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { countingChance, makeStateDir } from '../test-bench.ts';
import { TestClient } from '../test-client.ts';
import { Machine } from './machine.ts';
import { type ControlServer, startControlServer } from './server.ts';

const TOKEN = 'a-token-of-this-test-alone';
let folder: ReturnType<typeof makeStateDir>;
let machine: Machine;
let server: ControlServer;
beforeEach(async () => {
  folder = makeStateDir();
  machine = await Machine.open({
    stateDir: folder.path,
    profile: 'atm',
    clock: systemClock,
    chance: countingChance,
    speed: Number.POSITIVE_INFINITY,
    dialect: {},
    ports: [0],
  });
  server = await startControlServer({ machine, clock: systemClock, port: 0, token: TOKEN });
});
afterEach(async () => {
  await server.close();
  await machine.close();
  folder.remove();
});

async function call(path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(server.origin + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  return { status: response.status, type, body: (type.includes('json') ? JSON.parse(text) : text) as any };
}
const stateNow = async () => (await call('/api/state')).body.state;

describe('the control interface', () => {
  it('answers nothing without its token, for another name, or for another site', async () => {
    for (const path of [
      '/',
      '/page/app.js',
      '/page/style.css',
      '/api/state',
      '/api/events',
      '/font/noto-sans-jp-latin-400-normal.woff2',
    ]) {
      expect((await fetch(server.origin + path)).status).toBe(401);
      expect((await fetch(`${server.origin}${path}?token=wrong-token-but-long`)).status).toBe(401);
    }
    expect((await call('/api/power', { on: false }, { origin: 'http://evil.example' })).status).toBe(403);
    const rebound = await new Promise<number>((resolve) => {
      const headers = { host: 'evil.example', authorization: `Bearer ${TOKEN}` };
      httpRequest(`${server.origin}/api/state`, { headers }, ({ statusCode }) => resolve(statusCode ?? 0)).end();
    });
    expect(rebound).toBe(403);
    expect(machine.atm()).not.toBeNull();
  });

  it('serves a page that may load nothing from anywhere else', async () => {
    const response = await fetch(server.url);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const html = await response.text();
    expect(html).not.toMatch(/https?:\/\/|\{\{token\}\}|<script>|style=/);
    const assets = [...html.matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path]) => path!);
    const style = await (await fetch(server.origin + assets.find((path) => path.includes('.css'))!)).text();
    const fonts = [...style.matchAll(/url\("([^"]+)"\)/g)].map(([, path]) => path!);
    expect([assets.length, fonts.length]).toEqual([2, 4]);
    for (const path of [...assets, ...fonts, `/page/words.json?token=${TOKEN}`]) {
      expect((await fetch(server.origin + path)).status).toBe(200);
    }
  });

  it('has every word of the page in both languages', async () => {
    const { ja, en } = (await call('/page/words.json')).body;
    expect(Object.keys(en).sort()).toEqual(Object.keys(ja).sort());
    const { faults, dialect } = (await call('/api/catalogue')).body;
    const named = (each: { name: string }) => each.name;
    expect(Object.keys(ja.faultSays).sort()).toEqual(faults.map(named).sort());
    for (const words of [ja, en]) expect(Object.keys(words.dialectSaysOf).sort()).toEqual(dialect.map(named).sort());
  });

  it.each([
    ['/api/pin/keys', { keys: ['banana'] }, 'keys.0'],
    ['/api/paper', { receipts: -1 }, 'receipts'],
    ['/api/paper', { receipts: 1, colour: 'red' }, '(body)'],
    ['/api/dialect', { success: 'maybe' }, 'success'],
    ['/api/dialect', { klingon: true }, '(body)'],
  ])('refuses %s %j and names %s', async (path, body, field) => {
    const answer = await call(path, body);
    expect([answer.status, answer.body.ok, answer.body.fields[0].field]).toEqual([400, false, field]);
  });

  it('refuses what is no JSON, too long, unknown, or impossible now', async () => {
    const text = async (body: string, type = 'application/json') =>
      (
        await fetch(`${server.origin}/api/paper?token=${TOKEN}`, {
          method: 'POST',
          body,
          headers: { 'content-type': type },
        })
      ).status;
    expect([await text('{'), await text(' '.repeat(70_000)), await text('{}', 'text/plain')]).toEqual([400, 413, 415]);
    expect((await call('/api/nothing', {})).status).toBe(404);
    expect((await call('/page/../server.ts')).status).toBe(404);
    expect((await call('/api/receipt/take', {})).status).toBe(409);
    expect((await call('/api/pin/keys', { keys: ['one'] })).status).toBe(409);
    expect((await call('/api/device', { service: 'Toaster1', state: 'offline' })).status).toBe(409);
  });

  it('presses keys, holds up codes, takes receipts', async () => {
    const atm = machine.atm()!;
    const scanner = await TestClient.connect(atm.serviceUrl('BarcodeReader1'));
    const reading = scanner.send('BarcodeReader.Read', {});
    await scanner.event('Common.StatusChangedEvent');
    expect((await call('/api/barcode', { symbology: 'qrCode', data: '顔パス' })).status).toBe(200);
    const { payload } = await scanner.completion(reading);
    expect(Buffer.from(payload.readOutput[0].barcodeData, 'base64').toString()).toBe('顔パス');
    const printer = await TestClient.connect(atm.serviceUrl('ReceiptPrinter1'));
    await printer.command('Printer.PrintRaw', { inputData: 'no', data: Buffer.from('Hello\n').toString('base64') });
    await printer.command('Printer.ControlMedia', { mediaControl: { move: 'eject' } });
    expect((await stateNow()).printer).toMatchObject({ atExit: '000001', receipts: ['000001'] });
    expect((await call('/api/receipts/000001.png')).type).toBe('image/png');
    expect((await call('/api/receipts/000001.escpos')).body).toBe('Hello\n');
    expect((await call('/api/receipt/take', {})).status).toBe(200);
    for (const client of [scanner, printer]) client.socket.terminate();
  });

  it('arms faults from the catalogue and takes them away', async () => {
    const { body } = await call('/api/catalogue');
    expect(
      body.faults.find(({ name }: { name: string }) => name === 'slowCompletion').parameters.properties,
    ).toHaveProperty('delayMs');
    const armed = await call('/api/faults', {
      fault: 'slowCompletion',
      command: 'Common.Status',
      delayMs: 500,
      use: 3,
    });
    expect(armed.body.armed).toMatchObject({ fault: 'slowCompletion', use: 3, times: 1 });
    expect((await call('/api/faults', { fault: 'slowCompletion', delayMs: 'soon' })).body.message).toContain('delayMs');
    expect((await call('/api/faults', { fault: 'earthquake' })).body.message).toContain('there is no earthquake');
    expect((await stateNow()).faults).toHaveLength(1);
    await call('/api/faults/disarm', {});
    expect((await stateNow()).faults).toEqual([]);
  });

  it('turns one switch of the dialect, all, and all back', async () => {
    await call('/api/dialect', { success: 'omitted' });
    await call('/api/dialect', { trailingSlash: true });
    expect((await stateNow()).dialect).toMatchObject({
      success: 'omitted',
      trailingSlash: true,
      deltas: 'beforeCompletion',
    });
    await call('/api/dialect/all', { to: 'flipped' });
    expect((await stateNow()).dialect).toMatchObject({ deltas: 'afterCompletion', unsolicitedType: 'event' });
    await call('/api/dialect/all', { to: 'standard' });
    expect((await stateNow()).dialect).toMatchObject({ success: 'sent', trailingSlash: false });
  });

  it('pulls the plug and puts it in again: same address, same dialect, same paper', async () => {
    await call('/api/paper', { receipts: 5 });
    await call('/api/dialect', { success: 'omitted' });
    const { url } = machine;
    expect((await call('/api/power', { on: false })).status).toBe(200);
    expect(await stateNow()).toMatchObject({ powered: false });
    expect((await call('/api/paper', { receipts: 9 })).status).toBe(503);
    await expect(TestClient.connect(url)).rejects.toThrow();
    await call('/api/power', { on: true });
    expect(await stateNow()).toMatchObject({
      powered: true,
      url,
      printer: { paper: 5 },
      dialect: { success: 'omitted' },
    });
    (await TestClient.connect(url)).socket.terminate();
  });

  it('is one machine however often the plug is pushed in', async () => {
    const pushes = [false, true, true, false, true, true].map((on) => call('/api/power', { on }));
    for (const { status } of await Promise.all(pushes)) expect(status).toBe(200);
    expect(await stateNow()).toMatchObject({ powered: true, url: machine.url });
  });

  it('handles cash: loads, removes and inserts cassettes, and says what hands cannot do', async () => {
    const unit = async () => (await stateNow()).cash.units[0];
    expect((await call('/api/units/load', { unit: 'unit1', count: 37 })).status).toBe(200);
    expect(await unit()).toMatchObject({ id: 'unit1', value: 1_000, count: 37, status: 'ok', level: 'ok' });
    expect((await call('/api/units/load', { unit: 'unit1', count: 99_999 })).body.message).toContain(
      'unit1 holds 0 to',
    );
    await call('/api/units/remove', { unit: 'unit1' });
    expect(await unit()).toMatchObject({ count: 37, status: 'missing' });
    expect((await call('/api/units/remove', { unit: 'unit1' })).status).toBe(409);
    await call('/api/units/insert', { unit: 'unit1' });
    expect((await unit()).status).toBe('manipulated');
    expect((await call('/api/notes/take', {})).body.message).toContain('nothing lies in reach');
    expect((await call('/api/notes/insert', { notes: [{ value: 1_000, count: 1 }] })).body.message).toContain(
      'the slot is closed',
    );
    expect((await stateNow()).cash).toMatchObject({ problems: [], security: 'notEnforced' });
  });

  it('tells every open page of a change at once', async () => {
    const stop = new AbortController();
    const response = await fetch(`${server.origin}/api/events?token=${TOKEN}`, { signal: stop.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const until = async (part: string) => {
      while (!heard.includes(part)) heard += (await reader.read()).value ?? '';
    };
    await until('"paper":300');
    await call('/api/paper', { receipts: 12 });
    await until('"paper":12');
    stop.abort();
  });
});
