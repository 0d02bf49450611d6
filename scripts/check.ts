/**
 * `npm run check`: types, lint, import rules, unused code. As many parts at a time as the machine has cores; every part runs to
 * its end, so that one run shows all there is to mend.
 *
 * The compiler remembers in node_modules/.cache what it has checked, by the contents of files, and looks again at what changed.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** A compiler takes 1 GB for the largest project. */
const LANES_MAX = 4;
/** The compiler is a Go program that runs for seconds: all it ever allocates is little more than what it keeps, and to look for what
 *  it no longer needs was a sixth of its work. Beyond the limit it looks after all. */
const NO_COLLECTION = { GOGC: 'off', GOMEMLIMIT: '2GiB' };

const types = (project: string) => {
  const memory = `node_modules/.cache/tsc/${project}.tsbuildinfo`;
  return [
    `types of ${project}`,
    'tsc',
    '--noEmit',
    '--singleThreaded', // The lanes are its threads.
    '--incremental',
    '--tsBuildInfoFile',
    memory,
    '-p',
    project,
  ] as const;
};

/** The longest first, so that none is left alone at the end. */
const PARTS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  types('tests'),
  types('src-main'),
  ['unused code', 'knip'],
  [
    ...['import rules', 'depcruise', 'src-contract', 'src-main', 'src-bank', 'src-devices', 'src-renderer'],
    ...['--config', '.dependency-cruiser.cjs'],
  ] as [string, string, ...string[]],
  types('src-renderer'),
  types('src-bank'),
  types('src-devices'),
  types('src-contract'),
  ['lint', 'biome', 'check'],
];

/** A part's exit code and everything it said. */
function run(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const path = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...NO_COLLECTION, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32', // Where npm's commands are batch files.
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

const waiting = [...PARTS];
async function lane(): Promise<void> {
  for (let part = waiting.shift(); part; part = waiting.shift()) {
    const [name, command, ...args] = part;
    const from = performance.now();
    const { code, output } = await run(command, args);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    if (code === 0) {
      console.log(`ok      ${name} (${seconds} s)`);
    } else {
      process.exitCode = 1;
      console.log(`FAILED  ${name} (${seconds} s): ${[command, ...args].join(' ')}\n${output.trimEnd()}`);
    }
  }
}

await Promise.all(Array.from({ length: Math.min(LANES_MAX, availableParallelism()) }, lane));
