import { describe, expect, it } from 'vitest';
import { manualClock } from '../manual-clock.fixture.ts';
import type { BrowserProcess } from './browser-process.ts';
import { RELAUNCH_WINDOW_MS, RELAUNCHES_MAX, SILENCE_MS_MAX, superviseBrowser } from './supervisor.ts';

async function screen() {
  const clock = manualClock();
  const launched: { crash(how: string): void; ended: boolean }[] = [];
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;
  let refuseToStart = 0;
  const launch = async (): Promise<BrowserProcess> => {
    if (refuseToStart-- > 0) throw new Error('no such display');
    let crash = (_how: string) => {};
    const ended = new Promise<string>((resolve) => {
      crash = resolve;
    });
    const entry = { crash, ended: false };
    launched.push(entry);
    const end = async () => {
      entry.ended = true;
      crash('ended');
    };
    return { pid: launched.length, ended, debuggingUrl: undefined, end };
  };
  const supervisor = await superviseBrowser({
    launch,
    onConnection: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isConnected: () => connected,
    clock,
    log: { info() {}, warn() {}, error() {} },
  });
  return {
    clock,
    launched,
    supervisor,
    listeners,
    connection(next: boolean) {
      connected = next;
      for (const listener of listeners) listener(next);
    },
    refuse(times: number) {
      refuseToStart = times;
    },
    async crash(how = 'ended by SIGSEGV') {
      launched.at(-1)?.crash(how);
      await clock.advance(16_000);
    },
  };
}

describe('looking after the browser', () => {
  it('replaces a browser that ended, after clearing up behind it', async () => {
    const { launched, crash, supervisor } = await screen();
    await crash();
    expect(launched).toHaveLength(2);
    expect(launched[0]?.ended).toBe(true);
    expect(supervisor.current?.pid).toBe(2);
  });

  it('replaces a browser whose page is silent for too long, and not one that came back', async () => {
    const { launched, clock, connection } = await screen();
    connection(false);
    await clock.advance(SILENCE_MS_MAX - 1);
    connection(true);
    await clock.advance(SILENCE_MS_MAX * 2);
    expect(launched).toHaveLength(1);
    connection(false);
    await clock.advance(SILENCE_MS_MAX + 1000);
    expect(launched).toHaveLength(2);
    expect(launched[0]?.ended).toBe(true);
  });

  it('gives the screen up after too many replacements in ten minutes, and says why', async () => {
    const { launched, crash, supervisor } = await screen();
    for (let i = 0; i <= RELAUNCHES_MAX; i++) await crash();
    expect(await supervisor.closed).toBe(
      'the screen failed 6 times within 10 minutes, the last time because ended by SIGSEGV',
    );
    expect(launched).toHaveLength(RELAUNCHES_MAX + 1);
    expect(launched.every((one) => one.ended)).toBe(true);
  });

  it('counts only the last ten minutes', async () => {
    const { launched, crash, clock } = await screen();
    for (let i = 0; i < RELAUNCHES_MAX; i++) await crash();
    await clock.advance(RELAUNCH_WINDOW_MS + 1);
    for (let i = 0; i < RELAUNCHES_MAX; i++) await crash();
    expect(launched).toHaveLength(2 * RELAUNCHES_MAX + 1);
  });

  it('tries again when the replacement itself does not come up', async () => {
    const { launched, crash, refuse, supervisor } = await screen();
    refuse(2);
    await crash();
    expect(launched).toHaveLength(2);
    expect(supervisor.current?.pid).toBe(2);
  });

  it('ends the browser and leaves no timer when it is closed, also while waiting to replace one', async () => {
    const running = await screen();
    await running.supervisor.close();
    expect(running.launched[0]?.ended).toBe(true);
    expect(running.clock.waiting).toBe(0);
    expect(running.listeners.size).toBe(0);

    const between = await screen();
    between.launched[0]?.crash('gone');
    await between.clock.advance(1);
    await between.supervisor.close();
    expect(await between.supervisor.closed).toBe('closed by the terminal');
    expect(between.launched).toHaveLength(1);
    expect(between.clock.waiting).toBe(0);
  });
});
