import { describe, expect, it } from 'vitest';
import { remaining } from './remaining.ts';

const timeout = { remainingMs: 30_000, warnMs: 10_000 };

describe('what remains of a visit', () => {
  it('is nothing to speak of where nothing runs out', () => {
    expect(remaining(null, 0, 99_999)).toBeNull();
  });

  it('is counted from when the view arrived', () => {
    expect(remaining(timeout, 5_000, 5_000)).toEqual({ warning: false, seconds: 30 });
    expect(remaining(timeout, 5_000, 24_999)).toEqual({ warning: false, seconds: 11 });
    expect(remaining(timeout, 5_000, 25_000)).toEqual({ warning: true, seconds: 10 });
  });

  it('ends at zero and stays there', () => {
    expect(remaining(timeout, 0, 30_000)).toEqual({ warning: true, seconds: 0 });
    expect(remaining(timeout, 0, 300_000)).toEqual({ warning: true, seconds: 0 });
  });
});
