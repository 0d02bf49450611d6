/**
 * One person's answer on its way. Views follow each other several times a second while somebody is looked at, so an answer
 * may cross a new view and be refused as stale. It is repeated only if the person would have said the same to the new view:
 * it shows the same, or the answer means the same whatever is shown.
 */
import type { TerminalBridge } from '../src-contract/bridge.ts';
import type { Intent, IntentKind, View } from '../src-contract/screen.ts';

/** Enough for an answer to find a gap between views that come ten times a second. */
const STALE_ATTEMPTS_MAX = 5;

/** Answers that mean the same whatever the screen says, or name what they are about. None of them moves money. */
const ALWAYS_MEANT: ReadonlySet<IntentKind> = new Set([
  'set-language',
  'cancel',
  'extend',
  'report-camera',
  'decline-challenge',
]);

/** Sends what the newest view offers; resolves when the terminal has dealt with it, or with false if it was not accepted. */
export async function answerTo(bridge: TerminalBridge, newest: () => View | null, intent: Intent): Promise<boolean> {
  const meant = newest();
  for (let attempt = 1; attempt <= STALE_ATTEMPTS_MAX; attempt++) {
    const view = newest();
    if (!meant || !view?.offers.includes(intent.kind) || !stillMeant(intent, meant, view)) return false;
    try {
      const answer = await bridge.send(intent);
      if (answer.ok) return true;
      if (answer.code !== 'stale') return false;
    } catch {
      // The connection is gone; onConnection says so on the screen, and the terminal's next view tells what came of it.
      return false;
    }
  }
  return false;
}

function stillMeant(intent: Intent, meant: View, view: View): boolean {
  return ALWAYS_MEANT.has(intent.kind) || JSON.stringify(meant.screen) === JSON.stringify(view.screen);
}
