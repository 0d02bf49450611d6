/**
 * The recycler that dispenser and acceptor share: one physical state, changed one step at a time. Each step is one durable
 * write of {@link StateFile}, so what the file says is what is physically true at any moment, killed or not.
 */
import { join } from 'node:path';
import { StateFile } from '../state-file.ts';
import { CashState, loadedState, type UnitLoad } from './cash-state.ts';

export class CashModule {
  readonly #file: StateFile<CashState>;
  readonly #listeners = new Set<() => void>();
  /** Set while the input takes notes: the feeder wakes the acceptor through onChange. */
  inputOpen = false;

  /** Throws DEVICE_FAILED, naming file and field, for a state that does not parse or does not conserve notes. */
  constructor(dir: string, load: readonly UnitLoad[]) {
    this.#file = StateFile.open(join(dir, 'cash.json'), CashState, () => loadedState(load));
  }

  get state(): CashState {
    return this.#file.value;
  }

  /** One physical step. Durable when this returns. */
  step(change: Partial<CashState> | ((state: CashState) => CashState)): void {
    this.#file.set(typeof change === 'function' ? change(this.state) : { ...this.state, ...change });
    this.changed();
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
