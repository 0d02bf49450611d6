/** `npm run crash`: real processes, killed at random moments of transactions, and the sums afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crash, type RunResult } from './crash.ts';
import { line, table } from './report.ts';

const HELP = `Starts a bank, an ATM, a checkout and their devices as processes of their own, plays deposits, withdrawals, transfers and
purchases, kills one process in each (SIGKILL), starts it again, and checks from the files and the bank's tables that every yen is accounted for.

  npm run crash -- [--runs N] [--seed S] [--runs-per-world N] [--keep]

  --runs N            how many kills (default 20)
  --seed S            of what is done and when it is aimed at (default: the time); real processes decide the rest
  --runs-per-world N  runs before everything starts from a fresh copy (default 25)
  --keep              keeps the last world's files; those of a violation stay in any case
  --help              this text

Exit code 0 only with no violation. Ctrl-C ends every process it started.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20' },
      seed: { type: 'string' },
      'runs-per-world': { type: 'string', default: '25' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const runs = wholeNumber('--runs', values.runs);
  const runsPerWorld = wholeNumber('--runs-per-world', values['runs-per-world']);
  const seed = values.seed === undefined ? Date.now() % 2 ** 32 : wholeNumber('--seed', values.seed);
  const dir = mkdtempSync(join(tmpdir(), 'kaopass-crash-'));
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));
  console.log(`seed ${seed}; ${runs} runs in ${dir}`);
  const from = performance.now();
  const results: RunResult[] = [];
  try {
    await crash({
      runs,
      seed,
      runsPerWorld,
      services: ['deposit', 'withdraw', 'transfer', 'purchase'],
      dir,
      onResult: (result) => {
        results.push(result);
        console.log(line(result));
      },
      signal: interrupted.signal,
    });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.log('interrupted: everything that was started is ended');
    process.exitCode = 130;
  }
  const violated = results.filter(({ violations }) => violations.length > 0);
  console.log(`\n${table(results)}\n`);
  const minutes = ((performance.now() - from) / 60_000).toFixed(1);
  console.log(`${results.length} runs, ${violated.length} violated, in ${minutes} minutes; seed ${seed}`);
  for (const { keptIn, violations } of violated) console.log(`  ${keptIn}: ${violations.join('; ')}`);
  if (violated.length > 0 || (results.length < runs && !interrupted.signal.aborted)) process.exitCode = 1;
  else if (!values.keep) rmSync(dir, { recursive: true, force: true });
}

function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number > 0) return number;
  console.error(`${flag} must be a whole number above 0, not ${text}`);
  process.exit(2);
}

await main();
