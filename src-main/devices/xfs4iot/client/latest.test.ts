import { expect, it } from 'vitest';
import { latest } from './latest.ts';

it('runs one at a time; who asks during a run shares the next one, even when the run fails', async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const ask = latest(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  const first = ask();
  const second = ask();
  const third = ask();
  expect(second).toBe(third);
  expect(runs).toHaveLength(1);
  runs[0]?.reject(new Error('no answer'));
  await expect(first).rejects.toThrow('no answer');
  await new Promise(setImmediate);
  expect(runs).toHaveLength(2);
  runs[1]?.resolve();
  await Promise.all([second, third]);
  const fourth = ask();
  expect(runs).toHaveLength(3);
  runs[2]?.resolve();
  await fourth;
});
