/** The cash drawer of a shop, in UnifiedPOS's words (Cash Drawer: openDrawer, drawerOpened). */
import type { Device } from './device.ts';

/** "unknown": the drawer has no sensor, or whoever reads it does not answer. */
export type DrawerState = 'open' | 'closed' | 'unknown';

export type DrawerCompletion =
  /** The sensor saw it open. */
  | { readonly outcome: 'opened' }
  /** The pulse was sent; there is no sensor that could have seen the drawer move. */
  | { readonly outcome: 'pulsed' }
  | {
      readonly outcome: 'failed';
      /** "stuck": the pulse was sent and the sensor still says closed. */
      readonly error: 'stuck' | 'hardwareError' | 'noDevice';
      readonly message: string;
    };

export interface CashDrawer extends Device {
  /** As last heard; a device that is offline knows nothing and says "unknown". */
  state(): DrawerState;
  /** Calls back on every change of the state. Returns how to stop. */
  onState(listener: (state: DrawerState) => void): () => void;
  /** Opens the drawer with one pulse; one that is open already gets none. Never pulses twice. Rejects with the signal's reason when it aborts. */
  openDrawer(signal: AbortSignal): Promise<DrawerCompletion>;
}
