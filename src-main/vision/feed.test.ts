import { beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame, type Frame } from '../../src-contract/frame.ts';
import { TerminalError } from '../errors.ts';
import { type ManualClock, manualClock } from '../host/manual-clock.fixture.ts';
import { createFeed, type Feed } from './feed.ts';
import type { Observation } from './observation.ts';

/** A look at one frame, to be ended by the test. */
interface Look {
  readonly sequence: number;
  end(): void;
  fail(error: unknown): void;
}

let clock: ManualClock;
let feed: Feed;
let looks: Look[];
let underWay: number;
let mostUnderWay: number;
let problems: TerminalError[];
/** Frames the page was asked for. */
let asked: number;

beforeEach(() => {
  clock = manualClock();
  looks = [];
  underWay = 0;
  mostUnderWay = 0;
  problems = [];
  asked = 0;
  feed = createFeed({ vision: { observe }, clock, onProblem: (error) => problems.push(error) });
  feed.onFrameWanted(() => asked++);
});

function observe(frame: Frame, signal: AbortSignal): Promise<Observation> {
  mostUnderWay = Math.max(mostUnderWay, ++underWay);
  return new Promise<Observation>((resolve, reject) => {
    const { sequence, capturedAtMs, width, height } = frame;
    signal.addEventListener('abort', () => reject(signal.reason));
    looks.push({
      sequence,
      end: () =>
        resolve({ sequence, capturedAtMs, width, height, faces: [], chosen: null, hint: 'nobody-there', stageMs: {} }),
      fail: reject,
    });
  }).finally(() => underWay--);
}

const message = (sequence: number) =>
  encodeFrame({ width: 64, height: 64, sequence, capturedAtMs: sequence * 40, pixels: new Uint8Array(64 * 64 * 4) });
const settled = () => clock.advance(0);
function watching() {
  const seen: number[] = [];
  const stop = feed.watch(({ sequence }) => seen.push(sequence));
  return { seen, stop };
}

describe('a feed', () => {
  it('asks for nothing and looks at nothing while nobody watches', async () => {
    feed.handleFrame(message(1));
    await clock.advance(10_000);
    expect([feed.watched, asked, looks.length, clock.waiting]).toEqual([false, 0, 0, 0]);
  });

  it('tells who asks whether anybody watches, once per change', () => {
    const told: boolean[] = [];
    const stop = feed.onWatched(() => told.push(feed.watched));
    const one = watching();
    const other = watching();
    one.stop();
    expect(told).toEqual([true]);
    other.stop();
    expect(told).toEqual([true, false]);
    stop();
    watching();
    expect(told).toEqual([true, false]);
  });

  it('asks for one frame when somebody begins to watch, also a page that comes later', () => {
    watching();
    expect(asked).toBe(1);
    let late = 0;
    feed.onFrameWanted(() => late++);
    expect([asked, late]).toEqual([1, 1]);
  });

  it('gives every watcher what was seen', async () => {
    const [one, other] = [watching(), watching()];
    feed.handleFrame(message(1));
    looks[0]?.end();
    await settled();
    expect([one.seen, other.seen]).toEqual([[1], [1]]);
  });

  it('lets the next frame come while it looks, never looks at two, and never keeps more than one', async () => {
    const { seen } = watching();
    feed.handleFrame(message(1));
    expect(asked).toBe(2);
    for (const sequence of [2, 3, 4]) feed.handleFrame(message(sequence));
    expect([asked, looks.map(({ sequence }) => sequence)]).toEqual([2, [1]]);
    looks[0]?.end();
    await settled();
    expect([asked, looks.map(({ sequence }) => sequence)]).toEqual([3, [1, 2]]);
    looks[1]?.end();
    await settled();
    expect([seen, mostUnderWay, looks.length]).toEqual([[1, 2], 1, 2]);
  });

  it('asks again after a second of silence: the page may have been loaded anew', async () => {
    watching();
    await clock.advance(999);
    expect(asked).toBe(1);
    await clock.advance(1);
    expect(asked).toBe(2);
    await clock.advance(3_000);
    expect(asked).toBe(5);
    feed.handleFrame(message(1));
    expect(looks).toHaveLength(1);
  });

  it('stops asking when nobody watches any more, and begins again with the next', async () => {
    const { stop } = watching();
    stop();
    await clock.advance(5_000);
    expect([asked, clock.waiting]).toEqual([1, 0]);
    feed.handleFrame(message(1));
    expect(looks).toHaveLength(0);
    watching();
    expect(asked).toBe(2);
  });

  it('does not tell a watcher that has left', async () => {
    const { seen, stop } = watching();
    feed.handleFrame(message(1));
    stop();
    looks[0]?.end();
    await settled();
    expect(seen).toEqual([]);
  });
});

describe('a frame that cannot be used is reported, and the feed goes on:', () => {
  const goesOn = async () => {
    const before = asked;
    await clock.advance(1_000);
    expect(asked).toBeGreaterThanOrEqual(before);
    const looked = looks.length;
    feed.handleFrame(message(99));
    expect(looks).toHaveLength(looked + 1);
  };

  it.each<[string, Uint8Array, string]>([
    ['shorter than its header', new Uint8Array(7), 'frame: 7 bytes'],
    ['of other bytes', new TextEncoder().encode('<html>I am no frame at all, sorry</html>'), 'magic'],
    ['one byte short', message(1).subarray(0, -1), '64×64 needs 16404 bytes, got 16403'],
    ['one byte long', Uint8Array.from([...message(1), 0]), '64×64 needs 16404 bytes, got 16405'],
  ])('one %s', async (_, bytes, says) => {
    const { seen } = watching();
    feed.handleFrame(bytes);
    await settled();
    expect(problems).toMatchObject([{ code: 'FRAME_INVALID', message: expect.stringContaining(says) }]);
    expect([seen, looks.length]).toEqual([[], 0]);
    await goesOn();
  });

  it('one the worker failed at', async () => {
    watching();
    feed.handleFrame(message(1));
    looks[0]?.fail(new TerminalError('VISION_FAILED', 'the worker ended'));
    await settled();
    expect(problems).toMatchObject([{ code: 'VISION_FAILED', message: 'the worker ended' }]);
    await goesOn();
  });

  it('one that broke something nobody thought of', async () => {
    watching();
    feed.handleFrame(message(1));
    looks[0]?.fail(new RangeError('out of bounds'));
    await settled();
    expect(problems).toMatchObject([{ code: 'VISION_FAILED', message: 'RangeError: out of bounds' }]);
    await goesOn();
  });

  it('one that is looked at for more than three seconds', async () => {
    const { seen } = watching();
    feed.handleFrame(message(1));
    await clock.advance(2_999);
    expect(problems).toEqual([]);
    await clock.advance(1);
    expect(problems).toMatchObject([{ code: 'VISION_FAILED', message: 'no observation within 3000 ms' }]);
    expect(seen).toEqual([]);
    await goesOn();
  });
});

describe('a closed feed', () => {
  it('asks no more, tells nobody, and leaves no timer', async () => {
    const { seen } = watching();
    feed.handleFrame(message(1));
    feed.close();
    looks[0]?.end();
    await clock.advance(5_000);
    expect([seen, asked, feed.watched, clock.waiting]).toEqual([[], 2, false, 0]);
  });

  it('looks at nothing that comes later, not even what it asked for', () => {
    watching();
    feed.close();
    feed.handleFrame(message(1));
    expect(looks).toEqual([]);
  });
});
