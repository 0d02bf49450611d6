/** What every cash drawer driver must do. */
import { describe, expect, it } from 'vitest';
import type { CashDrawer } from '../../../src-main/devices/cash-drawer.ts';
import { patient } from './vocabulary.ts';

export interface DrawerRig {
  readonly drawer: CashDrawer;
  /** Pushes it shut. */
  push(): void | Promise<void>;
  close(): Promise<void>;
}

export function cashDrawerContract(name: string, open: () => Promise<DrawerRig>): void {
  describe(`cash drawer contract: ${name}`, () => {
    it('opens, tells that it is open and that it was pushed shut, and opens again', async () => {
      const { drawer, push, close } = await open();
      try {
        const told: string[] = [];
        drawer.onState((state) => told.push(state));
        expect(await drawer.openDrawer(patient)).toEqual({ outcome: 'opened' });
        expect(drawer.state()).toBe('open');
        await push();
        await expect.poll(() => drawer.state()).toBe('closed');
        expect(await drawer.openDrawer(patient)).toEqual({ outcome: 'opened' });
        expect(told).toEqual(['open', 'closed', 'open']);
        expect(drawer.health()).toEqual({ state: 'online', problem: null });
      } finally {
        await close();
      }
    });

    it('stays shut for a signal that was aborted before, and rejects with its reason', async () => {
      const { drawer, close } = await open();
      try {
        await expect(drawer.openDrawer(AbortSignal.abort('left'))).rejects.toBe('left');
        expect(drawer.state()).toBe('closed');
      } finally {
        await close();
      }
    });
  });
}
