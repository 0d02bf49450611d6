/** How a cash device is told to move notes, and asked what became of a transaction, before nobody but a technician can say. */
import { type Clock, deadline } from '../clock.ts';

/** Longest time one device command may take, ms: a recycler picks 50 notes in under 20 s, and storing or returning a full escrow of
 *  200 takes the slowest acceptor under 30 s. */
export const COMMAND_MS_MAX = 60_000;
/** A device that answers nothing is asked this often, this far apart, before its transaction is suspect: over the time that a
 *  broken connection, or a command whose answer was lost, may keep it from answering. */
const TRIES = 3;
const ANSWER_MS_MAX = 5_000;
const PAUSE_MS = 1_000;

/** Rejects with the last failure once every try is used up, or at once when the signal aborts. */
export async function ask<Answer>(
  clock: Clock,
  signal: AbortSignal,
  question: (limit: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      using limit = deadline(clock, ANSWER_MS_MAX, signal);
      return await question(limit.signal);
    } catch (error) {
      if (tries >= TRIES || signal.aborted) throw error;
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
