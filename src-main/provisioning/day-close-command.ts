/** `kaopass day-close`: the closes of a terminal's business days, from its journal; and a close now, by the terminal that runs. */
import { isoTime } from '../clock.ts';
import { type DayCloseReport, dayCloseReport } from '../day-close/report.ts';
import { TerminalError } from '../errors.ts';
import { type StoredClose, storedCloses } from '../journal/day-closes.ts';
import { readJournal } from '../journal/reading.ts';
import { dataPlaces } from '../places.ts';
import type { FetchPort } from '../sync/bank-client.ts';
import { flagsOf, needed, takeSwitch, UsageError } from './flags.ts';
import { runningTerminal } from './running-terminal.ts';

const DAY_CLOSE_USAGE = `kaopass day-close: the closes of a terminal's business days.

  kaopass day-close list (--data DIR | --journal FILE) [--limit N] [--json]
      Closes, newest first, 20 unless N says otherwise: what moved, what is on its way, what differs.

  kaopass day-close show NUMBER (--data DIR | --journal FILE) [--json]
      One close: totals by service, notes by denomination (opening, exchanged by staff, moved by
      transactions, counted), every transaction, and what the bank found.

  kaopass day-close now --data DIR
      Asks the running terminal to close its business day. Not while a customer is served.

list and show change nothing, and the terminal may run or not.
Ends with 0 when done, 1 when it could not be done, 2 when the command was not understood.
`;
const LIMIT_DEFAULT = 20;

export interface DayClosePorts {
  readonly fetch: FetchPort;
  readonly out: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves with the exit code. Throws UsageError or TerminalError. */
export async function runDayClose(args: readonly string[], ports: DayClosePorts): Promise<0> {
  const [what, ...rest] = args;
  if (what === undefined || args.includes('--help') || args.includes('-h')) ports.out(DAY_CLOSE_USAGE);
  else if (what === 'list') list(rest, ports);
  else if (what === 'show') show(rest, ports);
  else if (what === 'now') await now(rest, ports);
  else throw new UsageError(`there is no command "day-close ${what}"`);
  return 0;
}

function list(args: readonly string[], { out }: DayClosePorts): void {
  const [asJson, rest] = takeSwitch(args, '--json');
  const flags = flagsOf(rest, ['data', 'journal', 'limit']);
  if (flags.limit !== undefined && !/^[1-9]\d{0,5}$/.test(flags.limit)) {
    throw new UsageError('--limit must be a whole number above 0');
  }
  const closes = closesIn(flags, Number(flags.limit ?? LIMIT_DEFAULT)).map((one) => dayCloseReport(one));
  if (asJson)
    out(
      `${JSON.stringify(
        closes.map(({ transactions: _, ...close }) => close),
        null,
        2,
      )}\n`,
    );
  else out(closes.length === 0 ? 'No day was closed yet.\n' : closes.map(lineOf).join(''));
}

function show(args: readonly string[], { out }: DayClosePorts): void {
  const [asJson, rest] = takeSwitch(args, '--json');
  const [number, ...more] = rest;
  if (!number || !/^[1-9]\d{0,8}$/.test(number))
    throw new UsageError('day-close show needs a number, as "list" prints it');
  const stored = closesIn(flagsOf(more, ['data', 'journal']), null).find((one) => one.number === Number(number));
  if (!stored) throw new TerminalError('TRANSACTION_UNKNOWN', `there is no close ${number} in this journal`);
  const report = dayCloseReport(stored);
  out(asJson ? `${JSON.stringify({ ...report, jws: stored.jws }, null, 2)}\n` : inWords(report));
}

async function now(args: readonly string[], { fetch, out, signal }: DayClosePorts): Promise<void> {
  const terminal = runningTerminal(dataPlaces(needed(flagsOf(args, ['data']), 'data')).servicePage, fetch);
  if (!terminal)
    throw new TerminalError('HOST_FAILED', 'no terminal runs there: a day is closed by the terminal itself');
  out(`Closed: number ${await terminal.closeDay(signal)}.\n`);
}

function closesIn(
  flags: { readonly data?: string; readonly journal?: string },
  limit: number | null,
): readonly StoredClose[] {
  if (flags.journal !== undefined && flags.data !== undefined) throw new UsageError('--data or --journal, not both');
  const path = flags.journal ?? dataPlaces(needed(flags, 'data')).journal;
  const journal = readJournal(path);
  if (!journal) throw new TerminalError('CONFIG_INVALID', `there is no journal ${path}`);
  try {
    return storedCloses(journal.db)(limit ?? -1);
  } finally {
    journal.close();
  }
}

function foundOf({ answer, cash, cashProblem }: DayCloseReport): string {
  if (!answer) return 'the bank has not answered yet';
  const notes = (cash ?? []).reduce((sum, { difference }) => sum + Math.abs(difference), 0);
  const counted = cashProblem === null ? `${notes} notes` : 'notes not counted';
  return `${answer.matched} matched, ${answer.differences.length} differ, ${counted}${cashProblem === null ? ' differ' : ''}`;
}

function lineOf(close: DayCloseReport): string {
  const sums = close.totals.map(
    ({ service, transactions, amountMinor }) => `${service} ${transactions}/${amountMinor}`,
  );
  return `${String(close.number).padStart(5)}  ${close.businessDate}  ${isoTime(close.at)}  ${sums.join(', ') || 'nothing moved'}; ${close.inFlight} on their way; ${foundOf(close)}\n`;
}

function inWords(close: DayCloseReport): string {
  const lines = [
    `close         ${close.number}, business day ${close.businessDate} (${close.timeZone})`,
    `closed        ${isoTime(close.at)}, ${close.reason}`,
    `bank          ${foundOf(close)}`,
    '',
    'totals',
    ...close.totals.map(
      ({ service, transactions, amountMinor }) =>
        `  ${service.padEnd(10)}${String(transactions).padStart(6)}${amountMinor.toLocaleString('en').padStart(16)}`,
    ),
    '',
    'notes              opening exchanged     moved   counted difference',
    ...(close.cash ?? []).map(
      (row) =>
        `  ${(row.denominationMinor === null ? 'mixed' : row.denominationMinor.toLocaleString('en')).padEnd(14)}${[
          row.opening,
          row.exchanged,
          row.moved,
          row.closing,
          row.difference,
        ]
          .map((count) => String(count).padStart(10))
          .join('')}`,
    ),
    ...(close.cashProblem === null ? [] : [`  ${close.cashProblem}`]),
    '',
    'transactions',
    ...close.transactions.map(
      ({ transactionId, service, amountMinor, standing, late }) =>
        `  ${transactionId}  ${service.padEnd(10)}${(amountMinor?.toLocaleString('en') ?? '?').padStart(12)}  ${standing}${late ? ', late' : ''}`,
    ),
    '',
    'differences the bank found',
    ...(close.answer?.differences ?? []).map(
      ({ transactionId, what, terminalMinor, bankMinor }) =>
        `  ${transactionId}  ${what}: terminal ${terminalMinor ?? 'nothing'}, bank ${bankMinor ?? 'nothing'}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}
