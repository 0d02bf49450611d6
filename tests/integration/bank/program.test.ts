/**
 * The bank as a program: how it starts, how it says that it cannot, how it stops. What keeps it from starting is mostly asked of its
 * start within the test's own process; that the program says it and ends is shown of the program, early and late.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BANK_NODE_FLAGS } from '../../../scripts/demo/bank.ts';
import { type StartedBank, startBank } from '../../../src-bank/main.ts';
import { readOptions } from '../../../src-bank/options.ts';
import { DEFAULT_POLICY } from '../../../src-bank/policy.ts';
import { StartError } from '../../../src-bank/problem.ts';
import { layEmptyBank } from '../../support/bank-database.ts';
import { adminOf, type Send, TestTerminal } from '../../support/test-terminal.ts';

const MAIN = resolve('src-bank/main.ts');

let data: string;
const running = new Set<ChildProcessWithoutNullStreams>();
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'kaopass-bank-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  rmSync(data, { recursive: true, force: true });
});

function start(...flags: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [...BANK_NODE_FLAGS, MAIN, ...flags], {
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  running.add(child);
  return child;
}

async function ready(child: ChildProcessWithoutNullStreams): Promise<{ url: string; database: string }> {
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const line = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    once(child, 'exit').then(() => {
      throw new Error(`the bank ended: ${errors}`);
    }),
  ]);
  return JSON.parse(line) as { url: string; database: string };
}

async function ended(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  running.delete(child);
  return { code, out, err };
}

const quiet = () => ['--port', '0', '--data', data, '--log-level', 'error'];

function over(url: string): Send {
  return async ({ method, url: path, headers, body }) => {
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, body: (await response.json()) as object };
  };
}

const adminToken = () => readFileSync(join(data, 'admin-token'), 'utf8').trim();

/** The program's own start, in this process. */
async function startHere(...flags: string[]): Promise<StartedBank> {
  const options = readOptions(flags, {});
  if (options === 'help') throw new Error('asked for help');
  return await startBank(options);
}

/** What the program says, by its start within this process. */
const refusal = async (...flags: string[]) => {
  const error = await startHere(...flags).then(
    async ({ bank }) => {
      await bank.close();
      throw new Error('it started');
    },
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(StartError);
  const { message } = error as StartError;
  expect(message.split('\n')).toHaveLength(1);
  return message;
};

describe('the bank program', () => {
  it('says when it is ready, keeps its secrets and its data directory to itself, and closes on SIGTERM', async () => {
    const child = start(...quiet());
    const said = await ready(child);
    expect(said).toEqual({
      ready: true,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      database: 'pglite',
    });
    expect((await over(said.url)({ method: 'GET', url: '/v1/health', headers: {} })).body).toEqual({
      status: 'ok',
      database: 'pglite',
      time: expect.any(Number),
    });
    for (const name of ['admin-token', 'bank-key']) expect(statSync(join(data, name)).mode & 0o777).toBe(0o600);
    expect(await refusal(...quiet())).toContain('is in use by another bank');
    child.kill('SIGTERM');
    expect(await ended(child)).toMatchObject({ code: 0, err: '' });
  });

  it('remembers everything after it was killed', async () => {
    await layEmptyBank(data);
    const child = start(...quiet());
    const { url } = await ready(child);
    const send = over(url);
    const terminal = await TestTerminal.activate(send, adminOf(send, adminToken()));
    const personId = await terminal.enrol('2749', { yen: 30_000 });
    child.kill('SIGKILL');
    await ended(child);
    const again = await startHere(...quiet());
    const afterwards = over(again.url);
    const { body } = await adminOf(afterwards, adminToken()).get<{ accounts: object[] }>('/admin/accounts');
    expect(body.accounts).toContainEqual(expect.objectContaining({ ownerId: personId, ledgerMinor: 30_000 }));
    expect(await terminal.through(afterwards).get('/v1/gallery?after=0')).toMatchObject({ status: 200 });
    await again.bank.close();
  });

  it('prints how it is used', async () => {
    const { code, out } = await ended(start('--help'));
    expect(code).toBe(0);
    for (const flag of ['--port', '--data', '--database-url', '--admin-token-file', '--log-level']) {
      expect(out).toContain(flag);
    }
  });
});

describe('the bank program says in one sentence, and ends with 1,', () => {
  const ends = async (child: ChildProcessWithoutNullStreams) => {
    const { code, out, err } = await ended(child);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(/^kaopass-bank: /);
    return err;
  };
  let made: string;
  beforeAll(async () => {
    made = mkdtempSync(join(tmpdir(), 'kaopass-bank-made-'));
    await layEmptyBank(made);
    const { bank } = await startHere('--port', '0', '--data', made, '--log-level', 'error');
    await bank.close();
  });
  afterAll(() => rmSync(made, { recursive: true, force: true }));
  /** The data of a bank that was started once and closed. */
  const copyMade = () => cpSync(made, data, { recursive: true });

  it('what is wrong with the flags', async () => {
    expect(await ends(start('--data', data, '--port', 'many'))).toMatch(/--port must be 0 to 65535, not many/);
  });

  it.each([
    ['--admin-token-file', /admin token .*none/],
    ['--policy', /policy .*none/],
  ])('that the file of %s is missing', async (flag, sentence) => {
    expect(await refusal(...quiet(), flag, join(data, 'none'))).toMatch(sentence);
  });

  it('that the port is in use, and leaves the database to the next', async () => {
    copyMade();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const sentence = await ends(start('--port', String(port), '--data', data, '--log-level', 'error'));
    expect(sentence).toBe(`kaopass-bank: port ${port} on 127.0.0.1 is in use by another program\n`);
    other.close();
    const { bank } = await startHere(...quiet());
    await bank.close();
  });

  it('that the data directory cannot be written', async () => {
    writeFileSync(join(data, 'file'), '');
    expect(await refusal('--port', '0', '--data', join(data, 'file', 'inside'))).toMatch(
      /data directory .* cannot be written/,
    );
  });

  it.each([
    ['without its control file', (directory: string) => rmSync(join(directory, 'pglite/global/pg_control'))],
    ['cut short', (directory: string) => truncateSync(join(directory, 'pglite/global/pg_control'), 10)],
    ['of another version', (directory: string) => writeFileSync(join(directory, 'pglite/PG_VERSION'), '9\n')],
  ])('that the database is damaged (%s)', async (_how, damage) => {
    copyMade();
    damage(data);
    expect(await refusal(...quiet())).toMatch(/database in .* cannot be opened, it is damaged/);
  });

  it('that the database is newer', async () => {
    copyMade();
    const database = await PGlite.create(join(data, 'pglite'));
    await database.query("insert into schema_migrations values (99, 'from the future', 0)");
    await database.close();
    expect(await refusal(...quiet())).toMatch(/version 99 \(from the future\), newer than version \d+ that/);
  });

  it('that the bank key is missing, another, or damaged', async () => {
    copyMade();
    const key = join(data, 'bank-key');
    rmSync(key);
    expect(await refusal(...quiet())).toMatch(/bank key .* is missing/);
    expect(existsSync(key)).toBe(false);
    writeFileSync(key, Buffer.alloc(32).toString('base64url'));
    expect(await refusal(...quiet())).toMatch(/does not open this database/);
    writeFileSync(key, 'short');
    expect(await refusal(...quiet())).toMatch(/is damaged/);
  });

  it('which field of the policy does not fit', async () => {
    const path = join(data, 'policy.json');
    writeFileSync(path, JSON.stringify({ ...DEFAULT_POLICY, lookAlikeFmr: 2, colour: 'red' }));
    const sentence = await refusal(...quiet(), '--policy', path);
    expect(sentence).toMatch(/lookAlikeFmr/);
    expect(sentence).toMatch(/colour/);
  });

  it('that the admin token is too short', async () => {
    const path = join(data, 'token');
    writeFileSync(path, 'short');
    chmodSync(path, 0o600);
    expect(await refusal(...quiet(), '--admin-token-file', path)).toMatch(/at least 16 characters/);
  });

  it('that PostgreSQL cannot be reached, without repeating the password', async () => {
    const sentence = await refusal(...quiet(), '--database-url', 'postgres://bank:secret@127.0.0.1:9/bank');
    expect(sentence).toMatch(/PostgreSQL database cannot be reached/);
    expect(sentence).not.toContain('secret');
  });
});
