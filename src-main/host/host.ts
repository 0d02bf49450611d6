/**
 * The host: whatever holds the screen. Electron and Chromium stand behind this one interface; both carry the same bridge
 * (src-contract/bridge.ts) and hand the terminal what arrives, unparsed.
 */
import type { IntentAnswer, View } from '../../src-contract/screen.ts';

/** The terminal, as a host sees it. Everything from the screen is parsed here, not in the host. */
export interface TerminalEnd {
  /** One intent message as it came, of any shape. */
  handleIntent(message: unknown): IntentAnswer;
  /** The current view, and every one after it. Returns how to stop. */
  onView(listener: (view: View) => void): () => void;
  /** Calls back each time the terminal can look at one frame. Returns how to stop. */
  onFrameWanted(listener: () => void): () => void;
  /** One frame message as it came, of any bytes. Bad ones are dropped and reported to the technician's log. */
  handleFrame(message: Uint8Array): void;
}

export interface Host {
  readonly kind: 'electron' | 'chromium';
  /** Resolves with why, once the screen is gone for good (closed by the operating system or given up on). */
  readonly closed: Promise<string>;
  close(): Promise<void>;
}
