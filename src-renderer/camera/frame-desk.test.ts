import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../src-contract/frame.ts';
import { FrameDesk } from './frame-desk.ts';
import type { CapturedFrame } from './frame-reader.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve));

function setUp() {
  const sent: { at: number; sequence: number }[] = [];
  const closed: number[] = [];
  const desk = new FrameDesk((message) => {
    const { capturedAtMs, sequence } = decodeFrame(message);
    sent.push({ at: capturedAtMs, sequence });
  });
  const frame = (at: number, read?: CapturedFrame['read']): CapturedFrame => ({
    capturedAtMs: at,
    read: read ?? (async () => ({ width: 64, height: 64, pixels: new Uint8Array(64 * 64 * 4) })),
    close: () => closed.push(at),
  });
  return { desk, sent, closed, frame };
}

describe('the desk between camera and terminal', () => {
  it('sends nothing that was not asked for, and keeps only the newest frame', async () => {
    const { desk, sent, closed, frame } = setUp();
    desk.put(frame(1));
    desk.put(frame(2));
    desk.put(frame(3));
    await settled();
    expect(sent).toEqual([]);
    expect(closed).toEqual([1, 2]);
  });

  it('answers a wish with the newest frame, and says by its number how many were passed over', async () => {
    const { desk, sent, closed, frame } = setUp();
    for (const at of [1, 2, 3]) desk.put(frame(at));
    desk.want();
    await settled();
    expect(sent).toEqual([{ at: 3, sequence: 3 }]);
    expect(closed).toEqual([1, 2, 3]);
  });

  it('never sends a frame twice: a wish with nothing new waits for the next', async () => {
    const { desk, sent, frame } = setUp();
    desk.put(frame(1));
    desk.want();
    await settled();
    desk.want();
    desk.want();
    await settled();
    expect(sent).toHaveLength(1);
    desk.put(frame(2));
    desk.put(frame(3));
    await settled();
    expect(sent.map(({ at }) => at)).toEqual([1, 2]);
  });

  it('meets a wish with the next frame when the one it took could not be read', async () => {
    const { desk, sent, closed, frame } = setUp();
    desk.want();
    desk.put(frame(1, () => Promise.reject(new Error('closed'))));
    await settled();
    desk.put(frame(2));
    await settled();
    expect(sent.map(({ at }) => at)).toEqual([2]);
    expect(closed).toEqual([1, 2]);
  });

  it('never sends for one source what was seen by the last, and keeps the wish', async () => {
    const { desk, sent, closed, frame } = setUp();
    desk.put(frame(1));
    desk.clear();
    desk.want();
    await settled();
    expect(sent).toEqual([]);
    expect(closed).toEqual([1]);
    desk.put(frame(2));
    await settled();
    expect(sent.map(({ at }) => at)).toEqual([2]);
  });
});
