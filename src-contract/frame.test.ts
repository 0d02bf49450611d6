import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES, FrameError } from './frame.ts';

const frame = (width: number, height: number) => ({
  width,
  height,
  sequence: 7,
  capturedAtMs: 1234.5,
  pixels: new Uint8Array(width * height * 4).fill(9),
});

describe('frame message', () => {
  it('carries a frame unchanged', () => {
    expect(decodeFrame(encodeFrame(frame(64, 80)))).toEqual(frame(64, 80));
  });

  it('refuses a frame whose pixels are fewer or more than its size says, naming both', () => {
    const bytes = encodeFrame(frame(64, 64));
    expect(() => decodeFrame(bytes.subarray(0, bytes.length - 1))).toThrow('64×64 needs 16404 bytes, got 16403');
    const longer = new Uint8Array(bytes.length + 4);
    longer.set(bytes);
    expect(() => decodeFrame(longer)).toThrow('got 16408');
  });

  it('refuses another magic, a short header, a size out of range and a time that is none', () => {
    expect(() => decodeFrame(new Uint8Array(3))).toThrow(FrameError);
    const magic = encodeFrame(frame(64, 64));
    magic[0] = 0;
    expect(() => decodeFrame(magic)).toThrow('magic');
    expect(() => decodeFrame(encodeFrame({ ...frame(64, 64), width: 4000 }))).toThrow('width 4000');
    expect(() => decodeFrame(encodeFrame({ ...frame(64, 64), height: 2 }))).toThrow('height 2');
    const time = encodeFrame(frame(64, 64));
    new DataView(time.buffer).setFloat64(12, Number.NaN, true);
    expect(() => decodeFrame(time)).toThrow('capture time');
    expect(FRAME_HEADER_BYTES).toBe(20);
  });
});
