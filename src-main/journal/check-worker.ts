/** Thread that reads one journal whole and says what is wrong with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { openReadOnly } from './database.ts';
import { type CheckAnswer, wholeProblem } from './whole-check.ts';

const path = z.string().parse(workerData);
const db = openReadOnly({ path, unusable: 'DATABASE_CORRUPT' });
const answer: CheckAnswer = { problem: db ? wholeProblem(db) : 'it is gone' };
db?.close();
parentPort?.postMessage(answer);
