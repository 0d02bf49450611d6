/** What every part of a screen may know and do: the view it draws, and answering it. */
import { createContext, useContext } from 'react';
import type { Intent, IntentKind, View } from '../src-contract/screen.ts';

export interface Terminal {
  readonly view: View;
  /** When this view arrived, ms of performance.now(). */
  readonly receivedAtMs: number;
  /** True from an answer until the terminal has dealt with it: a second touch would answer a view nobody has seen. */
  readonly busy: boolean;
  /** Answers the current view; what it doesn't offer is not sent. */
  send(intent: Intent): void;
}

export const TerminalContext = createContext<Terminal | null>(null);

export function useTerminal(): Terminal {
  const terminal = useContext(TerminalContext);
  if (!terminal) throw new Error('a part of a screen is drawn outside of <TerminalContext>');
  return terminal;
}

export function useView(): View {
  return useTerminal().view;
}

export function useOffered(kind: IntentKind): boolean {
  return useView().offers.includes(kind);
}
