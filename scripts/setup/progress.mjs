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
 * Steps may run at the same time: a line names its step whenever the line above it is another's.
 * @param {(line: string) => void} write
 * @param {number} total how many steps there are
 */
export function createProgress(write, total) {
  let last = 0;
  return {
    /** @param {number} step from 1 */
    step: (step) => ({
      /** Says what this step does; only once there is something to do. @param {string} what */
      doing(what) {
        write(step === last ? `          ${what}` : `set-up ${step}/${total}: ${what}`);
        last = step;
      },
    }),
  };
}
/** @typedef {ReturnType<ReturnType<typeof createProgress>['step']>} Progress */

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
