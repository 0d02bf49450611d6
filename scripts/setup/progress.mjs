/** What set-up says while it works: whole lines, so that a log of it reads like the screen did. Nothing while nothing is done. */

/** What could not be got, in one sentence for whoever started set-up; the details follow on their own line. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
  /** @param {string} message @param {string} [details] */
  constructor(message, details = '') {
    super(message);
    this.details = details;
  }
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * @param {(line: string) => void} write
 * @param {number} total how many steps there are
 */
export function createProgress(write, total) {
  let step = 0;
  let announced = false;
  return {
    /** Begins the next step, silently. */
    next() {
      step += 1;
      announced = false;
    },
    /** Says what this step does; only once there is something to do. @param {string} what */
    doing(what) {
      write(announced ? `          ${what}` : `set-up ${step}/${total}: ${what}`);
      announced = true;
    },
  };
}
/** @typedef {ReturnType<typeof createProgress>} Progress */

/**
 * Calls `say` every few seconds while `work` runs, so that a long wait is seen to be one.
 * @template T @param {Promise<T>} work @param {(seconds: number) => void} say @param {number} [everyMs]
 * @returns {Promise<T>}
 */
export async function whileWaiting(work, say, everyMs = 5000) {
  const startedMs = Date.now();
  const timer = setInterval(() => say(Math.round((Date.now() - startedMs) / 1000)), everyMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
