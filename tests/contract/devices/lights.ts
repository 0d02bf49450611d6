/** What every guide light driver must do. */
import { describe, expect, it } from 'vitest';
import type { Lights } from '../../../src-main/devices/lights.ts';

export interface LightsRig {
  readonly lights: Lights;
  close(): Promise<void>;
}

export function lightsContract(name: string, open: () => Promise<LightsRig>): void {
  describe(`lights contract: ${name}`, () => {
    it('takes any pattern at any position', async () => {
      const rig = await open();
      try {
        for (const position of ['camera', 'pinPad', 'cashOutput', 'cashInput', 'receipt', 'status'] as const) {
          for (const pattern of ['continuous', 'slowFlash', 'quickFlash', 'off'] as const) {
            await rig.lights.set(position, pattern);
          }
        }
        expect(rig.lights.health()).toEqual({ state: 'online', problem: null });
      } finally {
        await rig.close();
      }
    });
  });
}
