/** What a driver of a page is told of its network: nothing. */
import type { Page } from 'playwright-core';

interface Session {
  send(method: 'Network.disable'): Promise<unknown>;
}
/** Playwright offers no switch; these are the names its own client and server halves have. Where they change, more is told again. */
interface Inside {
  readonly _connection?: {
    toImpl?(page: Page): { readonly delegate?: { readonly _mainFrameSession?: { readonly _client?: Session } } };
  };
}

/**
 * Chromium repeats to a driver each message of the page's WebSocket, and a camera's frame is 1.2 MB, as base64 within JSON: it took
 * longer to tell of a frame than to draw it. Nothing of what a driver waits for comes from there.
 */
export async function keepsItsFrames(page: Page): Promise<void> {
  await (page as unknown as Inside)._connection
    ?.toImpl?.(page)
    .delegate?._mainFrameSession?._client?.send('Network.disable');
}
