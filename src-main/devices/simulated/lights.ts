/** Guide lights that remember what they show, for the panel and for tests. */
import { TerminalError } from '../../errors.ts';
import type { LightPattern, LightPosition, Lights } from '../lights.ts';
import { Mechanism, type MechanismOptions } from './mechanism.ts';

export class SimulatedLights extends Mechanism implements Lights {
  readonly #shown = new Map<LightPosition, LightPattern>();

  constructor(options: MechanismOptions) {
    super('lights', options);
  }

  async set(position: LightPosition, pattern: LightPattern): Promise<void> {
    if (this.isGone()) throw new TerminalError('DEVICE_UNAVAILABLE', 'lights do not answer');
    this.#shown.set(position, pattern);
  }

  shown(): Partial<Record<LightPosition, LightPattern>> {
    return Object.fromEntries(this.#shown);
  }
}
