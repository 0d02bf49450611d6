/** The checkers can fail: each bug that a programmer could make at a port is caught within as many runs as `npm run simulate` makes. */
import { expect, test } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { runStory } from './run.ts';
import { RUNS_DEFAULT } from './simulate.ts';
import { makeStory } from './story.ts';
import { aBank } from './support.ts';

const bank = aBank();

test.for(PLANTED_BUGS)('is caught: $name', { timeout: 300_000 }, async (bug) => {
  // Begins where it was last caught, and goes round: any of the default runs will do.
  for (let n = 0; n < RUNS_DEFAULT; n += 1) {
    const seed = ((bug.seenBy - 1 + n) % RUNS_DEFAULT) + 1;
    const { violations } = await runStory(makeStory(seed), bank(), { bug });
    if (violations.length > 0) return;
  }
  expect.unreachable(`not caught in ${RUNS_DEFAULT} runs`);
});
