/** Guide lights, in XFS4IoT's words (Lights.SetLight): show the customer where to look, put or take. */
import type { Device } from './device.ts';

export type LightPosition = 'camera' | 'pinPad' | 'cashOutput' | 'cashInput' | 'receipt' | 'status';
export type LightPattern = 'off' | 'continuous' | 'slowFlash' | 'quickFlash';

export interface Lights extends Device {
  set(position: LightPosition, pattern: LightPattern): Promise<void>;
}
