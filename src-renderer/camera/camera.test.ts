import { describe, expect, it } from 'vitest';
import { failureReport } from './camera.ts';

describe('what a camera that fails is reported as', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'not-found'],
    ['OverconstrainedError', 'not-found'],
    ['NotReadableError', 'failed'],
    ['AbortError', 'failed'],
  ])('%s is "%s", with what the browser said', (name, state) => {
    expect(failureReport(new DOMException('it says', name))).toEqual({ state, detail: `${name}: it says` });
  });

  it('fits into a report however long it is, and whatever was thrown', () => {
    expect(failureReport(new Error('x'.repeat(1_000))).detail).toHaveLength(300);
    expect(failureReport('odd')).toEqual({ state: 'failed', detail: 'odd' });
  });
});
