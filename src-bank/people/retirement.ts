/**
 * The end of a template that a person had under an older embedder. A new reference may be a bad one, though it passed the gates of an
 * enrolment: so both stand side by side, and the person is matched by either. The old one is retired once the new one has shown itself,
 * {@link PROOFS} matches with the right PIN in a row decided by it and none since by another, and every terminal in service has said that it can compare with
 * it. Until then nobody loses anything. Who never comes keeps the old one.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { appendToFeed } from './gallery-feed.ts';
import { modelsOf } from './template.ts';

/** Matches in a row that the newer template has to decide before the older goes. */
const PROOFS = 2;

/** Takes away the older templates of those among these people whose newest one has shown itself. */
export async function retireOlder(context: BankContext, personIds: readonly string[]): Promise<void> {
  const { database } = context;
  if (personIds.length === 0) return;
  const several = await database.db
    .selectFrom('templates')
    .select('person_id')
    .where('person_id', 'in', [...new Set(personIds)])
    .groupBy('person_id')
    .having(({ fn }) => fn.countAll<number>(), '>', 1)
    .execute();
  for (const { person_id: personId } of several) {
    await database.transact(async (tx) => {
      await tx.selectFrom('people').select('person_id').where('person_id', '=', personId).forNoKeyUpdate().execute();
      const models = await modelsOf(tx, personId);
      const newest = models.at(-1);
      if (newest === undefined || !(await isProven(tx, personId, newest)) || !(await everyTerminalHas(tx, newest)))
        return;
      for (const model of models.slice(0, -1)) await retire(context, tx, personId, model);
    });
  }
}

async function isProven(tx: DbTransaction, personId: string, model: string): Promise<boolean> {
  const matches = tx
    .selectFrom('match_results')
    .select('model_sha256')
    .where('person_id', '=', personId)
    .where('outcome', '=', 'accepted')
    .orderBy('recorded_at', 'desc')
    .orderBy('result_id', 'desc');
  const last = await matches.limit(1).execute();
  const proven = await matches.where('pin_right', '=', true).limit(PROOFS).execute();
  return proven.length === PROOFS && [...last, ...proven].every(({ model_sha256 }) => model_sha256 === model);
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
