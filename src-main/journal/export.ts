/**
 * A journal as rows for other programs. The names of the fields are a promise: docs/money.md lists them, a test keeps the two in step,
 * and a later version adds fields at the end. Times are ISO 8601 in UTC, amounts whole minor units.
 */
import { MatchResult } from '../../src-contract/match-result.ts';
import { isoTime } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { EventRow, JournalReading, ListFilter, MessageRow, Read, ResultRow, TransactionRow } from './reading.ts';

type Value = string | number | boolean | null;
export type ExportRow = Readonly<Record<string, Value>>;

/** What can be exported, and its fields. */
export const EXPORTS = {
  transactions: [
    'transactionId',
    'service',
    'personId',
    'amountMinor',
    'currency',
    'begunAt',
    'state',
    'final',
    'lastEventAt',
    'events',
  ],
  events: ['transactionId', 'number', 'state', 'final', 'at', 'detail'],
  messages: [
    'id',
    'kind',
    'transactionId',
    'idempotencyKey',
    'authorisationKey',
    'amountMinor',
    'currency',
    'state',
    'queuedAt',
    'attempts',
    'lastError',
    'settledAt',
  ],
  results: [
    'sequence',
    'resultId',
    'at',
    'service',
    'transactionId',
    'personId',
    'amountMinor',
    'currency',
    'outcome',
    'reason',
    'mode',
    'estimatedFmr',
    'livenessDecision',
    'policyVersion',
    'jws',
  ],
} as const;
export type ExportWhat = keyof typeof EXPORTS;

/** Rows in the order of their recording, except transactions: newest first. Throws DATABASE_CORRUPT naming a row that does not fit. */
export function* exportRows(
  reading: JournalReading,
  what: ExportWhat,
  filter: ListFilter = {},
): IterableIterator<ExportRow> {
  switch (what) {
    case 'transactions':
      for (const row of whole(reading.list(filter, null))) yield ofTransaction(row);
      return;
    case 'events':
      for (const row of whole(reading.events())) yield ofEvent(row);
      return;
    case 'messages':
      for (const row of whole(reading.messages())) yield ofMessage(row);
      return;
    case 'results':
      for (const row of whole(reading.results())) yield ofResult(row);
      return;
  }
}

/** RFC 4180, fields in their fixed order. */
export function csvLine(values: readonly Value[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}

function csvField(value: Value): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* whole<Row extends object>(rows: IterableIterator<Read<Row>>): IterableIterator<Row> {
  for (const row of rows) {
    if ('unfit' in row)
      throw new TerminalError(
        'DATABASE_CORRUPT',
        `the journal's ${String(row.unfit)}: kaopass journal verify says more`,
      );
    yield row as Row;
  }
}

const iso = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

function ofTransaction({ at, begunAt, ...row }: TransactionRow): ExportRow {
  return inOrder('transactions', { ...row, begunAt: iso(begunAt), lastEventAt: iso(at) });
}

function ofEvent({ detail, at, ...row }: EventRow): ExportRow {
  return inOrder('events', { ...row, at: iso(at), detail: JSON.stringify(withoutSecrets(detail)) });
}

function ofMessage({ body, queuedAt, settledAt, ...row }: MessageRow): ExportRow {
  const { amount, authorisationKey } = body as {
    amount?: { amountMinor?: unknown; currency?: unknown };
    authorisationKey?: unknown;
  };
  return inOrder('messages', {
    ...row,
    authorisationKey: plain(authorisationKey),
    amountMinor: plain(amount?.amountMinor),
    currency: plain(amount?.currency),
    queuedAt: iso(queuedAt),
    settledAt: iso(settledAt),
  });
}

function ofResult({ jws, resultId, sequence, at }: ResultRow): ExportRow {
  const said = MatchResult.safeParse(payloadOf(jws)).data;
  return inOrder('results', {
    sequence,
    resultId,
    at: iso(at),
    service: said?.service ?? null,
    transactionId: said?.transactionId ?? null,
    personId: said?.personId ?? null,
    amountMinor: said?.amount?.amountMinor ?? null,
    currency: said?.amount?.currency ?? null,
    outcome: said?.outcome ?? null,
    reason: said?.reason ?? null,
    mode: said?.mode ?? null,
    estimatedFmr: said?.comparison.estimatedFmr ?? null,
    livenessDecision: said?.liveness.decision ?? null,
    policyVersion: said?.policyVersion ?? null,
    jws,
  });
}

function payloadOf(jws: string): unknown {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

function inOrder(what: ExportWhat, row: ExportRow): ExportRow {
  return Object.fromEntries(EXPORTS[what].map((field) => [field, row[field] ?? null]));
}

function plain(value: unknown): Value {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** None of these is ever written into a detail (Detail in journal.ts). Should one be, it does not leave with an export. */
const SECRET: ReadonlySet<string> = new Set(['pin', 'name', 'account', 'template', 'embedding', 'image']);

export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key.split(/(?=[A-Z])|[-_]/).some((word) => SECRET.has(word.toLowerCase())) ? [] : [[key, withoutSecrets(inner)]],
    ),
  );
}
