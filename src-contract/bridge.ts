/**
 * The one interface between a screen and its terminal, whichever host carries it. Frames are pulled: the terminal asks
 * for one when it can look at it, and the newest frame answers, so none queue up.
 */
import type { Intent, IntentAnswer, View } from './screen.ts';

export interface TerminalBridge {
  /** Sends one intent as an answer to the view last received. Resolves with the terminal's answer; rejects only when the
   *  connection to the terminal is lost. */
  send(intent: Intent): Promise<IntentAnswer>;
  /** Calls back with the current view at once if there is one, then with every new view. Returns how to stop. */
  onView(listener: (view: View) => void): () => void;
  /** Calls back each time the terminal is ready for one frame. Returns how to stop. */
  onFrameWanted(listener: () => void): () => void;
  /** Sends one encoded frame (src-contract/frame.ts). A frame that was not asked for is dropped by the terminal. */
  sendFrame(message: Uint8Array<ArrayBuffer>): void;
  /** Calls back with whether the terminal can be reached, at once and on every change. Returns how to stop. */
  onConnection(listener: (connected: boolean) => void): () => void;
}
