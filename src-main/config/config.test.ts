import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Profile } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import { loadConfig, PROFILE_SERVICES, parseConfig } from './config.ts';

const NEEDED = { name: 'ATM 1', profile: 'atm', bankUrl: 'http://127.0.0.1:8400' };
const dir = mkdtempSync(join(tmpdir(), 'kaopass-config-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The sentence it is refused with. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TerminalError);
    expect((error as TerminalError).code).toBe('CONFIG_INVALID');
    return (error as TerminalError).message;
  }
  throw new Error('it was taken');
}
const refused = (change: object) => refusal(() => parseConfig({ ...NEEDED, ...change }, 'kaopass.json'));

describe('a configuration', () => {
  it('needs a name, a profile and a bank; everything else has its default', () => {
    expect(parseConfig(NEEDED, 'kaopass.json')).toEqual({
      ...NEEDED,
      language: 'ja',
      services: null,
      camera: { kind: 'device', label: null },
      demonstration: false,
      devices: {
        kind: 'xfs4iot',
        host: '127.0.0.1',
        ports: null,
        ca: null,
        tokens: 'required',
        pinKey: null,
        hid: { pinPad: null, barcodeScanners: [], lights: null },
        escpos: { receiptPrinter: null },
        controlPort: 0,
      },
      servicePage: { port: 0 },
      screen: { port: 0, headless: false, remoteDebugging: false, fakeCamera: null },
      businessDay: { timeZone: 'Asia/Tokyo', cutOff: '00:00' },
      vision: { threads: 1 },
      goods: null,
      patience: { answerMs: 45_000, warnMs: 15_000, lookMs: 20_000, takeMs: 30_000, farewellMs: 6_000 },
      sync: { roundMs: 10_000, probeMs: 3_000 },
    });
  });

  it('completes a group that is given in part, with the same defaults', () => {
    const config = parseConfig(
      {
        ...NEEDED,
        devices: { kind: 'simulated', speed: 8 },
        screen: { headless: true },
        vision: {},
        patience: { lookMs: 9_000 },
        sync: { probeMs: 1_000 },
      },
      'kaopass.json',
    );
    expect(config.devices).toEqual({ kind: 'simulated', controlPort: 0, speed: 8 });
    expect(config.screen).toEqual({ port: 0, headless: true, remoteDebugging: false, fakeCamera: null });
    expect(config.vision).toEqual({ threads: 1 });
    expect(config.patience).toEqual({
      answerMs: 45_000,
      warnMs: 15_000,
      lookMs: 9_000,
      takeMs: 30_000,
      farewellMs: 6_000,
    });
    expect(config.sync).toEqual({ roundMs: 10_000, probeMs: 1_000 });
  });

  it('takes fewer services than its profile has', () => {
    expect(parseConfig({ ...NEEDED, services: ['withdraw', 'balance'] }, 'kaopass.json').services).toEqual([
      'withdraw',
      'balance',
    ]);
  });

  it.each(Profile.options)('of profile %s takes all of its services', (profile) => {
    const services = PROFILE_SERVICES[profile];
    if (services.length === 0) return;
    expect(parseConfig({ ...NEEDED, profile, services }, 'kaopass.json').services).toEqual(services);
  });
});

describe('what does not fit is refused, naming source and key:', () => {
  it.each<[string, object, string]>([
    ['an unknown key', { colour: 'red' }, 'kaopass.json: unknown key "colour" at the top level'],
    ['an unknown key inside a group', { screen: { prot: 1 } }, 'kaopass.json: unknown key "prot" at screen'],
    ['no name', { name: '' }, 'kaopass.json: name: '],
    ['a name too long for a receipt', { name: 'x'.repeat(61) }, 'kaopass.json: name: '],
    ['another profile', { profile: 'kiosk' }, 'kaopass.json: profile: '],
    ['another language', { language: 'fr' }, 'kaopass.json: language: '],
    ['no service at all', { services: [] }, 'kaopass.json: services: '],
    ['an unknown service', { services: ['gamble'] }, 'kaopass.json: services.0: '],
    ['a service of another profile', { services: ['withdraw', 'purchase'] }, 'profile "atm" has no purchase'],
    ['a bank that is no URL', { bankUrl: 'the bank' }, 'kaopass.json: bankUrl: '],
    ['a bank behind another protocol', { bankUrl: 'ftp://bank.example' }, 'kaopass.json: bankUrl: '],
    ['another kind of camera', { camera: { kind: 'crystal-ball' } }, 'kaopass.json: camera.kind: '],
    ['footage outside of its folder', scene('/etc/passwd'), 'kaopass.json: camera.layers.0.url: '],
    ['footage above its folder', scene('/footage/../keys'), 'kaopass.json: camera.layers.0.url: '],
    ['footage that is no demonstration', scene('/footage/a.webm'), 'camera.kind: "scene" is for a demonstration only'],
    ['a file for a camera', { screen: { fakeCamera: 'a.mjpeg' } }, 'screen.fakeCamera: only for a demonstration'],
    ['a demonstration that is a word', { demonstration: 'yes' }, 'kaopass.json: demonstration: '],
    ['devices nobody wrote a driver for', { devices: { kind: 'telepathy' } }, 'kaopass.json: devices.kind: '],
    ['devices that stand still', { devices: { kind: 'simulated', speed: 0 } }, 'kaopass.json: devices.speed: '],
    ['a port above 65535', { screen: { port: 65_536 } }, 'kaopass.json: screen.port: '],
    ['a port below 0', { devices: { kind: 'simulated', controlPort: -1 } }, 'kaopass.json: devices.controlPort: '],
    ['half a thread', { vision: { threads: 1.5 } }, 'kaopass.json: vision.threads: '],
    ['no thread', { vision: { threads: 0 } }, 'kaopass.json: vision.threads: '],
    ['goods that are no path', { goods: 7 }, 'kaopass.json: goods: '],
    ['patience of nothing', { patience: { answerMs: 0 } }, 'kaopass.json: patience.answerMs: '],
    ['patience as text', { patience: { takeMs: '30 s' } }, 'kaopass.json: patience.takeMs: '],
  ])('%s', (_, change, says) => {
    expect(refused(change)).toContain(says);
  });

  it.each(Object.keys(NEEDED))('%s missing', (key) => {
    expect(refused({ [key]: undefined })).toContain(`kaopass.json: ${key}: `);
  });

  it.each([null, [], 'atm', 7])('%j instead of an object', (value) => {
    expect(refusal(() => parseConfig(value, 'kaopass.json'))).toContain('kaopass.json: the top level: ');
  });

  it('several things at once, all of them', () => {
    const message = refused({ colour: 'red', language: 'fr', screen: { port: -1 } });
    for (const part of ['colour', 'language: ', 'screen.port: ']) expect(message).toContain(part);
  });
});

describe('devices', () => {
  const devicesOf = (devices: object) => parseConfig({ ...NEEDED, devices }, 'kaopass.json').devices;

  it('of an ATM are those of one machine, on all ports of the standard', () => {
    expect(devicesOf({ kind: 'xfs4iot', host: '10.0.0.5' })).toEqual({
      kind: 'xfs4iot',
      host: '10.0.0.5',
      ports: null,
      ca: null,
      tokens: 'required',
      pinKey: null,
      hid: { pinPad: null, barcodeScanners: [], lights: null },
      escpos: { receiptPrinter: null },
      controlPort: 0,
    });
  });

  it('of a store name their drivers, and each its own settings', () => {
    expect(
      devicesOf({
        kind: 'store',
        hid: { pinPad: { vendorId: '04d9', productId: 'A02A' }, barcodeScanners: [{ mode: 'keyboard', layout: 'jp' }] },
        escpos: { receiptPrinter: { line: { kind: 'tcp', host: 'printer.shop' }, text: 'kanji' } },
      }),
    ).toMatchObject({
      hid: {
        pinPad: { vendorId: 0x04d9, productId: 0xa02a, exclusive: 'required' },
        barcodeScanners: [{ layout: 'jp' }],
      },
      escpos: {
        receiptPrinter: { line: { kind: 'tcp', host: 'printer.shop', port: 9100 }, text: 'kanji', widthDots: 576 },
      },
    });
  });

  const atm = { kind: 'xfs4iot', host: '10.0.0.5' };
  const printer = (line: object) => ({ kind: 'store', escpos: { receiptPrinter: { line } } });
  it.each<[string, object, string]>([
    ['an ATM without a machine', { kind: 'xfs4iot' }, 'devices.host: '],
    ['a machine written as an address of a page', { ...atm, host: 'wss://10.0.0.5' }, 'devices.host: a host name'],
    ['an unknown key', { ...atm, speed: 2 }, 'unknown key "speed" at devices'],
    ['a port without its encryption', { ...atm, ports: [{ port: 5846 }] }, 'devices.ports.0.secure: '],
    [
      'a plain connection to another machine',
      {
        ...atm,
        ports: [
          { port: 443, secure: true },
          { port: 5846, secure: false },
        ],
      },
      'devices.ports.1.secure: a connection to another machine (10.0.0.5) is encrypted',
    ],
    ['tokens that are optional', { ...atm, tokens: 'optional' }, 'devices.tokens: '],
    ['a store without devices', { kind: 'store' }, 'devices.hid: neither hid nor escpos names a device'],
    ['a device with another driver', { kind: 'store', hid: { cashDispenser: {} } }, '"cashDispenser" at devices.hid'],
    ['a pad of no maker', { kind: 'store', hid: { pinPad: { productId: 'a02a' } } }, 'devices.hid.pinPad.vendorId: '],
    [
      'an id that is a number',
      { kind: 'store', hid: { barcodeScanners: [{ vendorId: 1241 }] } },
      'barcodeScanners.0.vendorId',
    ],
    ['a printer on no line', printer({}), 'devices.escpos.receiptPrinter.line.kind: '],
    ['a printer on port 0', printer({ kind: 'tcp', host: 'a', port: 0 }), 'receiptPrinter.line.port: '],
  ])('are refused with %s', (_, devices, says) => {
    expect(refused({ devices })).toContain(says);
  });

  it('of every example in docs/devices.md are taken', () => {
    const page = readFileSync('docs/devices.md', 'utf8');
    const examples = [...page.matchAll(/```json\n([^`]*)```/g)].map(([, text = '']) => JSON.parse(text) as object);
    expect(examples.map((example) => devicesOf(example).kind)).toEqual(['xfs4iot', 'xfs4iot', 'store', 'xfs4iot']);
  });

  it('of this machine may be spoken to plainly', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1']) {
      expect(devicesOf({ ...atm, host, ports: [{ port: 5846, secure: false }] })).toMatchObject({ host });
    }
  });
});

describe('a configuration file', () => {
  it('is read', () => {
    const path = join(dir, 'good.json');
    writeFileSync(path, JSON.stringify(NEEDED));
    expect(loadConfig(path)).toMatchObject(NEEDED);
  });

  it('that is missing is named', () => {
    const path = join(dir, 'missing.json');
    expect(refusal(() => loadConfig(path))).toBe(`${path}: cannot be read (ENOENT)`);
  });

  it('that is a folder is named', () => {
    expect(refusal(() => loadConfig(dir))).toBe(`${dir}: cannot be read (EISDIR)`);
  });

  it.each(['', '{', '{"name": "ATM 1",}', 'name = "ATM 1"'])('that is not JSON (%j) is named', (text) => {
    const path = join(dir, 'bad.json');
    writeFileSync(path, text);
    expect(refusal(() => loadConfig(path))).toContain(`${path}: is not JSON (`);
  });

  it('is named when a key does not fit', () => {
    const path = join(dir, 'unfit.json');
    writeFileSync(path, JSON.stringify({ ...NEEDED, speed: 2 }));
    expect(refusal(() => loadConfig(path))).toBe(`${path}: unknown key "speed" at the top level`);
  });
});

function scene(url: string): object {
  return { camera: { kind: 'scene', background: '#000000', layers: [{ kind: 'video', url }] } };
}
