/**
 * `kaopass journal`: the money journal of a terminal, read from its file. Nothing is changed and nobody asked: the terminal may run, be
 * broken, or be no more than a file on an auditor's disk.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Service, Uuid } from '../../src-contract/primitives.ts';
import { isoTime, timeFrom } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { openFileKeyStore } from '../identity/file-key-store.ts';
import { signingKeyIn } from '../identity/identity.ts';
import { csvLine, EXPORTS, type ExportWhat, exportRows } from '../journal/export.ts';
import { type JournalReading, type ListFilter, readJournal } from '../journal/reading.ts';
import { type Counts, verifyJournal } from '../journal/verify.ts';
import { dataPlaces } from '../places.ts';
import { type Flags, flagsOf, needed, takeSwitch, UsageError } from './flags.ts';
import { listJson, listLine, shownInWords, shownOf } from './journal-words.ts';

const JOURNAL_USAGE = `kaopass journal: what a terminal meant to do, what happened, and what the bank was told.

  kaopass journal list (--data DIR | --journal FILE) [--since TIME] [--until TIME] [--service SERVICE]
                       [--state STATE] [--open] [--suspect] [--limit N] [--json]
      Transactions, newest first, 50 of them unless N says otherwise (0 for all). --open: not ended.
      --suspect: waiting for a technician's count. STATE is that of the last event, such as "paid".

  kaopass journal show ID (--data DIR | --journal FILE) [--json]
      One transaction: every event, the messages to the bank and what became of them, and the match
      results that it rests on.

  kaopass journal verify (--data DIR | --journal FILE) [--key FILE] [--json]
      Reads all of it and says what is wrong and where: pages, the chain of match results and their
      signatures, their places in the outbox, numbers and ends of transactions, totals. FILE is the
      terminal's public key (JWK or PEM); without it the key store in DIR gives it.
      Ends with 1 when anything is wrong.

  kaopass journal export (--data DIR | --journal FILE) [--what transactions|events|messages|results]
                         [--format ndjson|csv] [--since TIME] [--until TIME] [--service SERVICE] [--out FILE]
      Rows for another program, to FILE (which must not be there yet) or to standard output.
      TIME and SERVICE choose among transactions. docs/money.md lists the fields. There is no PIN, name,
      account number or template in a journal, and none in an export.

FILE of --journal is the journal itself (DIR/journal.sqlite, or a copy together with its -wal).
TIME is a day (2026-11-28, from its beginning in UTC) or a moment (2026-11-28T09:00:00+09:00).
Changes nothing, and needs nobody: the terminal may run or not.
Ends with 0 when done, 1 when it could not be done or something is wrong, 2 when the command was not understood.
`;

const LIMIT_DEFAULT = 50;
/** Findings that are printed; the rest is counted. A journal that is damaged throughout has millions. */
const FINDINGS_MAX = 1_000;

export interface JournalCommandPorts {
  readonly out: (text: string) => void;
}

/** Resolves with the exit code. Throws UsageError or TerminalError. */
export async function runJournal(args: readonly string[], { out }: JournalCommandPorts): Promise<0 | 1> {
  const [what, ...rest] = args;
  if (what === undefined || args.includes('--help') || args.includes('-h')) {
    out(JOURNAL_USAGE);
    return 0;
  }
  if (what === 'list') return list(rest, out);
  if (what === 'show') return show(rest, out);
  if (what === 'verify') return await verify(rest, out);
  if (what === 'export') return exportAll(rest, out);
  throw new UsageError(`there is no command "journal ${what}"`);
}

type Out = JournalCommandPorts['out'];

function list(args: readonly string[], out: Out): 0 {
  const [asJson, withoutJson] = takeSwitch(args, '--json');
  const [open, withoutOpen] = takeSwitch(withoutJson, '--open');
  const [suspect, rest] = takeSwitch(withoutOpen, '--suspect');
  const flags = flagsOf(rest, ['data', 'journal', 'since', 'until', 'service', 'state', 'limit']);
  const filter = { ...filterOf(flags), ...(open ? { open } : {}), ...(suspect ? { suspect } : {}) };
  const limit = limitOf(flags.limit);
  return reading(flags, (journal) => {
    let rows = 0;
    if (asJson) out('[');
    for (const row of journal.list(filter, limit === 0 ? null : limit)) {
      out(asJson ? `${rows === 0 ? '' : ','}\n${JSON.stringify(listJson(row))}` : listLine(row));
      rows += 1;
    }
    if (asJson) out(rows === 0 ? ']\n' : '\n]\n');
    else if (rows === 0) out('No transaction.\n');
    return 0;
  });
}

function show(args: readonly string[], out: Out): 0 {
  const [asJson, rest] = takeSwitch(args, '--json');
  const [id, ...more] = rest;
  const transactionId = Uuid.safeParse(id);
  if (!transactionId.success) throw new UsageError('journal show needs the id of a transaction, as "list" prints it');
  return reading(flagsOf(more, ['data', 'journal']), (journal) => {
    const shown = shownOf(journal, transactionId.data);
    if (!shown) {
      throw new TerminalError('TRANSACTION_UNKNOWN', `transaction ${transactionId.data} is not in this journal`);
    }
    out(asJson ? `${JSON.stringify(shown, null, 2)}\n` : shownInWords(shown));
    return 0;
  });
}

async function verify(args: readonly string[], out: Out): Promise<0 | 1> {
  const [asJson, rest] = takeSwitch(args, '--json');
  const flags = flagsOf(rest, ['data', 'journal', 'key']);
  const key = await keyOf(flags);
  return reading(flags, (journal) => {
    const counts: Counts = { transactions: 0, events: 0, results: 0, messages: 0 };
    const findings = [];
    let found = 0;
    for (const finding of verifyJournal(journal, key, counts)) {
      found += 1;
      if (found > FINDINGS_MAX) continue;
      if (asJson) findings.push(finding);
      else out(`${finding.area.padEnd(9)}${finding.where}: ${finding.what}\n`);
    }
    if (asJson) out(`${JSON.stringify({ whole: found === 0, ...counts, found, findings }, null, 2)}\n`);
    else {
      if (found > FINDINGS_MAX) out(`and ${found - FINDINGS_MAX} more\n`);
      const { transactions, events, results, messages } = counts;
      out(
        `${found === 0 ? 'Whole' : `${found} findings`}: ${transactions} transactions, ${events} events, ` +
          `${results} match results, ${messages} messages.\n`,
      );
    }
    return found === 0 ? 0 : 1;
  });
}

function exportAll(args: readonly string[], out: Out): 0 {
  const flags = flagsOf(args, ['data', 'journal', 'what', 'format', 'since', 'until', 'service', 'out']);
  const what = chosen('what', flags.what ?? 'transactions', Object.keys(EXPORTS) as ExportWhat[]);
  const format = chosen('format', flags.format ?? 'ndjson', ['ndjson', 'csv']);
  const filter = filterOf(flags);
  if (what !== 'transactions' && Object.keys(filter).length > 0) {
    throw new UsageError('--since, --until and --service choose among transactions only');
  }
  return reading(flags, (journal) =>
    writing(flags.out, out, (write) => {
      if (format === 'csv') write(csvLine(EXPORTS[what]));
      for (const row of exportRows(journal, what, filter)) {
        write(format === 'csv' ? csvLine(Object.values(row)) : `${JSON.stringify(row)}\n`);
      }
      return 0;
    }),
  );
}

function reading<Result>(flags: Flags<'data' | 'journal'>, work: (journal: JournalReading) => Result): Result {
  if (flags.journal !== undefined && flags.data !== undefined) throw new UsageError('--data or --journal, not both');
  const path = flags.journal ?? dataPlaces(needed(flags, 'data')).journal;
  const journal = readJournal(path);
  if (!journal) throw new TerminalError('CONFIG_INVALID', `there is no journal ${path}`);
  try {
    return work(journal);
  } finally {
    journal.close();
  }
}

/** To the file, or to where answers go. Row by row: nothing is gathered. */
function writing<Result>(path: string | undefined, out: Out, work: (write: Out) => Result): Result {
  if (path === undefined) return work(out);
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TerminalError('CONFIG_INVALID', `--out: ${path} cannot be made (${why})`, { cause });
  }
  try {
    return work((text) => void writeSync(file, text));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EIO') throw cause;
    throw new TerminalError('CONFIG_INVALID', `--out: ${path} could not be written to its end (${code})`, { cause });
  } finally {
    closeSync(file);
  }
}

async function keyOf(flags: Flags<'data' | 'key'>): Promise<KeyObject> {
  if (flags.key !== undefined) return keyFrom(flags.key);
  const keys = flags.data === undefined ? null : dataPlaces(flags.data).keys;
  // Opening a key store makes its directory, and looking must not.
  const key = keys !== null && existsSync(keys) ? await signingKeyIn(await openFileKeyStore(keys)) : null;
  if (!key) throw new UsageError('--key FILE is needed: there is no key store to take the public key from');
  return key;
}

function keyFrom(path: string): KeyObject {
  const invalid = (why: string) => new TerminalError('CONFIG_INVALID', `--key: ${path} ${why}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw invalid('cannot be read');
  }
  try {
    const key = text.trimStart().startsWith('{')
      ? createPublicKey({ key: JSON.parse(text), format: 'jwk' })
      : createPublicKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Falls through: what OpenSSL says of it helps nobody.
  }
  throw invalid('is no Ed25519 public key (JWK or PEM)');
}

function filterOf(flags: Flags<'since' | 'until' | 'service' | 'state'>): ListFilter {
  return {
    ...timed('since', flags.since),
    ...timed('until', flags.until),
    ...(flags.service === undefined ? {} : { service: chosen('service', flags.service, Service.options) }),
    ...(flags.state === undefined ? {} : { state: flags.state }),
  };
}

function timed(name: 'since' | 'until', text: string | undefined): ListFilter {
  if (text === undefined) return {};
  const ms = timeFrom(text);
  if (ms === null) throw new UsageError(`--${name}: ${text} is no time like 2026-11-28 or ${isoTime(0)}`);
  return { [name]: ms };
}

function chosen<Choice extends string>(name: string, given: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === given);
  if (choice === undefined) throw new UsageError(`--${name} must be one of ${choices.join(', ')}`);
  return choice;
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError('--limit must be a whole number, 0 for all');
  return Number(text);
}
