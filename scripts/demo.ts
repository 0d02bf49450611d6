/** `npm run demo`: the demonstration, whatever display there is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { demonstrate, save } from './demo/demonstration.ts';

const HELP = `Plays the demonstration: one bank, one ATM, one checkout, recorded faces, a headless browser. The devices are
programs of their own that speak XFS4IoT; cash comes out under the bank's tokens only.

  npm run demo -- [--json FILE] [--keep] [--dir DIR] [--dialect NAME]

  --json FILE  writes the result: {ok, steps, accounts, cash, results, screenshots}
  --keep       leaves bank, terminals and logs for looking at; the screenshots stay in any case
  --dir DIR    where to put them (default: a new folder among the temporary files); what is in it is replaced
  --dialect NAME  how the devices speak: "flipped" for every difference of the standard's readings at once, or one
               switch as npm run devices -- --help lists them; may be given several times
  --help       this text

Exit code 0 only if every step did what it should.`;

export async function runDemo(options: {
  json?: string | undefined;
  keep: boolean;
  dir?: string | undefined;
  dialect?: readonly string[] | undefined;
}): Promise<boolean> {
  const dir = options.dir ? resolve(options.dir) : mkdtempSync(join(tmpdir(), 'kaopass-demo-'));
  console.log('\nThis is a demonstration: recorded faces, simulated devices, play money.\n');
  const result = await demonstrate({ dir, say: (line) => console.log(line), dialect: options.dialect ?? [] });
  if (options.json) save(result, resolve(options.json));
  if (!options.keep && result.ok)
    for (const part of ['bank', 'atm', 'atm-devices', 'checkout', 'checkout-devices'])
      rmSync(join(dir, part), { recursive: true, force: true });
  const failed = result.steps.filter((step) => !step.ok).map((step) => step.name);
  const seconds = result.steps.reduce((sum, step) => sum + step.ms, 0) / 1000;
  console.log(
    `\n${result.steps.length - failed.length} of ${result.steps.length} steps ok in ${seconds.toFixed(0)} s${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`,
  );
  console.log(
    `match results: ${result.results.sent} signed, ${result.results.accepted} at the bank, chain ${result.results.chainVerified ? 'verified' : 'NOT verified'}`,
  );
  console.log(`screenshots: ${join(dir, 'screenshots')}`);
  if (options.keep || !result.ok) console.log(`data and logs: ${dir}`);
  return result.ok;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      dir: { type: 'string' },
      dialect: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help) console.log(HELP);
  else process.exitCode = (await runDemo(values)) ? 0 : 1;
}
