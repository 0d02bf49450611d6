/**
 * The one service a driver speaks to, found by the interfaces it offers, never by name. It may not be there yet, its connection
 * may break, and after a restart it may come back under another address; a driver only ever asks "which is it now?".
 */
import type { InterfaceName, Xfs4IotClient, Xfs4IotService } from './client/index.ts';

export class ServiceLink {
  readonly #find: () => Xfs4IotService | null;
  readonly #listeners = new Set<() => void>();
  readonly #stopDiscovering: () => void;
  #service: Xfs4IotService | null = null;
  #stopWatching: () => void = () => {};

  constructor(client: Pick<Xfs4IotClient, 'find' | 'onChange'>, interfaces: readonly InterfaceName[]) {
    this.#find = () => client.find(...interfaces);
    this.#stopDiscovering = client.onChange(() => this.#resolve());
    this.#resolve();
  }

  service(): Xfs4IotService | null {
    return this.#service;
  }

  /** Calls back when the service came, went, or its state, status or storage changed. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stopDiscovering();
    this.#stopWatching();
    this.#listeners.clear();
  }

  #resolve(): void {
    const found = this.#find();
    if (found === null || found === this.#service) return;
    this.#stopWatching();
    this.#service = found;
    this.#stopWatching = found.onChange(() => this.#tell());
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
