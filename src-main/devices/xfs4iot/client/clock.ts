/** Time as a parameter, so that a test of minutes takes milliseconds. */
export interface ClientClock {
  /** Ms since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Resolves after ms, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls once after ms; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
}
