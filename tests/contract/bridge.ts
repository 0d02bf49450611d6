/** What every host's bridge has to do, whatever carries it. Run against Chromium in tests/browser, against Electron's IPC in unit tests. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Intent, IntentAnswer, View } from '../../src-contract/screen.ts';
import type { ScriptedTerminal } from './scripted-terminal.ts';

/** One page on one bridge, held from outside. */
export interface BridgeScreen {
  readonly terminal: ScriptedTerminal;
  send(intent: Intent): Promise<IntentAnswer>;
  sendFrame(bytes: readonly number[]): Promise<void>;
  heard(): Promise<{ views: View[]; wishes: number; connections: boolean[] }>;
  /** Loads the page anew: what was heard begins anew too. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Asks until it is so; a bridge crosses processes. */
export async function eventually(check: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export function bridgeContract(host: string, open: () => Promise<BridgeScreen>): void {
  describe(`the bridge over ${host}`, () => {
    let screen: BridgeScreen;
    beforeEach(async () => {
      screen = await open();
    });
    afterEach(() => screen.close());
    const revisions = async () => (await screen.heard()).views.map((view) => view.revision);

    it('shows the view that was current before the page came, then every one after it', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      screen.terminal.show({ name: 'starting' });
      const last = screen.terminal.show({ name: 'attract' });
      await eventually(async () => expect(await revisions()).toEqual([1, 2, 3]));
      expect((await screen.heard()).views.at(-1)).toEqual(last);
    });

    it('carries an intent with the revision it answers, and the answer back', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      expect(await screen.send({ kind: 'set-language', language: 'en' })).toEqual({ ok: true });
      expect(screen.terminal.messages).toEqual([{ revision: 1, intent: { kind: 'set-language', language: 'en' } }]);
    });

    it('carries a refusal as the terminal worded it', async () => {
      screen.terminal.answer = { ok: false, code: 'not-offered', message: 'this view offers begin' };
      await eventually(async () => expect(await revisions()).toEqual([1]));
      expect(await screen.send({ kind: 'pay' })).toEqual(screen.terminal.answer);
    });

    it('keeps answers apart when several intents are under way', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      const answers = await Promise.all([
        screen.send({ kind: 'begin' }),
        screen.send({ kind: 'extend' }),
        screen.send({ kind: 'cancel' }),
      ]);
      expect(answers).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
      expect(screen.terminal.messages).toHaveLength(3);
    });

    it('delivers one frame for each that was wanted, byte for byte', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      screen.terminal.wantFrame();
      await eventually(async () => expect((await screen.heard()).wishes).toBe(1));
      await screen.sendFrame([1, 2, 255]);
      await eventually(() => expect(screen.terminal.frames).toEqual([new Uint8Array([1, 2, 255])]));
    });

    it('drops a frame nobody asked for', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      await screen.sendFrame([9]);
      await screen.send({ kind: 'begin' });
      expect(screen.terminal.frames).toEqual([]);
    });

    it('goes on after a reload: the view and an open wish for a frame are told again', async () => {
      await eventually(async () => expect(await revisions()).toEqual([1]));
      screen.terminal.wantFrame();
      screen.terminal.show({ name: 'starting' });
      await screen.reload();
      await eventually(async () => {
        const { views, wishes } = await screen.heard();
        expect(views.map((view) => view.revision)).toEqual([2]);
        expect(wishes).toBe(1);
      });
      expect(await screen.send({ kind: 'begin' })).toEqual({ ok: true });
    });

    it('says that the terminal is there', async () => {
      await eventually(async () => expect((await screen.heard()).connections.at(-1)).toBe(true));
    });
  });
}
