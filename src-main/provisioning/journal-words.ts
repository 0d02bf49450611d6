/** A journal in words and as JSON, for `kaopass journal`. */
import { MatchResult } from '../../src-contract/match-result.ts';
import { isoTime } from '../clock.ts';
import { withoutSecrets } from '../journal/export.ts';
import type { EventRow, JournalReading, MessageRow, Read, ResultRow, TransactionRow } from '../journal/reading.ts';

/** One line of `list`. */
export function listLine(row: Read<TransactionRow>): string {
  if ('unfit' in row) return `unreadable: ${row.unfit}\n`;
  const { transactionId, service, state, final, begunAt } = row;
  return `${isoTime(begunAt)}  ${transactionId}  ${service.padEnd(9)}${amountOf(row).padStart(14)}  ${state}${final ? '' : ' (open)'}\n`;
}

export function listJson(row: Read<TransactionRow>): object {
  if ('unfit' in row) return row;
  return { ...row, begunAt: isoTime(row.begunAt), at: isoTime(row.at) };
}

function amountOf({ amountMinor, currency }: Pick<TransactionRow, 'amountMinor' | 'currency'>): string {
  return amountMinor === null ? '' : `${amountMinor.toLocaleString('en')} ${currency}`;
}

export interface Shown {
  readonly transaction: Read<TransactionRow>;
  readonly events: readonly Read<EventRow>[];
  readonly messages: readonly Read<MessageRow>[];
  readonly results: readonly object[];
}

/** Null when the journal does not have it. */
export function shownOf(journal: JournalReading, transactionId: string): Shown | null {
  const transaction = journal.transaction(transactionId);
  if (!transaction) return null;
  return {
    transaction,
    events: [...journal.events(transactionId)].map((row) =>
      'unfit' in row ? row : { ...row, detail: withoutSecrets(row.detail) as EventRow['detail'] },
    ),
    messages: [...journal.messages(transactionId)],
    results: [...journal.results(transactionId)].map(saidBy),
  };
}

/** What a result says; its signature is `verify`'s to judge. */
function saidBy(row: Read<ResultRow>): object {
  if ('unfit' in row) return row;
  const { sequence, resultId, jws } = row;
  try {
    const said = MatchResult.safeParse(JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')));
    if (said.success) return { ...said.data, at: isoTime(said.data.at) };
  } catch {
    // Falls through: what cannot be read is named like what does not fit.
  }
  return { unfit: `result ${sequence} (${resultId}) does not fit` };
}

export function shownInWords({ transaction, events, messages, results }: Shown): string {
  const lines: string[] = [];
  if ('unfit' in transaction) lines.push(`unreadable: ${transaction.unfit}`);
  else {
    const { transactionId, service, personId, begunAt, state, final } = transaction;
    lines.push(
      `transaction   ${transactionId}`,
      `service       ${service}${transaction.amountMinor === null ? '' : `, ${amountOf(transaction)}`}`,
      `person        ${personId ?? 'nobody was named'}`,
      `begun         ${isoTime(begunAt)}`,
      `state         ${state}${final ? ', ended' : ', open'}`,
    );
  }
  lines.push('', 'events');
  for (const event of events) {
    if ('unfit' in event) lines.push(`  unreadable: ${event.unfit}`);
    else {
      const detail = Object.keys(event.detail).length === 0 ? '' : `  ${JSON.stringify(event.detail)}`;
      lines.push(
        `  ${String(event.number).padStart(2)}  ${isoTime(event.at)}  ${event.state}${event.final ? ' (final)' : ''}${detail}`,
      );
    }
  }
  lines.push('', 'messages to the bank');
  if (messages.length === 0) lines.push('  none');
  for (const message of messages) {
    if ('unfit' in message) lines.push(`  unreadable: ${message.unfit}`);
    else lines.push(`  ${String(message.id).padStart(6)}  ${message.kind}: ${becameOf(message)}`);
  }
  lines.push('', 'match results');
  if (results.length === 0) lines.push('  none');
  for (const result of results) lines.push(`  ${JSON.stringify(result)}`);
  return `${lines.join('\n')}\n`;
}

function becameOf({ state, settledAt, attempts, lastError }: MessageRow): string {
  const failed = lastError === null ? '' : `, ${lastError}`;
  switch (state) {
    case 'waiting':
      return `waits, ${attempts} attempts${failed}`;
    case 'delivered':
      return `delivered ${settledAt === null ? '' : isoTime(settledAt)}`;
    case 'dead':
      return `set aside ${settledAt === null ? '' : isoTime(settledAt)}${failed}`;
  }
}
