/**
 * Between a camera that gives frames when it likes and a terminal that asks for one when it can look at it. Holds one frame,
 * the newest not yet sent. A wish is met by it, or by the next that comes; two wishes before that are one.
 */
import { encodeFrame } from '../../src-contract/frame.ts';
import type { CapturedFrame } from './frame-reader.ts';

export class FrameDesk {
  readonly #send: (message: Uint8Array<ArrayBuffer>) => void;
  #newest: CapturedFrame | null = null;
  #wanted = false;
  #sending = false;
  #sequence = 0;

  constructor(send: (message: Uint8Array<ArrayBuffer>) => void) {
    this.#send = send;
  }

  put(frame: CapturedFrame): void {
    this.#newest?.close();
    this.#newest = frame;
    this.#sequence = (this.#sequence + 1) >>> 0;
    void this.#deliver();
  }

  want(): void {
    this.#wanted = true;
    void this.#deliver();
  }

  /** Forgets the frame it holds, not the wish: what was in front of one source is never sent for the next. */
  clear(): void {
    this.#newest?.close();
    this.#newest = null;
  }

  async #deliver(): Promise<void> {
    const frame = this.#newest;
    if (!this.#wanted || !frame || this.#sending) return;
    this.#newest = null;
    this.#wanted = false;
    this.#sending = true;
    const sequence = this.#sequence;
    try {
      const { width, height, pixels } = await frame.read();
      this.#send(encodeFrame({ width, height, sequence, capturedAtMs: frame.capturedAtMs, pixels }));
    } catch {
      // The frame's camera was switched off while it was read. The wish stands: the next frame meets it.
      this.#wanted = true;
    } finally {
      frame.close();
      this.#sending = false;
      void this.#deliver();
    }
  }
}
