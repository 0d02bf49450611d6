import { describe, expect, it } from 'vitest';
import type { TerminalBridge } from '../src-contract/bridge.ts';
import { money, type WallTimeMs } from '../src-contract/primitives.ts';
import type { Intent, IntentAnswer, Screen, View } from '../src-contract/screen.ts';
import { answerTo } from './answer.ts';

const ok: IntentAnswer = { ok: true };
const stale: IntentAnswer = { ok: false, code: 'stale', message: 'answers view 1, the current one is 2' };

const basket = (yen: number): Screen => ({ name: 'basket', lines: [], total: money(yen), problem: null });
const view = (screen: Screen, offers: View['offers'], revision = 1): View => ({
  revision,
  at: 0 as WallTimeMs,
  language: 'ja',
  terminal: { name: 'T', profile: 'atm', demonstration: false, online: true },
  screen,
  offers,
  timeout: null,
  camera: null,
});

/** A terminal that gives these answers in turn, and moves on to the next view before each. */
function terminal(views: readonly View[], answers: readonly (IntentAnswer | Error)[]) {
  let at = 0;
  const sent: Intent[] = [];
  const bridge = {
    send: async (intent: Intent) => {
      sent.push(intent);
      const answer = answers[sent.length - 1] ?? ok;
      at = Math.min(at + 1, views.length - 1);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as TerminalBridge;
  return { bridge, sent, newest: () => views[at] ?? null };
}

describe('an answer', () => {
  it('is not sent where the view does not offer it', async () => {
    const { bridge, sent, newest } = terminal([view(basket(100), ['cancel'])], []);
    expect(await answerTo(bridge, newest, { kind: 'pay' })).toBe(false);
    expect(sent).toEqual([]);
  });

  it('is not sent before there is a view', async () => {
    const { bridge, sent } = terminal([], []);
    expect(await answerTo(bridge, () => null, { kind: 'cancel' })).toBe(false);
    expect(sent).toEqual([]);
  });

  it('that crossed a view showing the same is said again', async () => {
    const { bridge, sent, newest } = terminal([view(basket(100), ['pay']), view(basket(100), ['pay'], 2)], [stale, ok]);
    expect(await answerTo(bridge, newest, { kind: 'pay' })).toBe(true);
    expect(sent).toHaveLength(2);
  });

  it('to another amount than the one now shown is not repeated', async () => {
    const { bridge, sent, newest } = terminal(
      [view(basket(100), ['pay']), view(basket(9_000), ['pay'], 2)],
      [stale, ok],
    );
    expect(await answerTo(bridge, newest, { kind: 'pay' })).toBe(false);
    expect(sent).toHaveLength(1);
  });

  it('"cancel" is meant whatever is shown, as long as it is offered', async () => {
    const first = terminal([view(basket(1), ['cancel']), view({ name: 'attract' }, ['cancel'], 2)], [stale, ok]);
    expect(await answerTo(first.bridge, first.newest, { kind: 'cancel' })).toBe(true);
    const second = terminal([view(basket(1), ['cancel']), view({ name: 'attract' }, ['begin'], 2)], [stale, ok]);
    expect(await answerTo(second.bridge, second.newest, { kind: 'cancel' })).toBe(false);
    expect(second.sent).toHaveLength(1);
  });

  it('is given up after five stale refusals', async () => {
    const { bridge, sent, newest } = terminal([view(basket(1), ['cancel'])], Array(20).fill(stale));
    expect(await answerTo(bridge, newest, { kind: 'cancel' })).toBe(false);
    expect(sent).toHaveLength(5);
  });

  it('that is refused for another reason, or lost with the connection, is not repeated', async () => {
    const refused = terminal([view(basket(1), ['pay'])], [{ ok: false, code: 'invalid', message: 'no' }]);
    expect(await answerTo(refused.bridge, refused.newest, { kind: 'pay' })).toBe(false);
    const lost = terminal([view(basket(1), ['pay'])], [new Error('lost')]);
    expect(await answerTo(lost.bridge, lost.newest, { kind: 'pay' })).toBe(false);
    expect([refused.sent.length, lost.sent.length]).toEqual([1, 1]);
  });
});
