import { describe, expect, it } from 'vitest';
import { scriptedTerminal, silentLog } from '../../tests/contract/scripted-terminal.ts';
import { manualClock } from './manual-clock.fixture.ts';
import { INTENTS_PER_SECOND_MAX, linkScreen } from './screen-link.ts';

function setUp() {
  const terminal = scriptedTerminal();
  const clock = manualClock();
  const link = linkScreen(terminal, clock, silentLog);
  const seen: string[] = [];
  const output = (name: string) => ({
    view: (view: { revision: number }) => seen.push(`${name}: view ${view.revision}`),
    frameWanted: () => seen.push(`${name}: frame wanted`),
  });
  return { terminal, clock, link, seen, output };
}

describe('the link between terminal and screen', () => {
  it('tells a new screen what there is to know, and the former one nothing more', () => {
    const { terminal, link, seen, output } = setUp();
    terminal.show({ name: 'attract' });
    link.attach(output('first'));
    terminal.wantFrame();
    link.attach(output('second'));
    terminal.show({ name: 'starting' });
    expect(seen).toEqual([
      'first: view 1',
      'first: frame wanted',
      'second: view 1',
      'second: frame wanted',
      'second: view 2',
    ]);
  });

  it('lets one frame through for each that was wanted', () => {
    const { terminal, link } = setUp();
    const frame = new Uint8Array([1]);
    expect(link.frame(frame)).toBe(false);
    terminal.wantFrame();
    expect(link.frame(frame)).toBe(true);
    expect(link.frame(frame)).toBe(false);
    expect(terminal.frames).toHaveLength(1);
  });

  it('refuses intents that come faster than a person can give them, and takes them again a second later', async () => {
    const { terminal, link, clock } = setUp();
    for (let i = 0; i < INTENTS_PER_SECOND_MAX; i++) expect(link.intent({})).toEqual({ ok: true });
    expect(link.intent({})).toMatchObject({ ok: false, code: 'invalid' });
    expect(terminal.messages).toHaveLength(INTENTS_PER_SECOND_MAX);
    await clock.advance(1000);
    expect(link.intent({})).toEqual({ ok: true });
  });

  it('lets go of the terminal when it is closed', () => {
    const { terminal, link, seen, output } = setUp();
    link.attach(output('screen'));
    link.close();
    terminal.show({ name: 'attract' });
    terminal.wantFrame();
    expect(seen).toEqual([]);
  });
});
