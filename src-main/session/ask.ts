/** How a cash device is told to move notes, and asked what became of a transaction, before nobody but a technician can say. */
import { type Clock, deadline } from '../clock.ts';

/** Longest time one device command may take, ms: a recycler picks 50 notes in under 20 s, and storing or returning a full escrow of
 *  200 takes the slowest acceptor under 30 s. */
export const COMMAND_MS_MAX = 60_000;
/** Longest that a device which answers nothing is asked before its transaction is suspect, ms: above the half minute after which a
 *  driver looks again for one that was switched off and on. The same during a visit as at a start. */
export const DEVICE_BACK_MS_MAX = 45_000;
const ANSWER_MS_MAX = 5_000;
const PAUSE_MS = 1_000;

/** Rejects with the last failure once the patience is used up, or at once when the signal aborts. */
export async function ask<Answer>(
  clock: Clock,
  signal: AbortSignal,
  question: (limit: AbortSignal) => Promise<Answer>,
  patienceMs = DEVICE_BACK_MS_MAX,
): Promise<Answer> {
  const began = clock.monotonicMs();
  for (;;) {
    try {
      using limit = deadline(clock, ANSWER_MS_MAX, signal);
      return await question(limit.signal);
    } catch (error) {
      if (signal.aborted || clock.monotonicMs() - began >= patienceMs) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}

/** Gives a command whose own answer does not matter: the device is asked right after. */
export async function command(
  clock: Clock,
  signal: AbortSignal,
  give: (limit: AbortSignal) => Promise<unknown>,
): Promise<void> {
  try {
    using limit = deadline(clock, COMMAND_MS_MAX, signal);
    await give(limit.signal);
  } catch (error) {
    if (signal.aborted) throw error;
  }
}
