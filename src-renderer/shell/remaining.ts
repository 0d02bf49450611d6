/** How long the visit still lasts, counted here from when the view arrived: the terminal's clock is not the screen's. */
import { useEffect, useState } from 'react';
import type { View } from '../../src-contract/screen.ts';
import { useTerminal } from '../terminal-context.ts';

export interface Remaining {
  readonly warning: boolean;
  /** Whole seconds, rounded up; 0 at the end. */
  readonly seconds: number;
}

/** Null where nothing runs out. */
export function remaining(timeout: View['timeout'], receivedAtMs: number, nowMs: number): Remaining | null {
  if (!timeout) return null;
  const leftMs = Math.max(0, timeout.remainingMs - (nowMs - receivedAtMs));
  return { warning: leftMs <= timeout.warnMs, seconds: Math.ceil(leftMs / 1000) };
}

/** Redraws four times a second: often enough that a second is never skipped. */
const TICK_MS = 250;

export function useRemaining(): Remaining | null {
  const { view, receivedAtMs } = useTerminal();
  const [nowMs, setNowMs] = useState(() => performance.now());
  const runs = view.timeout !== null;
  useEffect(() => {
    if (!runs) return;
    const timer = setInterval(() => setNowMs(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [runs]);
  return remaining(view.timeout, receivedAtMs, Math.max(nowMs, receivedAtMs));
}
