import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockData } from './running-lock.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-lock-'));
  path = join(dir, 'running.lock');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Another process that holds the lock, until it is ended. */
async function holder(): Promise<ChildProcess> {
  const module = new URL('running-lock.ts', import.meta.url).href;
  const script = `import { lockData } from ${JSON.stringify(module)};
    lockData(${JSON.stringify(path)}); console.log('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.stdout?.once('data', resolve);
    child.once('exit', () => reject(new Error('the holder ended')));
  });
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

describe('the lock of a data directory', () => {
  it('makes the directory, holds until released, and can be taken again', () => {
    path = join(dir, 'new', 'running.lock');
    const release = lockData(path);
    expect(readFileSync(join(dir, 'new', 'running.pid'), 'utf8')).toBe(String(process.pid));
    expect(() => lockData(path)).toThrowError(expect.objectContaining({ code: 'ALREADY_RUNNING' }));
    release();
    expect(existsSync(join(dir, 'new', 'running.pid'))).toBe(false);
    lockData(path)();
  });

  it('held by another process is refused, naming directory and process', async () => {
    const child = await holder();
    try {
      expect(() => lockData(path)).toThrowError(
        expect.objectContaining({ code: 'ALREADY_RUNNING', message: `${dir} is in use by process ${child.pid}` }),
      );
    } finally {
      await kill(child);
    }
  });

  it('ends with a process that was killed', async () => {
    await kill(await holder());
    lockData(path)();
  });

  it('is not held by a process id that a power cut left behind, whoever has that id now', () => {
    writeFileSync(join(dir, 'running.pid'), String(process.ppid));
    const release = lockData(path);
    expect(readFileSync(join(dir, 'running.pid'), 'utf8')).toBe(String(process.pid));
    release();
  });

  it('that cannot be taken because of the directory is refused naming it, and nothing is held', () => {
    mkdirSync(path);
    expect(() => lockData(path)).toThrowError(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(dir) }),
    );
    rmSync(path, { recursive: true });
    lockData(path)();
  });
});
