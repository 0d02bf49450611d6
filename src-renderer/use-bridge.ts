/** The bridge as React state: the newest view, whether the terminal is there, and how to answer. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { TerminalBridge } from '../src-contract/bridge.ts';
import type { Intent, View } from '../src-contract/screen.ts';
import { answerTo } from './answer.ts';
import type { Terminal } from './terminal-context.ts';

/** How long an accepted answer keeps the buttons quiet when no new view follows, ms. Above a double touch, below what
 *  feels stuck. */
const BUSY_MS_MAX = 700;

interface Received {
  readonly view: View;
  readonly receivedAtMs: number;
}

export function useBridge(bridge: TerminalBridge): { terminal: Terminal | null; connected: boolean } {
  const [received, setReceived] = useState<Received | null>(null);
  const [connected, setConnected] = useState(true);
  const [busy, setBusy] = useState(false);
  const newest = useRef<View | null>(null);

  useEffect(() => {
    const stopView = bridge.onView((view) => {
      newest.current = view;
      setReceived({ view, receivedAtMs: performance.now() });
    });
    const stopConnection = bridge.onConnection(setConnected);
    return () => {
      stopView();
      stopConnection();
    };
  }, [bridge]);

  const screenName = received?.view.screen.name;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new screen is what ends the wait
  useEffect(() => setBusy(false), [screenName]);

  const send = useCallback(
    (intent: Intent) => {
      setBusy(true);
      void answerTo(bridge, () => newest.current, intent).finally(() => setTimeout(() => setBusy(false), BUSY_MS_MAX));
    },
    [bridge],
  );

  const terminal = useMemo(() => (received ? { ...received, busy, send } : null), [received, busy, send]);
  return { terminal, connected };
}
