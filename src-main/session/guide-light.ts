/**
 * The guide light of one step: it flashes while the step waits for the customer, and is dark after it. A light that does not
 * answer holds up nobody: the screen says the same.
 */
import type { LightPosition } from '../devices/lights.ts';
import type { StepPorts } from './ports.ts';

/** Returns how to put it out. Flashes at 2 Hz at most, which nobody's eyes suffer from (XFS4IoT Lights.SetLight). */
export function guide({ devices }: Pick<StepPorts, 'devices'>, position: LightPosition): () => void {
  const set = (pattern: 'slowFlash' | 'off') => void devices.lights?.set(position, pattern).catch(() => undefined);
  set('slowFlash');
  return () => set('off');
}
