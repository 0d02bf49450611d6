/**
 * What both hosts do the same between the terminal and whichever screen is attached just now: replay the current view and an
 * open wish for a frame to a new screen, let one frame through per wish, and bound how often a screen may speak.
 */
import { FRAME_MESSAGE_BYTES_MAX } from '../../src-contract/bridge-messages.ts';
import type { IntentAnswer, View } from '../../src-contract/screen.ts';
import type { Clock } from '../clock.ts';
import type { TerminalEnd } from './host.ts';
import type { HostLog } from './log.ts';

/** More than a person with both hands on the glass; a page in a loop is stopped here. */
export const INTENTS_PER_SECOND_MAX = 30;

/** The way to one screen. */
export interface ScreenOutput {
  view(view: View): void;
  frameWanted(): void;
}

export interface ScreenLink {
  /** Makes this the screen; a former one gets nothing more. Returns how to detach it. */
  attach(output: ScreenOutput): () => void;
  /** One intent message of any shape. */
  intent(message: unknown): IntentAnswer;
  /** One frame message. Dropped unless the terminal asked for a frame and got none since. Says whether it was let through. */
  frame(message: Uint8Array): boolean;
  close(): void;
}

export function linkScreen(terminal: TerminalEnd, clock: Clock, log: HostLog): ScreenLink {
  let output: ScreenOutput | undefined;
  let view: View | undefined;
  let wanted = false;
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let inWindow = 0;

  const stops = [
    terminal.onView((next) => {
      view = next;
      output?.view(next);
    }),
    terminal.onFrameWanted(() => {
      wanted = true;
      output?.frameWanted();
    }),
  ];

  return {
    attach(next) {
      output = next;
      if (view) next.view(view);
      if (wanted) next.frameWanted();
      return () => {
        if (output === next) output = undefined;
      };
    },
    intent(message) {
      const nowMs = clock.monotonicMs();
      if (nowMs - windowStartMs >= 1000) {
        windowStartMs = nowMs;
        inWindow = 0;
      }
      inWindow += 1;
      if (inWindow > INTENTS_PER_SECOND_MAX) {
        if (inWindow === INTENTS_PER_SECOND_MAX + 1) log.warn({ perSecond: inWindow }, 'screen: intents come too fast');
        return { ok: false, code: 'invalid', message: `more than ${INTENTS_PER_SECOND_MAX} intents in a second` };
      }
      return terminal.handleIntent(message);
    },
    frame(message) {
      if (!wanted || message.length > FRAME_MESSAGE_BYTES_MAX) return false;
      wanted = false;
      terminal.handleFrame(message);
      return true;
    },
    close() {
      for (const stop of stops) stop();
      output = undefined;
    },
  };
}
