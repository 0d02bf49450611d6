import type { TerminalBridge } from '../../src-contract/bridge.ts';
import { IntentAnswer, View } from '../../src-contract/screen.ts';
import { createInbox } from './inbox.ts';

/** What the preload script puts on the window (src-main/host/electron/preload.cts). */
export interface ElectronBridge {
  intent(message: unknown): Promise<unknown>;
  frame(message: Uint8Array): void;
  onView(listener: (view: unknown) => void): void;
  onFrameWanted(listener: () => void): void;
  /** Asks for the current view, and for an open wish for a frame, to be told. */
  ready(): void;
}

declare global {
  interface Window {
    readonly kaopass?: ElectronBridge;
  }
}

/** Electron's IPC lives as long as the page does: there is no connection to lose. */
export function connectElectron(host: ElectronBridge): TerminalBridge {
  const inbox = createInbox();
  inbox.connection(true);
  host.onView((view) => inbox.view(View.parse(view)));
  host.onFrameWanted(() => inbox.frameWanted());
  host.ready();
  return {
    send: async (intent) => IntentAnswer.parse(await host.intent({ revision: inbox.revision(), intent })),
    sendFrame(message) {
      inbox.frameSent();
      host.frame(message);
    },
    onView: inbox.onView,
    onFrameWanted: inbox.onFrameWanted,
    onConnection: inbox.onConnection,
  };
}
