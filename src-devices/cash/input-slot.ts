/** The slot where a customer puts notes in: one command waits, one pair of hands acts. */
export class InputSlot {
  #resolve: (() => void) | null = null;

  /** Resolves when hands put something in; rejects with the signal's reason. */
  async inserted(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let abort = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        this.#resolve = resolve;
        abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort, { once: true });
      });
    } finally {
      signal.removeEventListener('abort', abort);
      this.#resolve = null;
    }
  }

  /** Whether a command waits for notes. */
  waiting(): boolean {
    return this.#resolve !== null;
  }

  insert(): void {
    this.#resolve?.();
  }
}
