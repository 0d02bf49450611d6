/**
 * A camera frame on its way from the screen process to the terminal: one binary message, a header and raw pixels.
 *
 * | bytes | what                                                            |
 * |-------|-----------------------------------------------------------------|
 * | 0–3   | magic "KPF1"                                                    |
 * | 4–5   | width in pixels, uint16, little endian                          |
 * | 6–7   | height in pixels, uint16, little endian                         |
 * | 8–11  | sequence, uint32, little endian, counted by the camera page     |
 * | 12–19 | capture time, float64, little endian, ms of the page's monotonic clock |
 * | 20–   | width × height × 4 bytes RGBA, rows top to bottom               |
 */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly sequence: number;
  readonly capturedAtMs: number;
  /** RGBA, width × height × 4 bytes. */
  readonly pixels: Uint8Array;
}

export const FRAME_HEADER_BYTES = 20;
const MAGIC = 0x3146504b; // "KPF1" read as a little-endian uint32
/** Larger than any camera a terminal is built with; bounds the memory one message can take. */
export const FRAME_SIDE_PX_MAX = 1920;
export const FRAME_SIDE_PX_MIN = 64;

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.pixels.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, frame.width, true);
  view.setUint16(6, frame.height, true);
  view.setUint32(8, frame.sequence, true);
  view.setFloat64(12, frame.capturedAtMs, true);
  bytes.set(frame.pixels, FRAME_HEADER_BYTES);
  return bytes;
}

/** Reads one message. Throws {@link FrameError} that says which field does not fit. The pixels share the message's memory. */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw new FrameError(`frame: ${bytes.length} bytes is less than the ${FRAME_HEADER_BYTES}-byte header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw new FrameError('frame: magic is not "KPF1"');
  const width = view.getUint16(4, true);
  const height = view.getUint16(6, true);
  for (const [name, side] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (side < FRAME_SIDE_PX_MIN || side > FRAME_SIDE_PX_MAX) {
      throw new FrameError(`frame: ${name} ${side} is outside ${FRAME_SIDE_PX_MIN}…${FRAME_SIDE_PX_MAX} pixels`);
    }
  }
  const capturedAtMs = view.getFloat64(12, true);
  if (!Number.isFinite(capturedAtMs) || capturedAtMs < 0) throw new FrameError('frame: capture time is not a time');
  const expected = FRAME_HEADER_BYTES + width * height * 4;
  if (bytes.length !== expected) {
    throw new FrameError(`frame: ${width}×${height} needs ${expected} bytes, got ${bytes.length}`);
  }
  return { width, height, sequence: view.getUint32(8, true), capturedAtMs, pixels: bytes.subarray(FRAME_HEADER_BYTES) };
}
