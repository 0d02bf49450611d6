import type { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyPglite } from '../../tests/support/bank-database.ts';
import { PgliteSession, PREPARED_MAX } from './pglite-session.ts';

describe('a session of PGlite', () => {
  let pglite: PGlite;
  let session: PgliteSession;
  const preparedCount = async () =>
    Number((await pglite.query<{ n: number }>('select count(*)::int as n from pg_prepared_statements')).rows[0]?.n);
  beforeAll(async () => {
    pglite = await emptyPglite();
    await pglite.exec(
      'create table things (id int primary key, big int8, words text, at timestamptz, body jsonb, bytes bytea, tags text[])',
    );
  });
  beforeEach(async () => {
    await pglite.exec('deallocate all; delete from things');
    session = new PgliteSession(pglite);
  });
  afterAll(async () => await pglite.close());

  it('writes and reads every type as PGlite itself does, the first time and every time after', async () => {
    const values = [
      7,
      2 ** 40,
      'お金',
      new Date(1_795_372_985_000),
      { a: [1, null] },
      Buffer.from([0, 1, 255]),
      ['a', 'b,c'],
    ];
    for (const id of [1, 2, 3]) {
      const { affected } = await session.query(
        'insert into things (big, words, at, body, bytes, tags, id) values ($1, $2, $3, $4, $5, $6, $7)',
        [...values.slice(1), id],
      );
      expect(affected).toBe(1);
    }
    for (const id of [1, 2, 3, 4]) {
      const text = 'select *, 1 + $2::int8 as sum, null as nothing from things where id = $1';
      const { rows } = await session.query(text, [id, 41]);
      expect(rows).toEqual((await pglite.query(text, [id, 41])).rows);
      expect(rows).toHaveLength(id < 4 ? 1 : 0);
    }
    expect((await session.query('update things set words = $1', [null])).affected).toBe(3);
    expect((await session.query('delete from things where id > $1', [1])).affected).toBe(2);
  });

  it('prepares a statement once, and no more of them than its limit', async () => {
    for (let again = 0; again < 5; again += 1) await session.query('select 1 as n', []);
    expect(await preparedCount()).toBe(1);
    for (let n = 0; n < PREPARED_MAX + 20; n += 1) {
      expect((await session.query(`select ${n} as n`, [])).rows).toEqual([{ n }]);
      await session.query('select 1 as n', []);
    }
    expect(await preparedCount()).toBe(PREPARED_MAX);
  });

  it('goes on after a statement that is wrong, and after one that fails', async () => {
    await expect(session.query('select nothing from things', [])).rejects.toMatchObject({ code: '42703' });
    const insert = 'insert into things (id) values ($1)';
    await session.query(insert, [1]);
    for (let again = 0; again < 3; again += 1) {
      await expect(session.query(insert, [1])).rejects.toMatchObject({ code: '23505', constraint: 'things_pkey' });
    }
    await expect(session.query(insert, ['one'])).rejects.toMatchObject({ code: '22P02' });
    await expect(session.query(insert, [])).rejects.toMatchObject({ code: '08P01' });
    expect((await session.query('select id from things', [])).rows).toEqual([{ id: 1 }]);
  });

  it('fails with its db transaction until that is rolled back, and knows its statements afterwards', async () => {
    const count = 'select count(*)::int as n from things';
    await session.query(count, []);
    await pglite.exec('begin');
    await session.query('insert into things (id) values ($1)', [1]);
    await expect(session.query('insert into things (id) values ($1)', [1])).rejects.toMatchObject({ code: '23505' });
    await expect(session.query(count, [])).rejects.toMatchObject({ code: '25P02' });
    await expect(session.query('select 2 as n', [])).rejects.toMatchObject({ code: '25P02' });
    await pglite.exec('rollback');
    expect((await session.query(count, [])).rows).toEqual([{ n: 0 }]);
    expect((await session.query('select 2 as n', [])).rows).toEqual([{ n: 2 }]);
  });

  it('reads the new columns once the tables have changed', async () => {
    await session.query('create table plain (a int)', []);
    await session.query('insert into plain values (1)', []);
    expect((await session.query('select * from plain', [])).rows).toEqual([{ a: 1 }]);
    await session.query('alter table plain add column b int default 2', []);
    expect((await session.query('select * from plain', [])).rows).toEqual([{ a: 1, b: 2 }]);
  });
});
