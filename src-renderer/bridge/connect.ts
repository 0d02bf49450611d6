import type { TerminalBridge } from '../../src-contract/bridge.ts';
import { connectChromium } from './chromium.ts';
import { connectElectron } from './electron.ts';

/** The terminal behind whichever host opened this page. Works at once; until the terminal answers there is just no view. */
export function connectBridge(): TerminalBridge {
  return window.kaopass ? connectElectron(window.kaopass) : connectChromium();
}
