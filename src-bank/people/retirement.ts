/**
 * The end of a template that a person had under an older embedder. A new reference may be a bad one, though it passed the gates of an
 * enrolment: so both stand side by side, and the person is matched by either. The old one is retired once the new one has shown itself,
 * which is when the last {@link PROOFS} matches with the right PIN were decided by it, and the one that comes then, and once every
 * terminal in service has said that it can compare with it. Until then nobody loses anything. Who never comes keeps the old one.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { appendToFeed } from './gallery-feed.ts';
import { modelsOf } from './template.ts';

/** Matches in a row that the newer template has to decide before the older goes. */
const PROOFS = 2;

/**
 * Takes away the older templates of those whose newest one has shown itself.
 * @param latest of people, the embedder that decided the match that has just come.
 */
export async function retireOlder(context: BankContext, latest: ReadonlyMap<string, string | null>): Promise<void> {
  const { database } = context;
  if (latest.size === 0) return;
  const several = await database.db
    .selectFrom('templates')
    .select('person_id')
    .where('person_id', 'in', [...latest.keys()])
    .groupBy('person_id')
    .having(({ fn }) => fn.countAll<number>(), '>', 1)
    .execute();
  for (const { person_id: personId } of several) {
    await database.transact(async (tx) => {
      await tx.selectFrom('people').select('person_id').where('person_id', '=', personId).forNoKeyUpdate().execute();
      const models = await modelsOf(tx, personId);
      const newest = models.at(-1);
      if (newest === undefined || latest.get(personId) !== newest) return;
      if (!(await isProven(tx, personId, newest)) || !(await everyTerminalHas(tx, newest))) return;
      for (const model of models.slice(0, -1)) await retire(context, tx, personId, model);
    });
  }
}

/** By the last matches with the right PIN before the one that has just come. */
async function isProven(tx: DbTransaction, personId: string, model: string): Promise<boolean> {
  const proven = await tx
    .selectFrom('match_results')
    .select('model_sha256')
    .where('person_id', '=', personId)
    .where('pin_right', '=', true)
    .orderBy('recorded_at', 'desc')
    .orderBy('result_id', 'desc')
    .limit(PROOFS)
    .execute();
  return proven.length === PROOFS && proven.every(({ model_sha256 }) => model_sha256 === model);
}

async function everyTerminalHas(tx: DbTransaction, model: string): Promise<boolean> {
  const lacking = await tx
    .selectFrom('terminals')
    .select('terminal_id')
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('embedders', 'is', null), where('embedders', 'not like', `%"${model}"%`)]))
    .limit(1)
    .executeTakeFirst();
  return lacking === undefined;
}

async function retire(context: BankContext, tx: DbTransaction, personId: string, model: string): Promise<void> {
  await tx.deleteFrom('templates').where('person_id', '=', personId).where('model_sha256', '=', model).execute();
  // Whoever reads the feed from its start must not be sent a template that is gone.
  await tx.deleteFrom('gallery_feed').where('person_id', '=', personId).where('model_sha256', '=', model).execute();
  await appendToFeed(context, tx, 'retire', { personId, modelSha256: model });
}
