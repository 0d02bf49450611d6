/** A story that ends badly, made short: what can be left out while it still ends badly in the same way is left out. */
import type { BankRoom } from './bank-room.ts';
import { type RunOptions, type RunReport, runStory } from './run.ts';
import type { Item, Story } from './story.ts';

/** Runs that shortening may take; it stops where it is then. */
const TRIES_MAX = 150;

export interface Shrunk {
  readonly story: Story;
  readonly report: RunReport;
}

/** @param report of this story, with a violation. */
export async function shrink(story: Story, report: RunReport, bank: BankRoom, options: RunOptions): Promise<Shrunk> {
  const promise = report.violations[0]?.promise;
  let best: Shrunk = { story, report };
  let tries = 0;
  const holdsWith = async (items: readonly Item[]): Promise<boolean> => {
    tries += 1;
    const shorter = { ...story, items };
    const tried = await runStory(shorter, bank, options);
    if (tried.violations[0]?.promise !== promise) return false;
    best = { story: shorter, report: tried };
    return true;
  };
  for (let size = Math.ceil(story.items.length / 2); size >= 1 && tries < TRIES_MAX; ) {
    let shorter = false;
    for (let from = 0; from < best.story.items.length && tries < TRIES_MAX; ) {
      const { items } = best.story;
      if (await holdsWith([...items.slice(0, from), ...items.slice(from + size)])) shorter = true;
      else from += size;
    }
    if (size > 1) size = Math.floor(size / 2);
    else if (!shorter) break;
  }
  return best;
}
