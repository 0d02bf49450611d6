/**
 * From the camera page to whoever watches: asks for a frame whenever it has room for one (one being looked at, one on its
 * way), so that none queue up, and the camera runs only while somebody watches.
 */
import { decodeFrame } from '../../src-contract/frame.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Observation, Vision } from './observation.ts';

/** Longest look at one frame, ms; ten times the slowest machine measured. */
const OBSERVE_MS_MAX = 3_000;
/** A frame that was asked for and did not come is asked for again after this, ms: the page may have been loaded anew. */
const ASK_AGAIN_MS = 1_000;

export interface Feed {
  /** Whether anybody watches. */
  readonly watched: boolean;
  /** Called when that changes. Returns how to stop. */
  onWatched(listener: () => void): () => void;
  /** Calls back with each observation from now on. Returns how to stop. */
  watch(listener: (observation: Observation) => void): () => void;
  /** Calls back each time one frame can be looked at. Returns how to stop. */
  onFrameWanted(listener: () => void): () => void;
  /** Takes one frame message; one that nobody asked for is dropped. */
  handleFrame(message: Uint8Array): void;
  close(): void;
}

export interface FeedOptions {
  readonly vision: Pick<Vision, 'observe'>;
  readonly clock: Clock;
  /** A frame that could not be used: malformed, or the worker failed. */
  readonly onProblem: (error: TerminalError) => void;
}

export function createFeed({ vision, clock, onProblem }: FeedOptions): Feed {
  const watchers = new Set<(observation: Observation) => void>();
  const watchedListeners = new Set<() => void>();
  const wantedListeners = new Set<() => void>();
  /** Whether a frame was asked for and has not come. */
  let asked = false;
  let looking = false;
  /** Came while the worker was busy; the next it looks at. Never more than one. */
  let next: Uint8Array | null = null;
  let callOffAgain = () => {};
  let closed = false;

  const ask = () => {
    callOffAgain();
    asked = !closed && watchers.size > 0;
    if (!asked) return;
    callOffAgain = clock.after(ASK_AGAIN_MS, ask);
    for (const listener of wantedListeners) listener();
  };

  /** Looks at one frame while the following one is on its way. */
  const look = async (message: Uint8Array) => {
    looking = true;
    ask();
    const controller = new AbortController();
    const callOff = clock.after(OBSERVE_MS_MAX, () =>
      controller.abort(new TerminalError('VISION_FAILED', `no observation within ${OBSERVE_MS_MAX} ms`)),
    );
    try {
      const observation = await vision.observe(decode(message), controller.signal);
      for (const watcher of watchers) watcher(observation);
    } catch (error) {
      onProblem(
        error instanceof TerminalError ? error : new TerminalError('VISION_FAILED', String(error), { cause: error }),
      );
    } finally {
      callOff();
      looking = false;
      const waiting = next;
      next = null;
      if (waiting && watchers.size > 0 && !closed) void look(waiting);
      else if (!asked) ask();
    }
  };

  return {
    get watched() {
      return watchers.size > 0;
    },
    onWatched(listener) {
      watchedListeners.add(listener);
      return () => watchedListeners.delete(listener);
    },
    watch(listener) {
      const first = watchers.size === 0;
      watchers.add(listener);
      if (first) for (const told of watchedListeners) told();
      if (!asked && !looking) ask();
      return () => {
        watchers.delete(listener);
        if (watchers.size === 0) for (const told of watchedListeners) told();
      };
    },
    onFrameWanted(listener) {
      wantedListeners.add(listener);
      if (asked) listener();
      return () => wantedListeners.delete(listener);
    },
    handleFrame(message) {
      if (!asked) return;
      asked = false;
      callOffAgain();
      if (looking) next = message;
      else void look(message);
    },
    close() {
      closed = true;
      asked = false;
      callOffAgain();
      watchers.clear();
    },
  };
}

function decode(message: Uint8Array) {
  try {
    return decodeFrame(message);
  } catch (cause) {
    throw new TerminalError('FRAME_INVALID', (cause as Error).message, { cause });
  }
}
