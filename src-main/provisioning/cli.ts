/** The program a technician runs: `kaopass activate`, `kaopass status`, `kaopass devices`, `kaopass journal`, `kaopass
 * day-close`. Prints for somebody who never saw it before. */
import { existsSync, writeFileSync } from 'node:fs';
import { Profile } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { loadConfig } from '../config/config.ts';
import type { FindPorts } from '../devices/find.ts';
import { TerminalError } from '../errors.ts';
import type { Activation } from '../identity/activation.ts';
import { dataPlaces } from '../places.ts';
import type { FetchPort } from '../sync/bank-client.ts';
import { flagsOf, needed, takeSwitch, UsageError } from './flags.ts';
import type { Status } from './status.ts';

const USAGE = `kaopass: sets up a terminal and says how it is.

  kaopass activate --data DIR --code CODE [--bank URL --name NAME --profile PROFILE]
      Makes this machine a terminal of a bank, with a one-time code from the bank (like ABCD-EFGH-2345).
      URL, NAME and PROFILE (atm, checkout or gate) are taken from DIR/kaopass.json where it is there;
      where it is not, they are needed and the file is written.

  kaopass status --data DIR [--json]
      Terminal, bank, policy, what is wrong with clock or policy, what waits to be sent, gallery, open
      transactions, and an address of the service page while the terminal runs. Changes nothing.

  kaopass devices [list | identify DEVICE | test DEVICE] [--data DIR] [--json]
      What the terminal has and what hangs on this machine, which is which, and whether it works.
      More by kaopass devices --help.

  kaopass camera [show | pin | forget] --data DIR
      Which camera the terminal is held to, and pinning another. More by kaopass camera --help.

  kaopass journal (list | show ID | verify | export) (--data DIR | --journal FILE)
      The money journal: what was done, whether it is whole, and rows for other programs.
      More by kaopass journal --help.

  kaopass day-close (list | show NUMBER | now) --data DIR
      The closes of business days, and what the bank found. More by kaopass day-close --help.

  kaopass --help
      This text.

DIR is the terminal's data directory: configuration, keys, journal, gallery.
Ends with 0 when done, 1 when it could not be done (one sentence says why), 2 when the command was not understood.
`;

export interface CliPorts {
  readonly fetch: FetchPort;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
  /** What `kaopass devices` looks through; the system's own when not given. */
  readonly find?: FindPorts;
}

/** Runs one command; resolves with the exit code. Each loads what is its own when it is called: that is most of what it costs. */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<0 | 1 | 2> {
  try {
    const [command, ...rest] = args;
    if (command === undefined || command === '--help' || command === '-h' || command === 'help') ports.out(USAGE);
    else if (command === 'activate') await runActivate(rest, ports);
    else if (command === 'status') await runStatus(rest, ports);
    else if (command === 'devices') {
      const { runDevices } = await import('./devices-command.ts');
      return await runDevices(rest, { ...ports, clock: systemClock, chance: systemChance });
    } else if (command === 'camera') return await (await import('./camera-command.ts')).runCamera(rest, ports);
    else if (command === 'journal') return await (await import('./journal-command.ts')).runJournal(rest, ports);
    else if (command === 'day-close') return await (await import('./day-close-command.ts')).runDayClose(rest, ports);
    else throw new UsageError(`there is no command "${command}"`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      ports.err(`${error.message}\nkaopass --help lists what there is.\n`);
      return 2;
    }
    if (!(error instanceof TerminalError)) throw error;
    ports.err(`${error.message} (${error.code})\n`);
    return 1;
  }
}

async function runActivate(args: readonly string[], { fetch, out, signal }: CliPorts): Promise<void> {
  const flags = flagsOf(args, ['data', 'code', 'bank', 'name', 'profile']);
  const dataDir = needed(flags, 'data');
  const places = dataPlaces(dataDir);
  const config = existsSync(places.config) ? loadConfig(places.config) : null;
  const profile = Profile.safeParse(flags.profile ?? config?.profile);
  if (!profile.success) throw new UsageError(`--profile must be one of ${Profile.options.join(', ')}`);
  const { activate } = await import('./activate.ts');
  const activation = await activate({
    bankUrl: flags.bank ?? config?.bankUrl ?? needed(flags, 'bank'),
    activationCode: needed(flags, 'code'),
    name: flags.name ?? config?.name ?? needed(flags, 'name'),
    profile: profile.data,
    dataDir,
    fetch,
    clock: systemClock,
    chance: systemChance,
    signal,
  });
  if (!config) writeConfig(places.config, activation);
  out(
    [
      `Activated: "${activation.name}" is terminal ${activation.terminalId} of ${activation.bankUrl}.`,
      `Keys are in ${places.keys}; they exist nowhere else. The configuration is ${places.config}.`,
      '',
    ].join('\n'),
  );
}

function writeConfig(path: string, { name, profile, bankUrl }: Activation): void {
  try {
    writeFileSync(path, `${JSON.stringify({ name, profile, bankUrl }, null, 2)}\n`, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TerminalError('CONFIG_INVALID', `the terminal is activated, but ${path} could not be written (${why})`, {
      cause,
    });
  }
}

async function runStatus(args: readonly string[], { fetch, out }: CliPorts): Promise<void> {
  const [json, rest] = takeSwitch(args, '--json');
  const flags = flagsOf(rest, ['data']);
  const dataDir = needed(flags, 'data');
  if (!existsSync(dataDir)) throw new TerminalError('CONFIG_INVALID', `--data: there is no directory ${dataDir}`);
  const { statusOf } = await import('./status.ts');
  const status = await statusOf({ dataDir, fetch, clock: systemClock });
  out(json ? `${JSON.stringify(status, null, 2)}\n` : inWords(status));
}

function inWords({
  terminal,
  bank,
  policy,
  faults,
  journal,
  suspects,
  gallery,
  galleryBefore,
  servicePage,
}: Status): string {
  const lines: [string, string][] = [
    [
      'terminal',
      terminal
        ? `${terminal.terminalId} "${terminal.name}", ${terminal.profile}, activated ${timeOf(terminal.activatedAt)}`
        : 'not activated: kaopass activate',
    ],
  ];
  if (terminal && bank) {
    lines.push(['bank', bank.answers ? `${terminal.bankUrl} answers` : `no answer: ${bank.reason}`]);
  }
  if (policy) lines.push(['policy', `${policy.version}, good until ${timeOf(policy.expiresAt)}`]);
  for (const fault of faults) lines.push(['fault', fault]);
  if (journal) {
    const { outbox, openTransactions } = journal;
    lines.push(['results', `${journal.headSequence} recorded`]);
    const since = outbox.oldestQueuedAt === null ? '' : `, the oldest since ${timeOf(outbox.oldestQueuedAt)}`;
    lines.push([
      'outbox',
      `${outbox.waiting} waiting${since}${outbox.lastError ? `; last error: ${outbox.lastError}` : ''}`,
    ]);
    if (outbox.deadLetters > 0) lines.push(['dead letters', `${outbox.deadLetters}: somebody has to look at them`]);
    lines.push(['open', openTransactions.length === 0 ? 'no transaction' : `${openTransactions.length} transactions`]);
    for (const { transactionId, service, state, begunAt } of openTransactions) {
      lines.push(['', `${transactionId} ${service}, "${state}", begun ${timeOf(begunAt)}`]);
    }
    for (const { transactionId, service, why, blocks } of suspects) {
      const held = blocks === null ? '' : `the ${blocks} serves nobody until a technician has counted; `;
      lines.push(['suspect', `${transactionId} ${service}: ${held}${why ?? 'no reason was written down'}`]);
    }
  } else lines.push(['journal', 'none yet: the terminal has not run']);
  lines.push(['gallery', gallery ? `${gallery.templates} templates, feed read to ${gallery.cursor}` : 'none yet']);
  if (gallery?.leaving) {
    const { protection, templates } = gallery.leaving;
    lines.push(['', `changing to another protecting matrix: ${templates} are still under ${protection}`]);
  }
  if (galleryBefore) {
    const { templates, cursor } = galleryBefore;
    lines.push(['', `and ${templates} templates of the embedder before, its feed read to ${cursor}`]);
  }
  lines.push(['service page', servicePage ? `${servicePage} (opens once)` : 'none: the terminal is not running']);
  return `${lines.map(([what, words]) => `${what.padEnd(14)}${words}`).join('\n')}\n`;
}

function timeOf(ms: number): string {
  return `${new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'UTC' }).format(ms)} UTC`;
}

if (import.meta.main) {
  // Who reads a list may have seen enough: `kaopass journal list | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  process.exitCode = await runCli(process.argv.slice(2), {
    fetch,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    signal: AbortSignal.timeout(60_000),
  });
}
