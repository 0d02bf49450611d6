/** From a stream to single frames with readable pixels. */
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from './frame-size.ts';
import { drawCovering, pixelsOf } from './pixels.ts';

export interface CapturedFrame {
  /** Of performance.now(), when the frame reached this page. */
  readonly capturedAtMs: number;
  /** RGBA, 640×480. Rejects once closed. */
  read(): Promise<{ width: number; height: number; pixels: Uint8Array<ArrayBuffer> }>;
  /** Gives the camera its buffer back. Harmless twice. */
  close(): void;
}

/** Chromium's mediacapture-transform, which TypeScript's DOM does not describe yet. */
interface TrackProcessor {
  readonly readable: ReadableStream<VideoFrame>;
}
declare global {
  interface Window {
    MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => TrackProcessor;
  }
}

/** Longest wait for a read under way, ms: some frames of a slow camera. */
const LAST_FRAME_MS_MAX = 300;

/** Calls back with each frame, which the receiver then owns. Returns how to stop: nobody is called back from then on, and the track is to
 *  be stopped once the promise resolves. */
export function readFrames(
  stream: MediaStream,
  onFrame: (frame: CapturedFrame) => void,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const track = stream.getVideoTracks()[0];
  return track && window.MediaStreamTrackProcessor
    ? readTrack(new window.MediaStreamTrackProcessor({ track, maxBufferSize: 1 }), onFrame, onError)
    : readElement(stream, onFrame);
}

function readTrack(
  processor: TrackProcessor,
  onFrame: (frame: CapturedFrame) => void,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const reader = processor.readable.getReader();
  let stopped = false;
  const pump = async () => {
    while (!stopped) {
      const { done, value } = await reader.read();
      if (done) return;
      if (stopped) value.close();
      else onFrame(fromVideoFrame(value));
    }
    await reader.cancel();
  };
  const ended = pump().catch((error) => {
    if (!stopped) onError(error);
  });
  // A frame that was asked for and comes after its track was stopped is handed to nobody, and nobody could close it.
  return async () => {
    stopped = true;
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LAST_FRAME_MS_MAX))]);
  };
}

function fromVideoFrame(frame: VideoFrame): CapturedFrame {
  return {
    capturedAtMs: performance.now(),
    read: async () => ({ width: FRAME_WIDTH_PX, height: FRAME_HEIGHT_PX, pixels: await rgbaOf(frame) }),
    close: () => frame.close(),
  };
}

const RGBA_BYTES = FRAME_WIDTH_PX * FRAME_HEIGHT_PX * 4;
/** Not every source's format can be converted while copying; the first refusal is believed for good. */
let copiesAsRgba = true;

async function rgbaOf(frame: VideoFrame): Promise<Uint8Array<ArrayBuffer>> {
  const { visibleRect } = frame;
  const fits = visibleRect?.width === FRAME_WIDTH_PX && visibleRect.height === FRAME_HEIGHT_PX;
  if (copiesAsRgba && fits && frame.displayWidth === FRAME_WIDTH_PX) {
    try {
      if (frame.allocationSize({ format: 'RGBA' }) === RGBA_BYTES) {
        const pixels = new Uint8Array(RGBA_BYTES);
        await frame.copyTo(pixels, { format: 'RGBA' });
        return pixels;
      }
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error;
      copiesAsRgba = false;
    }
  }
  return pixelsOf((context) => drawCovering(context, frame, frame.displayWidth, frame.displayHeight));
}

/** Without the track processor: a video element, looked at each time it shows another picture. */
function readElement(stream: MediaStream, onFrame: (frame: CapturedFrame) => void): () => Promise<void> {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  let handle = 0;
  const next = () => {
    onFrame({
      capturedAtMs: performance.now(),
      read: async () => ({
        width: FRAME_WIDTH_PX,
        height: FRAME_HEIGHT_PX,
        pixels: pixelsOf((context) => drawCovering(context, video, video.videoWidth, video.videoHeight)),
      }),
      close: () => {},
    });
    handle = video.requestVideoFrameCallback(next);
  };
  handle = video.requestVideoFrameCallback(next);
  void video.play().catch(() => {});
  return async () => {
    video.cancelVideoFrameCallback(handle);
    video.srcObject = null;
  };
}
