/** The camera, which the screen runs and only while somebody looks: what the screen last said of it. */
import type { Intent } from '../../src-contract/screen.ts';
import type { Device, DeviceHealth } from '../devices/device.ts';

type CameraReport = Pick<Extract<Intent, { kind: 'report-camera' }>, 'state' | 'detail'>;

const STATES: Readonly<Record<string, DeviceHealth['state']>> = {
  running: 'online',
  stopped: 'online',
  denied: 'userError',
  'not-found': 'noDevice',
  failed: 'hardwareError',
} satisfies Record<CameraReport['state'], DeviceHealth['state']>;

export class CameraHealth implements Pick<Device, 'name' | 'health' | 'onHealth'> {
  readonly name = 'camera';
  readonly #listeners = new Set<(health: DeviceHealth) => void>();
  #health: DeviceHealth = { state: 'online', problem: 'not used since the start' };

  health(): DeviceHealth {
    return this.#health;
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the screen says of its camera; a word nobody knows is a failure. */
  reported({ state, detail }: { readonly state: string; readonly detail: string }): void {
    const health = STATES[state] ?? 'hardwareError';
    this.#health = { state: health, problem: health === 'online' ? null : detail || state };
    for (const listener of [...this.#listeners]) listener(this.#health);
  }
}
