/** A seed is worth something only when it tells the same story each time. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BANK_NODE_FLAGS } from '../../scripts/demo/bank.ts';
import { runStory } from './run.ts';
import { makeStory } from './story.ts';
import { aBank } from './support.ts';

const bank = aBank();
const root = join(import.meta.dirname, '../..');

test('a seed replays bit for bit, in a world emptied and in another process', { timeout: 120_000 }, async () => {
  const seeds = [4, 26];
  const hashes: string[] = [];
  for (const seed of [...seeds, ...seeds]) hashes.push((await runStory(makeStory(seed), bank())).trace.sha256);
  expect(hashes.slice(2)).toEqual(hashes.slice(0, 2));
  expect(hashes[0]).not.toBe(hashes[1]);
  const elsewhere = execFileSync(
    process.execPath,
    [...BANK_NODE_FLAGS, 'scripts/simulate.ts', '--seed', String(seeds[1]), '--story'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    },
  );
  expect(elsewhere).toContain(`SHA-256 ${hashes[1]}`);
});

test('a story is made of its seed alone, and parts of it stand for themselves', () => {
  expect(makeStory(7)).toEqual(makeStory(7));
  expect(makeStory(7)).not.toEqual(makeStory(8));
  expect(makeStory(7, { hours: 3 }).lengthMs).toBe(10_800_000);
});
