/**
 * What a technician, a disk or a neighbour program can get wrong before a terminal runs, through its real entry points: each
 * is refused in one sentence that names what was wrong, and leaves every file as it was.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, runProgram } from '../../scripts/demo/processes.ts';
import type { Bank } from '../../src-bank/bank.ts';
import { systemClock as bankClock } from '../../src-bank/clock.ts';
import { inOneLine, runInChromium } from '../../src-main/chromium.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { loadConfig, parseConfig } from '../../src-main/config/config.ts';
import { asidePath } from '../../src-main/gallery/open-or-pull-again.ts';
import { openFileKeyStore } from '../../src-main/identity/file-key-store.ts';
import { openIdentity } from '../../src-main/identity/identity.ts';
import { exampleResult } from '../../src-main/journal/journal.fixture.ts';
import { openJournal } from '../../src-main/journal/journal.ts';
import { checkoutInstallation, dataPlaces, type Installation } from '../../src-main/places.ts';
import { runCli } from '../../src-main/provisioning/cli.ts';
import { startTerminal, type Terminal } from '../../src-main/terminal.ts';
import { emptyBank } from '../support/bank-database.ts';
import { ADMIN_TOKEN, openBank } from './bank/banks.ts';

const dir = mkdtempSync(join(tmpdir(), 'kaopass-bad-input-'));
/** In this process, and over a port: nothing here is asked of it but activations. */
let bank: Bank | undefined;
let bankUrl = '';
/** An activated ATM that ran, was stopped, and has a result to deliver. Tests break copies of it. */
const sound = join(dir, 'sound');
const installation = checkoutInstallation(ROOT);
let copies = 0;

beforeAll(async () => {
  await openTheBank();
  expect(await activateHere(sound, await activationCode())).toMatchObject({ code: 0 });
  await (await start(sound)).close();
  await closeTheBank();
  const places = dataPlaces(sound);
  const identity = await openIdentity({
    keyStore: await openFileKeyStore(places.keys),
    clock: systemClock,
    chance: systemChance,
  });
  const journal = openJournal({
    path: places.journal,
    clock: systemClock,
    chance: systemChance,
    signer: identity,
    onAlarm: () => {},
  });
  await journal.recordResult(exampleResult());
  journal.close();
});
afterAll(async () => {
  await closeTheBank();
  rmSync(dir, { recursive: true, force: true });
});

async function openTheBank(): Promise<void> {
  bank = await openBank(await emptyBank(), bankClock);
  bankUrl = await bank.app.listen({ host: '127.0.0.1', port: 0 });
}

async function closeTheBank(): Promise<void> {
  await bank?.close();
  bank = undefined;
}

async function activationCode(expiresInS = 600): Promise<string> {
  const response = await fetch(`${bankUrl}/admin/activation-codes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ profile: 'atm', expiresInS }),
  });
  return ((await response.json()) as { code: string }).code;
}

function activate(dataDir: string, code: string) {
  return runProgram('src-main/provisioning/cli.ts', [
    ...['activate', '--data', dataDir, '--bank', bankUrl, '--code', code, '--name', 'ATM 1', '--profile', 'atm'],
  ]);
}

/** The same command within this process: what it says is not of how it was started. */
async function activateHere(dataDir: string, code: string) {
  const said: string[] = [];
  const print = (text: string) => void said.push(text);
  const exit = await runCli(
    ['activate', '--data', dataDir, '--bank', bankUrl, '--code', code, '--name', 'ATM 1', '--profile', 'atm'],
    { fetch, out: print, err: print, signal: AbortSignal.timeout(60_000) },
  );
  return { code: exit, output: said.join('').trim() };
}

function start(dataDir: string, change: { config?: object; installation?: Partial<Installation> } = {}) {
  const file = loadConfig(dataPlaces(dataDir).config);
  // With devices in this program, whose files can be damaged, too.
  const config = parseConfig({ ...file, devices: { kind: 'simulated' }, ...change.config }, 'kaopass.json');
  return startTerminal({
    config,
    dataDir,
    installation: { ...installation, ...change.installation },
    clock: systemClock,
    chance: systemChance,
    log: pino({ level: 'silent' }),
  });
}

function copyOfSound(): string {
  const copy = join(dir, `copy-${++copies}`);
  cpSync(sound, copy, { recursive: true });
  chmodSync(dataPlaces(copy).keys, 0o700); // A copied folder is everybody's.
  return copy;
}

/** Every file of a data directory that holds anything, and its SHA-256. The lock does not, nor do SQLite's index of a log and an
 *  empty log. Of a journal that was opened, everything but what it remembers of the time. */
function fingerprint(dataDir: string, journalOpened: boolean): Record<string, string> {
  const { journal } = dataPlaces(dataDir);
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => !path.endsWith('running.lock') && !path.endsWith('-shm'))
      .filter((path) => !path.endsWith('-wal') || readFileSync(path).length > 0)
      .map((path) => {
        const content = journalOpened && path === journal ? rowsOf(path) : readFileSync(path);
        return [path, createHash('sha256').update(content).digest('hex')] as const;
      })
      .sort(([a], [b]) => a.localeCompare(b)),
  );
}

function rowsOf(path: string): string {
  const database = new Database(path, { readonly: true });
  const tables = database
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' ORDER BY name")
    .pluck();
  const rows = tables.all().map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]);
  database.close();
  return JSON.stringify(rows);
}

/** The start fails with this, and every file is as it was; so a terminal whose fault is mended starts as before. */
async function expectRefused(
  dataDir: string,
  starting: () => Promise<Terminal>,
  error: { code: string; naming: string; journalOpened?: boolean },
): Promise<void> {
  const { journalOpened = false } = error;
  const before = fingerprint(dataDir, journalOpened);
  const refusal = await starting().then(
    async (terminal) => {
      await terminal.close();
      return { code: 'none', message: 'it started' };
    },
    (cause: { code?: string; message: string }) => ({ code: cause.code, message: cause.message }),
  );
  expect(refusal).toEqual({ code: error.code, message: expect.stringContaining(error.naming) });
  expect(fingerprint(dataDir, journalOpened)).toEqual(before);
}

describe('a configuration that does not fit ends the program with 1 and one sentence:', () => {
  const NEEDED = { name: 'ATM 1', profile: 'atm', bankUrl: 'http://127.0.0.1:1' };
  /** What the program ends with, by its start within this process. */
  const run = async (...args: string[]) => {
    const error: unknown = await runInChromium(args).then(
      () => new Error('it started'),
      (cause: unknown) => cause,
    );
    return inOneLine(error);
  };

  it.each<[string, string, string]>([
    ['an unknown key', JSON.stringify({ ...NEEDED, speeed: 2 }), 'unknown key "speeed" at the top level'],
    ['an unknown key in a group', JSON.stringify({ ...NEEDED, screen: { prot: 1 } }), 'unknown key "prot" at screen'],
    ['a bad value', JSON.stringify({ ...NEEDED, patience: { takeMs: '30 s' } }), 'patience.takeMs: '],
    ['a service of another profile', JSON.stringify({ ...NEEDED, services: ['purchase'] }), 'services: '],
    ['no JSON', '{"name": "ATM 1",', 'is not JSON'],
  ])('%s', async (_, text, naming) => {
    const dataDir = mkdtempSync(join(dir, 'config-'));
    const path = join(dataDir, 'kaopass.json');
    writeFileSync(path, text);
    const output = await run('--data', dataDir);
    expect(output.split('\n')).toHaveLength(1);
    for (const part of ['CONFIG_INVALID', path, naming]) expect(output).toContain(part);
    expect(readdirSync(dataDir)).toEqual(['kaopass.json']);
  });

  it('none at all', async () => {
    const dataDir = mkdtempSync(join(dir, 'config-'));
    const { code, output } = await runProgram('src-main/chromium.ts', ['--data', dataDir]);
    expect([code, output]).toEqual([1, `CONFIG_INVALID: ${join(dataDir, 'kaopass.json')}: cannot be read (ENOENT)`]);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it.each([
    ['no data directory', [], '--data is missing'],
    ['a flag nobody knows', ['--data', dir, '--fast'], '--fast'],
  ])('%s', async (_, args, naming) => {
    const output = await run(...args);
    expect(output.split('\n')).toHaveLength(1);
    expect(output).toContain(naming);
  });

  it('goods that are missing, named with their file', async () => {
    const dataDir = copyOfSound();
    await expectRefused(dataDir, () => start(dataDir, { config: { goods: 'goods.json' } }), {
      code: 'CONFIG_INVALID',
      naming: join(dataDir, 'goods.json'),
    });
  });
});

describe('a model that is not as its manifest says keeps the terminal from starting:', () => {
  /** A copy of manifests and weights, to be broken. */
  function models(): { modelsDir: string; weightsDir: string } {
    const at = mkdtempSync(join(dir, 'models-'));
    const [modelsDir, weightsDir] = [join(at, 'manifests'), join(at, 'weights')];
    cpSync(installation.modelsDir, modelsDir, { recursive: true });
    cpSync(installation.weightsDir, weightsDir, { recursive: true });
    return { modelsDir, weightsDir };
  }
  const edit = (path: string, change: (bytes: Buffer) => Buffer) => writeFileSync(path, change(readFileSync(path)));

  it.each<[string, (at: { modelsDir: string; weightsDir: string }) => void, string, string]>([
    [
      'weights missing',
      ({ weightsDir }) => rmSync(join(weightsDir, 'embedder.onnx')),
      'MODEL_MISSING',
      'embedder.onnx',
    ],
    [
      'one byte of the weights altered',
      ({ weightsDir }) =>
        edit(join(weightsDir, 'fr_liveness.onnx'), (bytes) => {
          bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
          return bytes;
        }),
      'MODEL_ALTERED',
      'fr_liveness.onnx',
    ],
    [
      'weights cut short',
      ({ weightsDir }) => truncateSync(join(weightsDir, 'fr_detect.onnx'), 1_000),
      'MODEL_ALTERED',
      'fr_detect.onnx',
    ],
    [
      'a manifest missing',
      ({ modelsDir }) => rmSync(join(modelsDir, 'landmarks.json')),
      'MODEL_MISSING',
      'landmarks.json',
    ],
    [
      'a manifest that is not JSON',
      ({ modelsDir }) => writeFileSync(join(modelsDir, 'embedder.json'), '{'),
      'MODEL_MANIFEST_INVALID',
      'embedder.json',
    ],
    [
      'a manifest with a field that does not fit',
      ({ modelsDir }) =>
        edit(join(modelsDir, 'detector.json'), (bytes) =>
          Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), bytes: 'many' })),
        ),
      'MODEL_MANIFEST_INVALID',
      'bytes',
    ],
  ])('%s', async (_, breakIt, code, naming) => {
    const dataDir = copyOfSound();
    const changed = models();
    breakIt(changed);
    await expectRefused(dataDir, () => start(dataDir, { installation: changed }), { code, naming });
  });
});

describe('a database that is not as it was left keeps the terminal from starting, and is not touched:', () => {
  const overwrite = (path: string, atByte: number, bytes: Uint8Array) => {
    const content = readFileSync(path);
    content.set(bytes, atByte);
    writeFileSync(path, content);
  };
  /** Where the second page begins (SQLite's file format, 1.3.2). */
  const secondPage = (path: string) => readFileSync(path).readUInt16BE(16);
  const noise = Uint8Array.from({ length: 64 }, (_, i) => (i * 151 + 7) % 256);
  const newer = (path: string) => {
    const database = new Database(path);
    database.prepare("INSERT INTO schema_migrations VALUES (99, 'from the future', 0)").run();
    database.close();
  };
  type Kind = 'journal' | 'gallery';

  it.each<[string, Kind, (path: string) => void, string]>([
    ['a journal with another header', 'journal', (path) => overwrite(path, 0, noise), 'DATABASE_CORRUPT'],
    [
      'a journal with a page overwritten',
      'journal',
      (path) => overwrite(path, secondPage(path), noise),
      'DATABASE_CORRUPT',
    ],
    [
      'a journal whose last result was altered',
      'journal',
      (path) => {
        // Once in the chain, once in the outbox.
        for (const { index } of readFileSync(path, 'latin1').matchAll(/eyJhbGciOiJFZERTQSIs/g)) {
          overwrite(path, index + 200, Buffer.from('AAAA'));
        }
      },
      'DATABASE_CORRUPT',
    ],
    ['a journal cut short', 'journal', (path) => truncateSync(path, 5_000), 'DATABASE_CORRUPT'],
    ['a journal of a newer version', 'journal', newer, 'DATABASE_NEWER'],
    [
      'another kind of database',
      'journal',
      (path) => cpSync(path.replace('journal', 'gallery'), path),
      'DATABASE_CORRUPT',
    ],
    ['a gallery of a newer version', 'gallery', newer, 'DATABASE_NEWER'],
  ])('%s', async (_, kind, breakIt, code) => {
    const dataDir = copyOfSound();
    const path = dataPlaces(dataDir)[kind];
    breakIt(path);
    await expectRefused(dataDir, () => start(dataDir), { code, naming: path, journalOpened: kind === 'gallery' });
  });

  it.each<[string, (path: string) => void]>([
    ['with another header', (path) => overwrite(path, 0, noise)],
    ['with a page overwritten', (path) => overwrite(path, secondPage(path), noise)],
    ['cut short', (path) => truncateSync(path, 5_000)],
  ])('but for a gallery %s, which the bank can give again: it is moved aside', async (_, breakIt) => {
    const dataDir = copyOfSound();
    const path = dataPlaces(dataDir).gallery;
    breakIt(path);
    const damaged = readFileSync(path);
    await (await start(dataDir)).close();
    expect(readFileSync(asidePath(path)).equals(damaged)).toBe(true);
  });
});

it('what SQLite says of damage, in several lines, is one line on standard error', async () => {
  const dataDir = copyOfSound();
  const { journal } = dataPlaces(dataDir);
  writeFileSync(journal, readFileSync(journal).fill(7, 4096, 4160));
  const { code, output } = await runProgram('src-main/chromium.ts', ['--data', dataDir, '--log-level', 'silent']);
  expect([code, output.split('\n').length]).toEqual([1, 1]);
  expect(output).toContain(`DATABASE_CORRUPT: the database ${journal} is damaged`);
});

describe('what another program holds', () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => new Promise((resolve) => taken.close(resolve)));

  it('is named: the port of the screen', async () => {
    const dataDir = mkdtempSync(join(dir, 'port-'));
    const config = { name: 'ATM 1', profile: 'atm', bankUrl: 'http://127.0.0.1:1', screen: { port, headless: true } };
    writeFileSync(join(dataDir, 'kaopass.json'), JSON.stringify(config));
    const { code, output } = await runProgram('src-main/chromium.ts', ['--data', dataDir, '--log-level', 'silent']);
    expect([code, output]).toEqual([1, `PORT_IN_USE: screen: port ${port} of 127.0.0.1 is in use`]);
  });

  it('is named: the port of the devices’ control panel', async () => {
    const dataDir = copyOfSound();
    const config = { devices: { kind: 'simulated', controlPort: port } };
    await expectRefused(dataDir, () => start(dataDir, { config }), {
      ...{ code: 'PORT_IN_USE', naming: String(port) },
      journalOpened: true,
    });
  });

  it('is named: the data directory', async () => {
    const dataDir = mkdtempSync(join(dir, 'running-'));
    const config = { name: 'ATM 1', profile: 'atm', bankUrl: 'http://127.0.0.1:1', screen: { headless: true } };
    writeFileSync(join(dataDir, 'kaopass.json'), JSON.stringify(config));
    const running = await start(dataDir);
    try {
      const { code, output } = await runProgram('src-main/chromium.ts', ['--data', dataDir, '--log-level', 'silent']);
      expect([code, output]).toEqual([1, `ALREADY_RUNNING: ${dataDir} is in use by process ${process.pid}`]);
      expect(await activate(dataDir, 'ABCD-EFGH-2345')).toMatchObject({
        code: 1,
        output: `${dataDir} is in use by process ${process.pid} (ALREADY_RUNNING)`,
      });
    } finally {
      await running.close();
    }
  });
});

describe('an activation code', () => {
  beforeAll(openTheBank);

  /** A code that has expired when this resolves. */
  async function shortLivedCode(): Promise<string> {
    const code = await activationCode(1);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    return code;
  }

  it('that is unknown, was used or has expired is refused, and the next good one activates', async () => {
    const dataDir = join(dir, 'coded');
    mkdirSync(dataDir);
    const [used, expired] = [await activationCode(), await shortLivedCode()];
    expect(await activateHere(join(dir, 'first-come'), used)).toMatchObject({ code: 0 });
    for (const [code, why] of [
      ['ABCD-EFGH-2345', 'does not know'],
      [used, 'used before'],
      [expired, 'has expired'],
    ] as const) {
      const refused = await activateHere(dataDir, code);
      expect(refused).toEqual({ code: 1, output: expect.stringContaining(why) });
      expect(refused.output.split('\n')).toHaveLength(1);
      expect(readdirSync(dataDir)).not.toContain('kaopass.json');
    }
    expect(await activateHere(dataDir, await activationCode())).toMatchObject({ code: 0 });
    expect(await activateHere(dataDir, await activationCode())).toEqual({
      code: 1,
      output: expect.stringContaining('ALREADY_ACTIVATED'),
    });
  });
});
