/**
 * One receipt on its way: sent piece by piece while the printer has no objection, then confirmed by the printer, not by the wire. Nothing
 * is ever sent a second time. What was sent and not printed is cleared from the printer's memory, so that it doesn't come out when somebody
 * puts in paper; where that can't be had, the message says that the receipt may still appear.
 */
import { type Clock, deadline } from '../../clock.ts';
import type { PrintCompletion } from '../receipt-printer.ts';
import { ASK_PAPER, askProcessId, CLEAR_BUFFERS } from './commands.ts';
import { LineError } from './line.ts';
import type { PrinterLink } from './link.ts';
import type { Response } from './responses.ts';
import { obstacle, paperOf } from './status.ts';

/**
 * How a printer says that a receipt is on paper, best first. "processId": GS ( H, after the last dot and the cut. "paperSensor": GS r,
 * answered when everything before it was taken from the receive buffer. "status": it answers neither; its condition a while after
 * sending decides.
 */
export type Confirmation = 'processId' | 'paperSensor' | 'status';

type Failed = Extract<PrintCompletion, { outcome: 'failed' }>;
export type JobLog = (message: string, details?: Readonly<Record<string, unknown>>) => void;

/** Bytes offered at once: a failure names where it was, and a printer that stops is noticed soon. */
const PIECE_BYTES = 4_096;
/** Longest wait for the line to take one piece, ms. At 2,400 baud a piece takes 17 s. */
const PIECE_MS_MAX = 30_000;
/** Longest wait from the last byte to the printer's word, ms. A metre of raster at 50 mm/s takes 20 s. */
const CONFIRM_MS_MAX = 60_000;
/** Between two looks at a printer that is printing, ms. */
const LOOK_EVERY_MS = 1_000;
/** Longest wait for an answer to "forget what you have", ms. */
const CLEAR_MS_MAX = 1_000;
/** How fast a slow printer takes data, bytes/s: what "a while after sending" means for one that confirms nothing. */
const SLOW_BYTES_PER_SECOND = 2_000;
const SETTLE_MS_MIN = 2_000;

/** @returns what became of it, and whether part of it may stand on paper that was not cut. */
export async function printJob(
  link: PrinterLink,
  bytes: Uint8Array,
  confirmation: Confirmation,
  /** Four characters no other job of late had. */
  id: string,
  clock: Clock,
  log: JobLog,
  power: AbortSignal,
): Promise<{ readonly completion: PrintCompletion; readonly fragment: boolean }> {
  const before = failureOf(link);
  if (before) {
    return { completion: { ...before, message: `${before.message}; nothing was sent` }, fragment: false };
  }
  // Ends the sending or the waiting as soon as the printer can't go on.
  using stopped = onObstacle(link);
  const signal = AbortSignal.any([power, stopped.signal]);
  let sent = 0;
  try {
    for (; sent < bytes.length; sent += PIECE_BYTES) {
      using limit = deadline(clock, PIECE_MS_MAX, signal);
      await link.write(bytes.subarray(sent, sent + PIECE_BYTES), limit.signal);
    }
    const confirmed = await confirm(link, confirmation, bytes.length, id, clock, log, signal);
    if (confirmed) return { completion: confirmed, fragment: confirmed.outcome === 'failed' };
  } catch (cause) {
    power.throwIfAborted();
    if (!signal.aborted && !(cause instanceof LineError) && !isTimeout(cause)) throw cause;
  }
  const amount =
    sent < bytes.length ? `after at least ${sent} of ${bytes.length} bytes` : `after all ${bytes.length} bytes`;
  if (link.ended) {
    const { message } = await link.end;
    const text = `${message}, ${amount}: the receipt may be incomplete or still come out`;
    return { completion: failed('noDevice', text), fragment: true };
  }
  const reason = obstacle(link.condition)?.message ?? 'the printer gives no reason';
  const what = sent < bytes.length ? 'takes no more data' : 'does not confirm the receipt';
  // What stopped it may be over by now, as a cover that was opened and shut.
  const failure = stopped.failure() ?? failed('hardwareError', `the printer ${what} (${reason})`);
  const cleared = await link.ask(CLEAR_BUFFERS, 'cleared', CLEAR_MS_MAX, power);
  // Its parser may stand in the middle of a command now: a new connection begins anew.
  if (!cleared) await link.close(new LineError('gone', `given up ${amount}`));
  log('a receipt was not printed', { ...failure, sent, bytes: bytes.length, cleared: cleared !== null });
  const rest = cleared ? 'the rest was cleared' : 'the rest may still come out';
  return { completion: { ...failure, message: `${failure.message}, ${amount}; ${rest}` }, fragment: true };
}

/** Null when nothing was heard in time, or the signal aborted. */
async function confirm(
  link: PrinterLink,
  confirmation: Confirmation,
  sent: number,
  id: string,
  clock: Clock,
  log: JobLog,
  signal: AbortSignal,
): Promise<PrintCompletion | null> {
  if (!link.speaks) {
    // A line that takes bytes and a printer that never said a word: nobody knows whether there is paper, or a printer.
    return failed(
      'hardwareError',
      `${sent} bytes were sent, but this printer answers nothing: look whether they came out`,
    );
  }
  if (confirmation === 'status') {
    return await confirmByStatus(link, sent, clock, log, signal);
  }
  const answered = new AbortController();
  let answer: Response | null = null;
  const stop = link.onResponse((response) => {
    const ours =
      response.kind === 'processId' ? response.id === id : response.kind === 'single' && confirmation === 'paperSensor';
    if (!ours) return;
    answer = response;
    answered.abort();
  });
  using limit = deadline(clock, CONFIRM_MS_MAX, AbortSignal.any([signal, link.signal]));
  try {
    await link.write(confirmation === 'processId' ? askProcessId(id) : ASK_PAPER, limit.signal);
    const lookAgain = AbortSignal.any([limit.signal, answered.signal]);
    while (!lookAgain.aborted) {
      await clock.sleep(LOOK_EVERY_MS, lookAgain).catch(() => undefined);
      // The sensors are asked as well: not every printer pushes its status.
      if (!lookAgain.aborted) await link.askCondition(limit.signal);
    }
  } catch (cause) {
    if (!limit.signal.aborted && !(cause instanceof LineError)) throw cause;
  } finally {
    stop();
  }
  return completionOf(answer);
}

/** Its condition once it had the time to print; what passes by itself is waited for. */
async function confirmByStatus(
  link: PrinterLink,
  sent: number,
  clock: Clock,
  log: JobLog,
  signal: AbortSignal,
): Promise<PrintCompletion | null> {
  using limit = deadline(clock, CONFIRM_MS_MAX, signal);
  await clock.sleep(Math.max(SETTLE_MS_MIN, (sent / SLOW_BYTES_PER_SECOND) * 1_000), signal);
  while (!limit.signal.aborted && (await link.askCondition(signal))) {
    if (!obstacle(link.condition)) {
      log('a receipt was sent and not confirmed; the printer is in order', { bytes: sent });
      return { outcome: 'printed' };
    }
    await clock.sleep(LOOK_EVERY_MS, limit.signal).catch(() => undefined);
  }
  return null;
}

function completionOf(answer: Response | null): PrintCompletion | null {
  if (!answer) return null;
  return answer.kind === 'single' && paperOf(answer.byte) === 'out'
    ? failed('paperOut', 'out of paper')
    : { outcome: 'printed' };
}

/** Aborts when a person or a mechanic is needed; what passes by itself is waited for. */
function onObstacle(link: PrinterLink): {
  readonly signal: AbortSignal;
  failure(): Failed | null;
  [Symbol.dispose](): void;
} {
  const controller = new AbortController();
  let failure: Failed | null = null;
  const stop = link.onCondition(() => {
    failure ??= failureOf(link);
    if (failure) controller.abort(new Error(failure.message));
  });
  return { signal: controller.signal, failure: () => failure, [Symbol.dispose]: stop };
}

/** What keeps this printer from printing until somebody comes; null when nothing does. */
function failureOf(link: PrinterLink): Failed | null {
  const found = obstacle(link.condition);
  switch (found?.kind) {
    case undefined:
    case 'autoRecoverable':
    case 'offline':
      return null;
    case 'paperOut':
      return failed('paperOut', found.message);
    case 'recoverable':
      return failed('paperJammed', found.message);
    case 'cutter':
    case 'coverOpen':
    case 'unrecoverable':
      return failed('hardwareError', found.message);
  }
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'TimeoutError';
}

function failed(error: Failed['error'], message: string): Failed {
  return { outcome: 'failed', error, message };
}
