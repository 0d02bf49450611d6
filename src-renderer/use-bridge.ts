/** The bridge as React state: the newest view, whether the terminal is there, and how to answer. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { TerminalBridge } from '../src-contract/bridge.ts';
import type { Intent, View } from '../src-contract/screen.ts';
import { answerTo } from './answer.ts';
import type { Terminal } from './terminal-context.ts';

/** How long after an answer the next one waits when no other screen follows, ms. Above a double touch, below what feels
 *  stuck. */
const BUSY_MS_MAX = 700;
/** Another language moves nothing, and whoever chose it wants to answer at once: only a double touch is caught, ms. */
const DOUBLE_TOUCH_MS = 250;

interface Received {
  readonly view: View;
  readonly receivedAtMs: number;
}

export function useBridge(bridge: TerminalBridge): { terminal: Terminal | null; connected: boolean } {
  const [received, setReceived] = useState<Received | null>(null);
  const [connected, setConnected] = useState(true);
  const busy = useRef(false);
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
  useEffect(() => {
    busy.current = false;
  }, [screenName]);

  const send = useCallback(
    (intent: Intent) => {
      if (busy.current) return;
      busy.current = true;
      const free = () => {
        busy.current = false;
      };
      void answerTo(bridge, () => newest.current, intent).finally(() =>
        setTimeout(free, intent.kind === 'set-language' ? DOUBLE_TOUCH_MS : BUSY_MS_MAX),
      );
    },
    [bridge],
  );

  const terminal = useMemo(() => (received ? { ...received, send } : null), [received, send]);
  return { terminal, connected };
}
