/**
 * A journal of years is used at once, and read whole meanwhile. What that leaves unchecked at first is the past: everything that work
 * goes on from (the newest results, open transactions, what waits for the bank) is read and parsed before it is used.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { chainProblem } from './result-chain.ts';

/** The first thing wrong with a journal's pages, references or chain; null when all of it is whole. Reads all of it. */
export function wholeProblem(db: Database): string | null {
  const found = db.pragma('integrity_check(1)', { simple: true });
  if (found !== 'ok') return String(found);
  const [stray] = db.pragma('foreign_key_check') as { table: string }[];
  if (stray) return `a row of ${stray.table} refers to what is not there`;
  return chainProblem(db, 'all');
}

/** What the worker says, once. */
export const CheckAnswer = z.strictObject({ problem: z.string().nullable() });
export type CheckAnswer = z.infer<typeof CheckAnswer>;

/** Reads the journal whole on a thread of its own, beside whoever works with it. `onProblem` is told what is wrong, or why it could
 *  not be read. Returns how to end it early. */
export function checkInBackground(path: string, onProblem: (problem: string) => void): () => Promise<void> {
  const script = new URL(`./check-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, { workerData: path, name: 'kaopass-journal-check', execArgv: [], stdin: false });
  let ended = false;
  worker.on('message', (message) => {
    const { problem } = CheckAnswer.parse(message);
    if (problem !== null && !ended) onProblem(problem);
  });
  worker.on('error', (error) => {
    if (!ended) onProblem(`it could not be read whole: ${error.message}`);
  });
  return async () => {
    ended = true;
    await worker.terminate();
  };
}
