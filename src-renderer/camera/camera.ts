/**
 * The camera page: one source at a time, real or simulated, and both the same from here on: a MediaStream whose frames are
 * read. A camera that fails is tried again, ever more slowly, and at once when the machine says a device came or went.
 */
import type { CameraSource, Intent } from '../../src-contract/screen.ts';
import { openDevice } from './device-source.ts';
import { type CapturedFrame, readFrames } from './frame-reader.ts';
import { openScene } from './scene-source.ts';

export type CameraReport = Omit<Extract<Intent, { kind: 'report-camera' }>, 'kind'>;

/** An open source. */
export interface OpenSource {
  readonly stream: MediaStream;
  /** Stops tracks, timers and media. */
  close(): void;
}

export interface CameraEvents {
  onStream(stream: MediaStream | null): void;
  onReport(report: CameraReport): void;
  /** The receiver owns the frame and closes it. */
  onFrame(frame: CapturedFrame): void;
}

/** Waits between attempts, ms: about four minutes in all, then only a device that comes or goes brings another try. */
export const RETRY_AFTER_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000] as const;
/** A camera that ran this long, ms, was well; its next failure starts the waits anew. */
const WELL_AFTER_MS = 10_000;

export class Camera {
  readonly #events: CameraEvents;
  #run: AbortController | null = null;

  constructor(events: CameraEvents) {
    this.#events = events;
  }

  /** Switches to a source, or off with null. Whatever ran before is stopped first. */
  use(source: CameraSource | null): void {
    const ran = this.#run !== null;
    this.#run?.abort();
    this.#run = null;
    if (ran) this.#events.onReport({ state: 'stopped', detail: '' });
    if (!source) return;
    this.#run = new AbortController();
    void this.#keepRunning(source, this.#run.signal);
  }

  async #keepRunning(source: CameraSource, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAtMs = performance.now();
      const failure = await this.#runOnce(source, signal);
      if (signal.aborted) return;
      this.#events.onReport(failure);
      if (performance.now() - startedAtMs > WELL_AFTER_MS) failures = 0;
      await untilWorthAnotherTry(RETRY_AFTER_MS[failures] ?? null, signal);
    }
  }

  /** Resolves with why it stopped. */
  async #runOnce(source: CameraSource, signal: AbortSignal): Promise<CameraReport> {
    let open: OpenSource;
    try {
      open = source.kind === 'device' ? await openDevice(source.label) : await openScene(source, signal);
    } catch (error) {
      return failureReport(error);
    }
    const track = open.stream.getVideoTracks()[0];
    let stopReading = async () => {};
    try {
      if (signal.aborted || !track) return { state: 'failed', detail: 'the source has no video track' };
      this.#events.onStream(open.stream);
      return await new Promise<CameraReport>((resolve) => {
        let running = false;
        stopReading = readFrames(
          open.stream,
          (frame) => {
            if (!running) this.#events.onReport({ state: 'running', detail: track.label.slice(0, 300) });
            running = true;
            this.#events.onFrame(frame);
          },
          (error) => resolve(failureReport(error)),
        );
        track.addEventListener('ended', () => resolve({ state: 'failed', detail: 'the camera stopped sending' }));
        signal.addEventListener('abort', () => resolve({ state: 'stopped', detail: '' }));
      });
    } finally {
      const read = stopReading();
      this.#events.onStream(null);
      await read;
      open.close();
    }
  }
}

/** What the browser's error means for the terminal (Media Capture and Streams, 10.3.1 getUserMedia). */
export function failureReport(error: unknown): CameraReport {
  const name = error instanceof Error ? error.name : '';
  const detail = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 300);
  if (name === 'NotAllowedError' || name === 'SecurityError') return { state: 'denied', detail };
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return { state: 'not-found', detail };
  return { state: 'failed', detail };
}

/** Null waits for a device that comes or goes alone. */
function untilWorthAnotherTry(ms: number | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    const timer = ms === null ? undefined : setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      devices?.removeEventListener('devicechange', done);
      signal.removeEventListener('abort', done);
      resolve();
    }
    devices?.addEventListener('devicechange', done);
    signal.addEventListener('abort', done);
  });
}
