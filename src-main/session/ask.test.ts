import { describe, expect, it } from 'vitest';
import { manualClock } from '../host/manual-clock.fixture.ts';
import { ask, DEVICE_BACK_MS_MAX } from './ask.ts';

const never = new AbortController().signal;
const silent = (limit: AbortSignal) =>
  new Promise<never>((_, reject) => limit.addEventListener('abort', () => reject(limit.reason)));

describe('a device asked what became of a transaction', () => {
  it('is asked again when it does not answer, as after a command whose answer was lost', async () => {
    const clock = manualClock();
    let asked = 0;
    const answer = ask(clock, never, (limit) => {
      asked += 1;
      return asked < 3 ? silent(limit) : Promise.resolve('stored');
    });
    await clock.advance(16_000);
    expect(await answer).toBe('stored');
    expect(clock.now()).toBeGreaterThanOrEqual(12_000);
  });

  it('is asked as long as one that was switched off and on may take, and what it then says counts', async () => {
    const clock = manualClock();
    let back = false;
    clock.after(40_000, () => {
      back = true;
    });
    const answer = ask(clock, never, async () => {
      if (!back) throw new Error('does not answer');
      return 'presented';
    });
    await clock.advance(41_000);
    expect(await answer).toBe('presented');
  });

  it('is given up after that, with what it said last', async () => {
    const clock = manualClock();
    let asked = 0;
    const answer = ask(clock, never, async () => {
      asked += 1;
      throw new Error(`no answer ${asked}`);
    });
    let over = false;
    answer
      .catch(() => undefined)
      .finally(() => {
        over = true;
      });
    await clock.advance(DEVICE_BACK_MS_MAX - 1);
    expect(over).toBe(false);
    await clock.advance(1_001);
    await expect(answer).rejects.toThrow(`no answer ${asked}`);
    expect(asked).toBe(46);
  });

  it('is not asked again once nobody wants to know', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    let asked = 0;
    const answer = ask(clock, controller.signal, (limit) => {
      asked += 1;
      return silent(limit);
    });
    answer.catch(() => undefined);
    controller.abort(new Error('the visit ends'));
    await clock.advance(16_000);
    await expect(answer).rejects.toThrow('the visit ends');
    expect(asked).toBe(1);
  });
});
