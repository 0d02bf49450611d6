/**
 * Withdrawal of consent. The template's bytes leave the database with the row, the feed tells every terminal to forget, and
 * the consent shows when it ended. The account and its money stay the person's.
 */
import type { BankContext } from '../context.ts';
import { ProblemError } from '../problem.ts';
import { appendToFeed } from './gallery-feed.ts';

/** A repeat changes nothing. Throws not-found for somebody who was never enrolled. */
export async function erasePerson(context: BankContext, personId: string): Promise<{ erased: 'now' | 'before' }> {
  const { database, clock } = context;
  return await database.transact(async (tx) => {
    const person = await tx
      .selectFrom('people')
      .select('status')
      .where('person_id', '=', personId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!person) throw new ProblemError('not-found', 'nobody with this personId was ever enrolled');
    if (person.status === 'erased') return { erased: 'before' };
    await tx.deleteFrom('templates').where('person_id', '=', personId).execute();
    // A terminal that reads the feed from the start must not be sent a template that is gone.
    await tx.deleteFrom('gallery_feed').where('person_id', '=', personId).execute();
    await tx.updateTable('people').set({ status: 'erased', pin_hash: '' }).where('person_id', '=', personId).execute();
    await tx
      .updateTable('consents')
      .set({ withdrawn_at: clock.now() })
      .where('person_id', '=', personId)
      .where('withdrawn_at', 'is', null)
      .execute();
    await appendToFeed(context, tx, 'erase', personId);
    return { erased: 'now' };
  });
}

/** After the person proved who they are at the counter. */
export async function unlockPin({ database }: BankContext, personId: string): Promise<void> {
  const updated = await database.db
    .updateTable('people')
    .set({ pin_failures: 0, pin_locked_at: null })
    .where('person_id', '=', personId)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) throw new ProblemError('not-found', 'nobody with this personId was ever enrolled');
}
