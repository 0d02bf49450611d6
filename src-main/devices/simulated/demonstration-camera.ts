/**
 * What stands before the terminal's camera: the real one of this machine, or a scene of footage. It belongs to the screen and
 * not to the devices, so a terminal with real devices can still play a demonstration. Session and vision get pixels only.
 */
import type { CameraSource } from '../../../src-contract/screen.ts';

export class DemonstrationCamera {
  readonly #listeners = new Set<(source: CameraSource) => void>();
  #source: CameraSource;

  constructor(source: CameraSource) {
    this.#source = source;
  }

  source(): CameraSource {
    return this.#source;
  }

  show(source: CameraSource): void {
    this.#source = source;
    for (const listener of [...this.#listeners]) listener(source);
  }

  /** Calls back with the source at once, then on every change. Returns how to stop. */
  onChange(listener: (source: CameraSource) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#source);
    return () => this.#listeners.delete(listener);
  }
}
