/**
 * npm run simulate: whole terminals, their devices and the bank, in one process and on virtual time, with everything going wrong
 * that a seed can think of, and the books checked by somebody who knows nothing of the code. See docs/money.md, "Simulation".
 */
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { BankRoom } from '../tests/simulation/bank-room.ts';
import { workOnTheSpot } from '../tests/simulation/on-the-spot.ts';
import { runStory } from '../tests/simulation/run.ts';
import { NOTHING_RUN, RUNS_DEFAULT, simulate, type Totals, tableOf, together } from '../tests/simulation/simulate.ts';
import { makeStory, sentenceOf } from '../tests/simulation/story.ts';

const HELP = `npm run simulate -- [options]
  --seed N      the first seed (1)
  --runs N      how many runs, each of the next seed (${RUNS_DEFAULT})
  --hours H     how long things go wrong in each, virtual hours (drawn from the seed)
  --workers N   processes to share the runs (1)
  --story       one run, told line by line, with its trace's hash
Exit code 1 when a promise was broken.`;

/** Most of what a run makes is gone when it ends: looked through less often, it costs a twelfth less. */
const ROOMY_HEAP = '--max-semi-space-size=64';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: String(RUNS_DEFAULT) },
    hours: { type: 'string' },
    workers: { type: 'string', default: '1' },
    story: { type: 'boolean', default: false },
    /** For this program's own workers: totals as JSON on the last line. */
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const whole = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name}: "${text}" is no whole number from ${least} on\n\n${HELP}`);
  process.exit(2);
};

const from = whole('seed', values.seed, 0);
const runs = whole('runs', values.runs, 1);
const workers = whole('workers', values.workers, 1);
const hours = values.hours === undefined ? undefined : Number(values.hours);
if (hours !== undefined && !(hours > 0 && hours <= 1_000)) {
  console.error(`--hours: "${values.hours}" is no number of hours up to 1000\n\n${HELP}`);
  process.exit(2);
}
const storyOptions = hours === undefined ? {} : { hours };

if (values.help) console.log(HELP);
else if (values.story) process.exitCode = await tellStory();
else process.exitCode = await many();

async function tellStory(): Promise<number> {
  workOnTheSpot();
  const bank = await BankRoom.open();
  const story = makeStory(from, storyOptions);
  for (const item of story.items) console.log(sentenceOf(item));
  console.log();
  const { trace, violations } = await runStory(story, bank, { tell: (line) => console.log(line) });
  console.log(`\nseed ${from}: ${trace.lines} lines, SHA-256 ${trace.sha256}, ${violations.length} violations`);
  await bank.close();
  return violations.length > 0 ? 1 : 0;
}

async function many(): Promise<number> {
  const totals = workers === 1 ? await here() : await shared();
  if (values.json) console.log(JSON.stringify(totals));
  else console.log(tableOf(totals, commit()));
  return totals.violations.length > 0 ? 1 : 0;
}

async function here(): Promise<Totals> {
  workOnTheSpot();
  const bank = await BankRoom.open();
  let done = 0;
  const totals = await simulate(
    bank,
    { from, runs },
    {
      ...storyOptions,
      onRun: ({ seed, violations }) => {
        done += 1;
        if (violations.length > 0) console.error(`seed ${seed}: ${violations[0]?.promise}: ${violations[0]?.what}`);
        if (done % 100 === 0) console.error(`${done} of ${runs} runs`);
      },
    },
  );
  await bank.close();
  return totals;
}

async function shared(): Promise<Totals> {
  const share = Math.ceil(runs / workers);
  const shares = Array.from({ length: workers }, (_, at) => ({
    from: from + at * share,
    runs: Math.min(share, runs - at * share),
  })).filter((one) => one.runs > 0);
  const totals = await Promise.all(shares.map(worker));
  return totals.reduce(together, NOTHING_RUN());
}

function worker(share: { from: number; runs: number }): Promise<Totals> {
  const child = spawn(
    process.execPath,
    [
      ROOMY_HEAP,
      import.meta.filename,
      '--json',
      ...['--seed', String(share.from), '--runs', String(share.runs)],
      ...(hours === undefined ? [] : ['--hours', String(hours)]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let last = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    last = line;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 || code === 1) resolve(JSON.parse(last) as Totals);
      else reject(new Error(`a worker from seed ${share.from} on ended with code ${code}`));
    });
  });
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
