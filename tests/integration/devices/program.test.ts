/**
 * The simulated devices as a program: how they start, how they say that they cannot, how they stop. What keeps them from starting is
 * mostly asked of their start within the test's own process; that the program says it and ends is shown of the program.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDevices } from '../../../src-devices/main.ts';
import { readOptions, StartError } from '../../../src-devices/options.ts';

const MAIN = resolve('src-devices/main.ts');

interface Ready {
  readonly ready: true;
  readonly publisher: string;
  readonly control: string;
  readonly services: readonly string[];
}

let state: string;
const running = new Set<ChildProcessWithoutNullStreams>();
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  rmSync(state, { recursive: true, force: true });
});

function start(...flags: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...flags], {
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
  running.add(child);
  return child;
}
const usual = (...more: string[]) => ['--state', state, '--port', '0', '--json', ...more];

async function ready(child: ChildProcessWithoutNullStreams): Promise<Ready> {
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const line = await Promise.race([
    once(child.stdout, 'data').then(([chunk]) => String(chunk)),
    once(child, 'exit').then(() => {
      throw new Error(`the devices ended: ${errors}`);
    }),
  ]);
  return JSON.parse(line) as Ready;
}

async function ended(child: ChildProcessWithoutNullStreams) {
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

async function api(control: string, path: string, body?: object) {
  const url = new URL(control);
  const response = await fetch(new URL(path, url), {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${url.searchParams.get('token')}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as { ok: boolean; state: { printer: { paper: number }; pin: { keys: string[] } } };
}

describe('the devices program', () => {
  it('says where it is, serves its page, and closes on SIGTERM', async () => {
    const child = start(...usual());
    const said = await ready(child);
    expect(said).toMatchObject({
      ready: true,
      publisher: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/xfs4iot\/v1\.0$/),
    });
    expect(said.services).toEqual(expect.arrayContaining(['PinPad1', 'ReceiptPrinter1', 'BarcodeReader1', 'Lights1']));
    expect(await (await fetch(said.control)).text()).toContain('Kaopass Devices');
    child.kill('SIGTERM');
    expect(await ended(child)).toMatchObject({ code: 0, err: '' });
    expect(existsSync(join(state, 'running.pid'))).toBe(false);
  });

  it('speaks to people without --json', async () => {
    const child = start('--state', state, '--port', '0');
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect(String(said)).toMatch(/are ready[\s\S]*ws:\/\/127[\s\S]*http:\/\/127/);
    expect(String(said)).not.toContain('{');
  });

  it('remembers paper and keys after it was killed, and never shows a key', async () => {
    const file = join(state, 'keys-of-the-operator.json');
    const value = '00112233445566778899AABBCCDDEEFF';
    writeFileSync(
      file,
      JSON.stringify({ hostKey: '0'.repeat(64), pinKeys: [{ name: 'BankPin', algorithm: 'A', value }] }),
    );
    const child = start(...usual('--keys', file));
    const first = await ready(child);
    await api(first.control, '/api/paper', { receipts: 77 });
    child.kill('SIGKILL');
    await ended(child);
    const again = await ready(start(...usual()));
    const answer = await api(again.control, '/api/state');
    expect([answer.state.printer.paper, answer.state.pin.keys]).toEqual([77, ['BankPin']]);
    expect(JSON.stringify(answer)).not.toContain(value);
  });

  it('prints how it is used', async () => {
    const { code, out } = await ended(start('--help'));
    expect(code).toBe(0);
    for (const flag of ['--state', '--port', '--control-port', '--keys', '--security', '--dialect', '--speed']) {
      expect(out).toContain(flag);
    }
  });
});

describe('the devices program says in one sentence, and ends with 1,', () => {
  const ends = async (child: ChildProcessWithoutNullStreams) => {
    const { code, out, err } = await ended(child);
    expect([code, out]).toEqual([1, '']);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(/^kaopass-devices: /);
    return err;
  };
  /** What the program says, by its start within this process. */
  const refusal = async (...flags: string[]) => {
    const error = await starting(flags).then(
      () => 'it started',
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(StartError);
    const { message } = error as StartError;
    expect(message.split('\n')).toHaveLength(1);
    return message;
  };
  const starting = async (flags: readonly string[]) => {
    const options = readOptions(flags);
    if (options === 'help') throw new Error('asked for help');
    const { machine, control, unlock } = await startDevices(options);
    await Promise.all([machine.close(), control.close()]);
    unlock();
  };

  it('what is wrong with a flag', async () => {
    expect(await ends(start('--state', state, '--port', 'many'))).toMatch(/--port must be 0 to 65535, not many/);
  });

  it.each([
    [['--profile', 'gate'], /--profile must be one of atm, checkout, not gate/],
    [['--speed', '0'], /--speed must be a number above 0, not 0/],
    [['--dialect', 'klingon'], /--dialect has no switch klingon/],
    [['--dialect', 'success=maybe'], /--dialect success must be one of sent, omitted, not maybe/],
    [['--colour', 'red'], /--colour/],
    [['--tls-cert', 'cert.pem'], /--tls-key is missing/],
    [['--tls-cert', '/nowhere/cert.pem', '--tls-key', '/nowhere/key.pem'], /--tls-cert .* cannot be read/],
    [['--keys', '/nowhere/keys.json'], /key file .* cannot be read/],
  ])('what is wrong with %j', async (flags, sentence) => {
    expect(await refusal('--state', state, ...flags)).toMatch(sentence);
  });

  it('which field of the key file does not fit, without repeating a key', async () => {
    const file = join(state, 'keys.json');
    writeFileSync(file, JSON.stringify({ hostKey: 'ABCDEF0123', pinKeys: [] }));
    const sentence = await refusal(...usual('--keys', file));
    expect(sentence).toMatch(/hostKey: .*64 hexadecimal digits/);
    expect(sentence).not.toContain('ABCDEF0123');
    writeFileSync(file, '{"hostKey": "ABCDEF0123"');
    expect(await refusal(...usual('--keys', file))).toMatch(/is not JSON$/);
  });

  it('that the ports are in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    expect(await refusal('--state', state, '--port', String(port))).toContain(
      `no free port on 127.0.0.1: tried ${port}`,
    );
    const control = await ends(start(...usual('--control-port', String(port))));
    expect(control).toContain(`control port ${port} on 127.0.0.1 is in use`);
    other.close();
  });

  it('that the state folder is used by another, cannot be written, or is damaged', async () => {
    const first = start(...usual());
    await ready(first);
    expect(await refusal(...usual())).toMatch(/state folder .* is in use by process \d+/);
    first.kill('SIGTERM');
    await ended(first);
    expect(readdirSync(state)).toContain('printer.json');
    const before = readFileSync(join(state, 'printer.json'), 'utf8').slice(0, -9);
    writeFileSync(join(state, 'printer.json'), before);
    expect(await refusal(...usual())).toMatch(/printer\.json is damaged/);
    expect(readFileSync(join(state, 'printer.json'), 'utf8')).toBe(before);
    expect(await refusal('--state', join(state, 'printer.json', 'inside'))).toMatch(
      /state folder .* cannot be written/,
    );
  });
});
