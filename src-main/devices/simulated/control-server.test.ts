import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, notes, patient } from '../../../tests/contract/devices/vocabulary.ts';
import { systemChance, systemClock } from '../../clock.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { DemonstrationCamera } from './demonstration-camera.ts';
import { openSimulatedDevices, type SimulatedDevices } from './open.ts';

const TOKEN = 'a-token-for-this-test';
const scene = { kind: 'scene' as const, background: '#777', layers: [] };
let dir: string;
let simulated: SimulatedDevices;
let server: ControlServer;
const camera = new DemonstrationCamera({ kind: 'device', label: null });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
  simulated = await openSimulatedDevices({
    dir,
    clock: systemClock,
    chance: systemChance,
    profile: 'atm',
    speed: 50,
  });
  server = await startControlServer({
    control: simulated.control,
    camera,
    profile: 'atm',
    port: 0,
    token: TOKEN,
    clock: systemClock,
    chance: systemChance,
    goods: [{ barcode: '4901234567894', names: { ja: 'おにぎり</script>', en: 'Rice ball' }, priceMinor: 160 }],
    scenes: [{ id: 'nobody', names: { ja: '誰もいない', en: 'Nobody' }, source: scene }],
  });
});
afterAll(async () => {
  await server.close();
  await simulated.close();
  rmSync(dir, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
  fetch(`${server.origin}${path}`, { headers });
const post = async (path: string, body: unknown) => {
  const answer = await fetch(`${server.origin}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, answer: (await answer.json()) as Record<string, unknown> };
};
const withHeaders = (headers: Record<string, string>) =>
  new Promise<number | undefined>((resolve, reject) => {
    request(`${server.origin}/state?token=${TOKEN}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('control server', () => {
  it('shows itself to nobody without the token, under another host name or from another origin', async () => {
    expect((await get('/state', {})).status).toBe(401);
    expect((await get('/state', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect(await withHeaders({ host: 'evil.example' })).toBe(403);
    expect(await withHeaders({ origin: 'http://evil.example' })).toBe(403);
    expect(await withHeaders({ origin: server.origin })).toBe(200);
    expect((await get('/')).headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('serves a page that keeps goods from ending its script', async () => {
    const page = await (await fetch(server.url)).text();
    expect(page).toContain('<!doctype html>');
    expect(page).not.toContain('おにぎり</script>');
    expect(page).toContain('おにぎり\\u003c/script>');
  });

  it('puts notes in and takes them out, as a hand does', async () => {
    const acceptor = simulated.devices.cashAcceptor!;
    expect(await post('/notes/insert', { notes: notes(1_000, 2) })).toMatchObject({ status: 409 });
    await acceptor.cashInStart(newId(), () => {}, patient);
    expect(await post('/notes/insert', { notes: notes(1_000, 2), unrecognised: 1 })).toMatchObject({ status: 200 });
    expect(await acceptor.cashInStop(patient)).toMatchObject({ escrow: notes(1_000, 2), refusedNotes: 1 });
    await acceptor.cashInRollback(patient);
    expect(await post('/notes/take-returned', {})).toEqual({ status: 200, answer: { ok: true } });
    expect(await post('/notes/take', {})).toMatchObject({
      status: 409,
      answer: { message: 'no notes lie in the output' },
    });
    const { state } = (await (await get('/state')).json()) as { state: ReturnType<typeof simulated.control.state> };
    expect(state.cash?.conservation).toMatchObject({ holds: true, takenBackMinor: 2_000 });
  });

  it('says which field does not fit, and changes nothing', async () => {
    const wrong = await post('/notes/insert', { notes: [{ denominationMinor: 1_000, count: -1 }] });
    expect(wrong).toMatchObject({ status: 400, answer: { fields: [{ field: 'notes.0.count' }] } });
    expect(await post('/notes/take', { now: true })).toMatchObject({ status: 400 });
    expect(await post('/faults', { device: 'lights', fault: 'melt' })).toMatchObject({
      status: 400,
      answer: { fields: [{ field: 'fault' }] },
    });
    expect(await post('/faults', '{')).toMatchObject({
      status: 400,
      answer: { message: expect.stringMatching(/not JSON/) },
    });
    expect(await post('/nowhere', {})).toMatchObject({ status: 404 });
    expect(await post('/scan', { text: 'x'.repeat(20_000) })).toMatchObject({ status: 413 });
    expect(simulated.control.state().faults).toEqual([]);
  });

  it('arms and clears faults, changes who stands before the camera, sets the paper', async () => {
    await post('/faults', { device: 'cash-dispenser', fault: 'gone', mode: 'untilCleared' });
    expect(simulated.devices.cashDispenser!.health().state).toBe('offline');
    await post('/faults/clear', { device: 'cash-dispenser' });
    expect(simulated.devices.cashDispenser!.health().state).toBe('online');
    const seen: unknown[] = [];
    camera.onChange((source) => seen.push(source));
    expect(await post('/camera', { scene: 'nobody' })).toMatchObject({ status: 200 });
    expect(await post('/camera', { scene: 'somebody' })).toMatchObject({ status: 409 });
    expect(seen).toEqual([{ kind: 'device', label: null }, scene]);
    await post('/paper', { receipts: 0 });
    expect(simulated.devices.receiptPrinter!.health().state).toBe('hardwareError');
    await post('/paper', { receipts: 100 });
  });

  it('lists receipts and serves their pictures, and no other file', async () => {
    await simulated.devices.receiptPrinter!.print(new TextEncoder().encode('\x1b@Hello\n'), patient);
    const { receipts } = (await (await get('/receipts')).json()) as { receipts: { png: string; escpos: string }[] };
    const picture = await get(receipts[0]!.png);
    expect(picture.headers.get('content-type')).toBe('image/png');
    expect(new Uint8Array(await (await get(receipts[0]!.escpos)).arrayBuffer())).toHaveLength(8);
    for (const path of ['/receipts/none.png', '/receipts/..%2fcash.json', '/cash.json']) {
      expect((await get(path)).status, path).toBe(404);
    }
  });

  it('of a terminal with other devices has the camera, and nothing to press', async () => {
    const eye = new DemonstrationCamera({ kind: 'device', label: null });
    const without = await startControlServer({
      control: null,
      camera: eye,
      profile: 'atm',
      port: 0,
      token: TOKEN,
      clock: systemClock,
      chance: systemChance,
      scenes: [{ id: 'nobody', names: { ja: '誰もいない', en: 'Nobody' }, source: scene }],
    });
    const ask = (path: string, body?: object) =>
      fetch(`${without.origin}${path}`, {
        method: body ? 'POST' : 'GET',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const page = await (await ask('/')).text();
    expect(page).toContain('id="scenes"');
    for (const hand of ['id="pin"', 'id="insert"', 'id="fault-device"']) expect(page).not.toContain(hand);
    expect((await ask('/camera', { scene: 'nobody' })).status).toBe(200);
    expect(eye.source()).toEqual(scene);
    for (const path of ['/notes/take', '/faults', '/pin/keys']) expect((await ask(path, {})).status).toBe(404);
    expect(await (await ask('/state')).json()).toMatchObject({ ok: true, state: { cash: null, camera: scene } });
    await without.close();
  });

  it('says that its port is in use, and refuses a token too short', async () => {
    const again = {
      control: simulated.control,
      camera,
      profile: 'atm',
      clock: systemClock,
      chance: systemChance,
    } as const;
    const port = Number(new URL(server.origin).port);
    await expect(startControlServer({ ...again, port, token: TOKEN })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(port)),
    });
    await expect(startControlServer({ ...again, port: 0, token: 'short' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
