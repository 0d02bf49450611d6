/**
 * One pass over the outbox: match results first and in order, then messages about money and consent, oldest first. A repeat carries
 * the same idempotency key, so an answer that was lost does no harm.
 */
import type { PostingAnswer } from '../../src-contract/bank-api.ts';
import type { ErasureAnswer, ErasureReceiptAnswer } from '../../src-contract/erasure.ts';
import { assertNever } from '../../src-contract/primitives.ts';
import type { ProtectionReceiptAnswer } from '../../src-contract/protection-change.ts';
import type { Renewal } from '../../src-contract/renewal.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { Alarm, Journal } from '../journal/journal.ts';
import type { QueuedMessage, QueuedResult } from '../journal/outbox.ts';
import { type BankClient, BankRefusal } from './bank-client.ts';
import { ATTEMPTS_MAX, DELAY_MS_MAX, isNotBelieved, retryDelayMs, verdictOn } from './retry-rules.ts';

/** The contract's limit for one request. */
const RESULTS_BATCH_MAX = 200;
/** Characters of results in one request; half of what the reference bank takes in a body. */
const RESULTS_LENGTH_MAX = 500_000;
const MESSAGES_PAGE = 200;

export interface DrainParts {
  readonly journal: Journal;
  readonly bank: BankClient;
  readonly gallery: Pick<Gallery, 'templateOf' | 'retire'>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly onAlarm: (alarm: Alarm) => void;
}

export type ResultsDrained =
  | { readonly outcome: 'drained' }
  /** Not now, and perhaps not because of the line: the sentence says. */
  | { readonly outcome: 'offline'; readonly why: string }
  /** The chain is not accepted: what is behind it would be refused too. */
  | { readonly outcome: 'refused'; readonly why: string };

/** Sends all match results that wait. */
export async function drainResults(parts: Omit<DrainParts, 'gallery'>, signal: AbortSignal): Promise<ResultsDrained> {
  const { journal, bank, clock } = parts;
  for (;;) {
    const batch = fitting(journal.outbox.results(RESULTS_BATCH_MAX));
    if (batch.length === 0) return { outcome: 'drained' };
    try {
      const answer = await bank.sendResults({ results: batch.map(({ body }) => body.jws) }, signal);
      checkHead(answer.headSequence, batch);
      journal.outbox.delivered(batch.map(({ id }) => id));
    } catch (error) {
      const verdict = verdictOn(error);
      journal.outbox.failed(
        batch.map(({ id }) => id),
        { error: wordsOf(error), nextAttemptAt: clock.now() },
      );
      if (verdict === 'never') return { outcome: 'refused', why: wordsOf(error) };
      return { outcome: 'offline', why: wordsOf(error) };
    }
  }
}

/** As many from the front as fit into one request, and always one. */
function fitting(results: readonly QueuedResult[]): readonly QueuedResult[] {
  let length = 0;
  const end = results.findIndex(({ body }, index) => {
    length += body.jws.length;
    return index > 0 && length > RESULTS_LENGTH_MAX;
  });
  return end === -1 ? results : results.slice(0, end);
}

/** Sends every message that is due, and whose match result the bank has; of day closes none before those that come before it. */
export async function drainMessages(parts: DrainParts, signal: AbortSignal): Promise<'drained' | 'offline'> {
  const { journal, clock } = parts;
  // Those left waiting stay at the front of the queue: a page must be able to reach past them.
  let skipped = 0;
  let closeWaits = false;
  for (;;) {
    const page = journal.outbox.messages(skipped + MESSAGES_PAGE).slice(skipped);
    if (page.length === 0) return 'drained';
    for (const message of page) {
      const held = 'resultId' in message.body && journal.outbox.isWaiting(message.body.resultId);
      const close = message.kind === 'day-close';
      if (held || (close && closeWaits) || isLater(message.nextAttemptAt, clock.now())) {
        closeWaits ||= close;
        skipped++;
        continue;
      }
      const outcome = await deliver(parts, message, signal);
      if (outcome === 'offline') return 'offline';
      if (outcome === 'later') {
        closeWaits ||= close;
        skipped++;
      }
    }
  }
}

/** No delay is longer than the longest: a later time was written down by a clock that was wrong then, or is now. */
function isLater(nextAttemptAt: number, now: number): boolean {
  return nextAttemptAt > now && nextAttemptAt <= now + DELAY_MS_MAX;
}

async function deliver(
  parts: DrainParts,
  message: QueuedMessage,
  signal: AbortSignal,
): Promise<'settled' | 'later' | 'offline'> {
  const { journal, bank, clock, chance, onAlarm } = parts;
  try {
    if (message.kind === 'day-close') {
      // What the bank found first: a close that counts as delivered has its answer.
      journal.dayCloses.answered(message.idempotencyKey, await bank.closeDay(message.body, signal));
      journal.outbox.delivered([message.id]);
      return 'settled';
    }
    if (message.kind === 'renewal') {
      await deliverRenewal(parts, message.body, signal);
      journal.outbox.delivered([message.id]);
      return 'settled';
    }
    const answer = await send(bank, message, signal);
    journal.outbox.delivered([message.id]);
    // Unconfirmed is how a withdrawal that failed always stands until the next one; the others want a person.
    if (answer.outcome === 'held' && answer.reason !== 'unconfirmed') {
      onAlarm({
        kind: 'bank-holds',
        message: `the bank took a ${message.kind} (outbox ${message.id}) and keeps the money held: ${answer.reason}`,
      });
    }
    return 'settled';
  } catch (error) {
    const verdict = verdictOn(error);
    switch (verdict) {
      case 'unreachable':
        journal.outbox.failed([message.id], { error: wordsOf(error), nextAttemptAt: clock.now() });
        return 'offline';
      case 'later':
        if (message.attempts + 1 >= ATTEMPTS_MAX && !isNotBelieved(error)) {
          undo(parts, message);
          journal.outbox.deadLetter(message.id, `${message.attempts + 1} attempts: ${wordsOf(error)}`);
          return 'settled';
        }
        journal.outbox.failed([message.id], {
          error: wordsOf(error),
          nextAttemptAt: clock.now() + retryDelayMs(message.attempts, chance),
        });
        return 'later';
      case 'never':
        undo(parts, message);
        journal.outbox.deadLetter(message.id, wordsOf(error));
        return 'settled';
      default:
        return assertNever(verdict);
    }
  }
}

/**
 * The template goes as the gallery has it by now, under whichever matrix: the bank takes a repeat for what it is. Where there is none any
 * more, because the person was erased or the gallery lost, nothing is sent. One that the bank does not take is not kept here either.
 */
async function deliverRenewal({ bank, gallery }: DrainParts, renewal: Renewal, signal: AbortSignal): Promise<void> {
  const { modelSha256, ...told } = renewal;
  const template = gallery.templateOf(told.personId, modelSha256);
  if (!template) return;
  const answer = await bank.renew({ ...told, template }, signal);
  if (answer.outcome === 'refused') gallery.retire(told.personId, modelSha256);
}

/** What was done here in the belief that the bank would take the message. */
function undo({ gallery }: DrainParts, message: QueuedMessage): void {
  if (message.kind === 'renewal') gallery.retire(message.body.personId, message.body.modelSha256);
}

function send(
  bank: BankClient,
  message: Exclude<QueuedMessage, { kind: 'day-close' | 'renewal' }>,
  signal: AbortSignal,
): Promise<PostingAnswer | ErasureAnswer | ErasureReceiptAnswer | ProtectionReceiptAnswer> {
  switch (message.kind) {
    case 'capture':
      return bank.capture(message.body, signal);
    case 'reversal':
      return bank.reverse(message.body, signal);
    case 'deposit':
      return bank.deposit(message.body, signal);
    case 'stand-in':
      return bank.standIn(message.body, signal);
    case 'count':
      return bank.count(message.body, signal);
    case 'erasure':
      return bank.erase(message.body, signal);
    case 'erasure-receipt':
      return bank.acknowledgeErasure(message.body, signal);
    case 'protection-receipt':
      return bank.acknowledgeProtection(message.body, signal);
    default:
      return assertNever(message);
  }
}

/** A bank that took the batch stands at its end or further. */
function checkHead(headSequence: number, batch: readonly QueuedResult[]): void {
  const last = batch.at(-1)?.body.sequence ?? 0;
  if (headSequence >= last) return;
  throw new TerminalError(
    'BANK_ANSWER_INVALID',
    `the bank's answer to POST /v1/results does not fit: field "headSequence": ${headSequence} after result ${last}`,
  );
}

/** What is stored of a failure: sentence and code, never a body. */
function wordsOf(error: unknown): string {
  if (error instanceof BankRefusal) return `${error.problem.code}: ${error.problem.detail}`;
  return error instanceof Error ? error.message : String(error);
}
