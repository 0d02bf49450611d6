import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { IntentAnswer, Screen, View } from '../../src-contract/screen.ts';
import type { TerminalEnd } from '../../src-main/host/host.ts';

/** A terminal that shows what a test tells it to and keeps what the screen sends. */
export interface ScriptedTerminal extends TerminalEnd {
  show(screen: Screen): View;
  wantFrame(): void;
  readonly messages: unknown[];
  readonly frames: Uint8Array[];
  answer: IntentAnswer;
}

export function scriptedTerminal(): ScriptedTerminal {
  const viewListeners = new Set<(view: View) => void>();
  const frameListeners = new Set<() => void>();
  let view: View | undefined;
  const terminal: ScriptedTerminal = {
    messages: [],
    frames: [],
    answer: { ok: true },
    show(screen) {
      view = {
        revision: (view?.revision ?? 0) + 1,
        at: 1_700_000_000_000 as WallTimeMs,
        language: 'ja',
        terminal: { name: '本店 1', profile: 'atm', demonstration: true, online: true },
        screen,
        offers: ['begin', 'set-language'],
        timeout: null,
        camera: null,
      };
      for (const listener of viewListeners) listener(view);
      return view;
    },
    wantFrame() {
      for (const listener of frameListeners) listener();
    },
    handleIntent(message) {
      terminal.messages.push(message);
      return terminal.answer;
    },
    handleFrame(message) {
      terminal.frames.push(message.slice());
    },
    onView(listener) {
      viewListeners.add(listener);
      if (view) listener(view);
      return () => viewListeners.delete(listener);
    },
    onFrameWanted(listener) {
      frameListeners.add(listener);
      return () => frameListeners.delete(listener);
    },
  };
  return terminal;
}

export const silentLog = { info() {}, warn() {}, error() {} };
