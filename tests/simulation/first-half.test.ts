/** Half of the runs that every change has to pass; the other half is in a file of its own, for another core. */
import { test } from 'vitest';
import { RUNS_DEFAULT } from './simulate.ts';
import { aBank, keepsEveryPromise } from './support.ts';

const bank = aBank();

test('no run of the first half of the seeds breaks a promise', { timeout: 600_000 }, () =>
  keepsEveryPromise(bank(), { from: 1, runs: RUNS_DEFAULT / 2 }),
);
