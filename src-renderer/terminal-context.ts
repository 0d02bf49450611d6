/** What every part of a screen may know and do: the view it draws, and answering it. */
import { createContext, useContext } from 'react';
import type { Intent, IntentKind, View } from '../src-contract/screen.ts';

export interface Terminal {
  readonly view: View;
  /** When this view arrived, ms of performance.now(). */
  readonly receivedAtMs: number;
  /** Answers the current view. What it doesn't offer is not sent, nor is a second answer before the first is dealt with:
   *  it would answer a view nobody has seen. */
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
