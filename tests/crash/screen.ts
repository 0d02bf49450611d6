/**
 * The screen of a terminal that was started without a browser: the renderer's own bridge over a socket that shows the cookie of
 * the one-time address, and a camera page that answers every wish for a frame from recorded footage.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import type { TerminalBridge } from '../../src-contract/bridge.ts';
import { BRIDGE_PATH } from '../../src-contract/bridge-messages.ts';
import { encodeFrame } from '../../src-contract/frame.ts';
import type { Intent, View } from '../../src-contract/screen.ts';
import { connectChromium } from '../../src-renderer/bridge/chromium.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from '../../src-renderer/camera/frame-size.ts';
import { CLIP_FPS, pixelsOf } from './footage.ts';

export class Screen {
  readonly #bridge: TerminalBridge & { close(): void };
  readonly #listeners = new Set<(view: View) => void>();
  #view: View | null = null;
  /** Who stands before the camera; null: nobody, and no frame comes. */
  #clip: readonly Buffer[] | null = null;
  #clipFromMs = 0;
  #sent = 0;
  #closed = false;

  private constructor(bridge: TerminalBridge & { close(): void }) {
    this.#bridge = bridge;
    bridge.onView((view) => {
      this.#view = view;
      for (const listener of [...this.#listeners]) listener(view);
    });
    bridge.onFrameWanted(() => void this.#sendFrame());
  }

  /** Opens the screen with the address that the terminal said once. */
  static async open(launchUrl: string): Promise<Screen> {
    const answer = await fetch(launchUrl, { redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0];
    if (answer.status !== 303 || !cookie)
      throw new Error(`the terminal refused its own launch address: ${answer.status}`);
    const { host, origin } = new URL(launchUrl);
    const screen = new Screen(
      connectChromium({
        url: `ws://${host}${BRIDGE_PATH}`,
        open: (url) => new WebSocket(url, { headers: { cookie, origin } }) as unknown as globalThis.WebSocket,
      }),
    );
    return screen;
  }

  /** Null before the first view, and after the terminal is gone. */
  get view(): View | null {
    return this.#closed ? null : this.#view;
  }

  /** Calls back with every view from now on. Returns how to stop. */
  onView(listener: (view: View) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  camera(clip: readonly Buffer[] | null): void {
    this.#clip = clip;
    this.#clipFromMs = performance.now();
  }

  /** False where the terminal refused it (the view had changed) or is gone. */
  async does(intent: Intent): Promise<boolean> {
    try {
      return (await this.#bridge.send(intent)).ok;
    } catch {
      return false;
    }
  }

  /** Waits until a view fits; null when none did in time, or the signal ended the wait. */
  async until(fits: (view: View) => boolean, withinMs: number, signal: AbortSignal): Promise<View | null> {
    if (this.view && fits(this.view)) return this.view;
    if (signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<View | null>();
    const give = () => resolve(null);
    const timer = setTimeout(give, withinMs);
    signal.addEventListener('abort', give, { once: true });
    const stop = this.onView((view) => fits(view) && resolve(view));
    const found = await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', give);
    stop();
    return found;
  }

  close(): void {
    this.#closed = true;
    this.#clip = null;
    this.#bridge.close();
  }

  /** The clip's picture of this moment, never the same twice in a row, with the moment it was shown. */
  async #sendFrame(): Promise<void> {
    while (!this.#closed) {
      const clip = this.#clip;
      const capturedAtMs = performance.now();
      const due = Math.floor(((capturedAtMs - this.#clipFromMs) / 1000) * CLIP_FPS);
      const frame = clip?.[due % clip.length];
      if (frame && due !== this.#sent) {
        this.#sent = due;
        const pixels = await pixelsOf(frame);
        const size = { width: FRAME_WIDTH_PX, height: FRAME_HEIGHT_PX };
        if (!this.#closed) this.#bridge.sendFrame(encodeFrame({ ...size, sequence: due, capturedAtMs, pixels }));
        return;
      }
      if (!clip) return;
      await sleep(1000 / CLIP_FPS / 4);
    }
  }
}
