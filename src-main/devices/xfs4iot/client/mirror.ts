/**
 * A copy of something the service holds: read once, then kept by deltas. A delta that arrives while a read is under way may be
 * older or newer than the read's answer; it is applied again on top of it. Its values are absolute, so the copy is right as soon
 * as the service has told everything.
 */
import { merged } from './merge.ts';

export class Mirror<T extends object> {
  #value: T;
  #fresh = false;
  readonly #reads = new Set<object[]>();

  constructor(empty: T) {
    this.#value = empty;
  }

  get value(): T {
    return this.#value;
  }

  /** False from a disconnect, or from a read that was not answered, until the next read. */
  get fresh(): boolean {
    return this.#fresh;
  }

  outdate(): void {
    this.#fresh = false;
  }

  apply(delta: object): void {
    this.#value = merged(this.#value, delta);
    for (const deltas of this.#reads) deltas.push(delta);
  }

  /** Reads anew; the ask resolves with the whole value, or with null when the service has no answer. */
  async read(ask: () => Promise<T | null>): Promise<boolean> {
    const deltas: object[] = [];
    this.#reads.add(deltas);
    try {
      const snapshot = await ask();
      this.#fresh = snapshot !== null;
      if (snapshot) this.#value = deltas.reduce<T>(merged, snapshot);
      return this.#fresh;
    } finally {
      this.#reads.delete(deltas);
    }
  }
}
