import { expect, it } from 'vitest';
import { type OutOfServiceReason, onCameraLost } from './standing.ts';

it('ends a look when the camera turns out to be another, and for nothing else', () => {
  let reason: OutOfServiceReason | null = null;
  const listeners = new Set<() => void>();
  const standing = {
    reason: () => reason,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const becomes = (next: OutOfServiceReason | null) => {
    reason = next;
    for (const listener of listeners) listener();
  };
  let lost = 0;
  const stop = onCameraLost({ standing }, () => lost++);
  becomes('policy-expired');
  becomes(null);
  expect(lost).toBe(0);
  becomes('camera');
  expect(lost).toBe(1);
  stop();
  expect(listeners.size).toBe(0);
});
