/**
 * Waits for what only a person can bring (a key, a code, a finger). `begin` is given how to end the wait and answers how to stop
 * listening; an aborted signal ends it with its reason.
 */
export async function untilHands<Value>(
  signal: AbortSignal,
  begin: (end: (value: Value) => void) => () => void,
): Promise<Value> {
  let stop = () => {};
  let abort = () => {};
  try {
    return await new Promise<Value>((resolve, reject) => {
      signal.throwIfAborted();
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      stop = begin(resolve);
    });
  } finally {
    signal.removeEventListener('abort', abort);
    stop();
  }
}
