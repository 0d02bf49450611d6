import { Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyPglite } from '../../tests/support/bank-database.ts';
import { isUnavailable } from './failures.ts';
import { PGLITE_QUEUE_MAX, pgliteDialect } from './pglite-dialect.ts';

describe('Kysely on PGlite', () => {
  let db: Kysely<{ numbers: { n: number } }>;
  beforeAll(async () => {
    db = new Kysely({ dialect: pgliteDialect(await emptyPglite()) });
    await sql`create table numbers (n int)`.execute(db);
  });
  afterAll(async () => await db.destroy());
  const count = async () => (await db.selectFrom('numbers').selectAll().execute()).length;

  it('keeps transactions that run at once apart: one rolls back, the others stay', async () => {
    const attempt = (n: number) =>
      db.transaction().execute(async (tx) => {
        await tx.insertInto('numbers').values({ n }).execute();
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (n === 3) throw new Error('three');
      });
    const ends = await Promise.allSettled([1, 2, 3, 4, 5].map(attempt));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect((await db.selectFrom('numbers').select('n').orderBy('n').execute()).map(({ n }) => n)).toEqual([1, 2, 4, 5]);
  });

  it('does not let a query from outside into a transaction', async () => {
    const before = await count();
    let outside: Promise<number> | undefined;
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('numbers').values({ n: 6 }).execute();
      outside = count();
      await tx.insertInto('numbers').values({ n: 7 }).execute();
    });
    expect(await outside).toBe(before + 2);
  });

  it('refuses to let the line grow without end, as unavailable', async () => {
    const all = await Promise.allSettled(Array.from({ length: PGLITE_QUEUE_MAX + 3 }, () => sql`select 1`.execute(db)));
    const refused = all.filter((end) => end.status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused.every(({ reason }) => isUnavailable(reason))).toBe(true);
    expect(await count()).toBeGreaterThan(0);
  });
});
