/** Starts the real programs as processes of their own and waits until they say that they are ready. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Two cores under load start a browser in 5 s and load models in 2; ms. */
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

/** These programs share few cores: each looks through its memory on the thread that fills it. Further ones take more than they give. */
export const FEW_CORES: readonly string[] = ['--single-threaded-gc'];
/**
 * A camera's frames pass through a program as memory that is used once, and V8 looks through all else it holds for each sixteen of them:
 * that took as long as a look itself. So it grows fivefold before. V8 then compiles Node's own modules anew at the start, a tenth of a
 * second or two: for programs in which people look for a while.
 */
export const FRAMES_PASS: readonly string[] = ['--heap-growing-percent=400'];

export interface Program {
  /** What the program said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly pid: number;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL when that is not enough. */
  stop(): Promise<void>;
  /** SIGKILL: the process ends where it stands, as by a power cut. */
  kill(): Promise<void>;
}

/** Runs one of the project's programs under this Node, with flags for Node itself. Its log goes to logFile. Rejects with its last
 *  words when it ends before it is ready. */
export async function startProgram(
  script: string,
  args: readonly string[],
  logFile: string,
  nodeFlags: readonly string[] = [],
): Promise<Program> {
  const child = spawn(process.execPath, [...FEW_CORES, ...nodeFlags, join(ROOT, script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: ROOT,
  });
  child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${script} was not ready within ${READY_MS_MAX / 1000} s`)),
      READY_MS_MAX,
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = parse(line);
      if (said?.['ready'] !== true) return;
      clearTimeout(timer);
      resolve(said);
    });
    void exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`${script} ended (${code}) before it was ready: ${lastWords(logFile)}`));
    });
  });
  try {
    const said = await ready;
    const kill = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    return { ready: said, pid: child.pid ?? -1, exited, stop: () => stop(child, exited), kill };
  } catch (error) {
    await stop(child, exited);
    throw error;
  }
}

/** Runs a program to its end. */
export async function runProgram(
  script: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: ROOT,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', (exit) => resolve(exit)));
  return { code, output: output.trim() };
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(timer);
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function lastWords(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').trim().split('\n').slice(-3).join(' | ');
  } catch {
    return '(it said nothing)';
  }
}
