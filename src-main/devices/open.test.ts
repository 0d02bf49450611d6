import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Profile } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { DevicesConfig } from '../config/devices.ts';
import { openDevices } from './open.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-open-devices-'));
const alarms: unknown[] = [];
/** A port on which nobody answers. */
let closedPort: number;
let server: Server;

beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closedPort = (server.address() as { port: number }).port;
  await new Promise((resolve) => server.close(resolve));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  expect(alarms).toEqual([]);
});

let opened = 0;
const open = (config: object, profile: Profile = 'atm') =>
  openDevices({
    config: DevicesConfig.parse(config),
    profile,
    dataDir: dir,
    dir: join(dir, `devices-${++opened}`),
    receiptsDir: join(dir, 'receipts'),
    clock: systemClock,
    chance: systemChance,
    log: pino({ level: 'silent' }),
    onAlarm: (alarm) => alarms.push(alarm),
  });

describe('devices', () => {
  it('simulated in this program are there', async () => {
    const { devices, close } = await open({ kind: 'simulated' });
    for (const key of ['cashDispenser', 'cashAcceptor', 'pinPad', 'receiptPrinter', 'lights'] as const) {
      expect([key, devices[key]?.health().state]).toEqual([key, 'online']);
    }
    await close();
  });

  it('of a machine that is away open all the same, and say where nobody answered', async () => {
    const config = { kind: 'xfs4iot', host: '127.0.0.1', ports: [{ port: closedPort, secure: false }] };
    const { devices, origins, control, close } = await open(config);
    expect(control).toBeNull();
    for (const key of ['cashDispenser', 'cashAcceptor', 'pinPad', 'receiptPrinter', 'lights'] as const) {
      expect([key, devices[key]?.health().state, origins[key]]).toEqual([
        key,
        'offline',
        { driver: 'xfs4iot', connection: '127.0.0.1' },
      ]);
      expect(devices[key]?.health().problem).not.toBeNull();
    }
    expect(devices.barcodeScanner).toBeNull();
    await close();
  });

  it('of a store come from their own drivers; a printer that is off is there, and says so', async () => {
    const line = { kind: 'tcp', host: '127.0.0.1', port: closedPort };
    const { devices, origins, close } = await open({ kind: 'store', escpos: { receiptPrinter: { line } } }, 'checkout');
    expect(devices.receiptPrinter?.health()).toMatchObject({ state: 'noDevice' });
    expect(origins.receiptPrinter).toEqual({ driver: 'escpos', connection: `TCP 127.0.0.1:${closedPort}` });
    expect([devices.pinPad, devices.cashDispenser, devices.barcodeScanner, devices.lights]).toEqual(
      Array(4).fill(null),
    );
    await close();
  });

  it('of this terminal take the place of the machine’s own', async () => {
    const ports = [{ port: closedPort, secure: false }];
    const receiptPrinter = { line: { kind: 'usb', path: join(dir, 'no-such-printer') } };
    const { origins, close } = await open({ kind: 'xfs4iot', host: '127.0.0.1', ports, escpos: { receiptPrinter } });
    expect(origins.receiptPrinter).toEqual({ driver: 'escpos', connection: join(dir, 'no-such-printer') });
    expect(origins.cashDispenser?.driver).toBe('xfs4iot');
    await close();
  });

  it('whose certificate authority cannot be read are refused, naming the file', async () => {
    await expect(open({ kind: 'xfs4iot', host: '10.0.0.5', ca: 'atm-ca.pem' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `devices.ca: ${join(dir, 'atm-ca.pem')} cannot be read (ENOENT)`,
    });
  });
});
