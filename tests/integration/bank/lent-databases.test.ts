/** The databases of these tests are lent from one to the next: whoever gets one that was used cannot tell. */
import type { PGlite } from '@electric-sql/pglite';
import { beforeAll, expect, it } from 'vitest';
import { emptyPglite, newPglite } from '../../support/bank-database.ts';
import { adminOf, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, openBank, TestClock } from './banks.ts';

const PIN = '4682';

async function rowsOf(pglite: PGlite, query: string): Promise<unknown[]> {
  return (await pglite.query(query)).rows;
}

/** What a test could see of a database, without the numbers of its db transactions and of its files. */
async function seenOf(pglite: PGlite) {
  const contents = await rowsOf(
    pglite,
    `select tablename, pg_total_relation_size(tablename::regclass) as bytes,
      query_to_xml(format('select *, ctid from %I', tablename), true, false, '')::text as rows
      from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by tablename`,
  );
  return {
    contents,
    sequences: await rowsOf(
      pglite,
      'select sequencename, last_value::text, start_value, cycle from pg_sequences order by sequencename',
    ),
    // PL/pgSQL's own are there from its first function on.
    settings: await rowsOf(
      pglite,
      "select name, setting, source from pg_settings where name not like 'plpgsql.%' order by name",
    ),
    prepared: await rowsOf(pglite, 'select statement from pg_prepared_statements'),
    cursors: await rowsOf(pglite, 'select name from pg_cursors'),
    channels: await rowsOf(pglite, 'select pg_listening_channels()'),
    advisoryLocks: await rowsOf(pglite, "select objid from pg_locks where locktype = 'advisory'"),
    triggers: await rowsOf(pglite, 'select tgname, tgenabled from pg_trigger where not tgisinternal order by tgname'),
  };
}

/** Grows with every db transaction, and is the same in every new one. */
async function transactionsSoFar(pglite: PGlite): Promise<number> {
  const { rows } = await pglite.query<{ n: number }>('select pg_current_xact_id()::text::int as n');
  return rows[0]!.n;
}

let asNew: Awaited<ReturnType<typeof seenOf>>;
let transactionsOfNew: number;
beforeAll(async () => {
  const untouched = await newPglite();
  asNew = await seenOf(untouched);
  transactionsOfNew = await transactionsSoFar(untouched);
  await untouched.close();
});

it('one that a bank has used, and left in the middle of something, is as a new one', async () => {
  const lent = await emptyPglite();
  expect(await seenOf(lent)).toEqual(asNew);

  const clock = new TestClock();
  const bank = await openBank({ kind: 'pglite', directory: null, opened: lent }, clock);
  const send = injectInto(bank.app);
  const terminal = await TestTerminal.activate(send, adminOf(send, ADMIN_TOKEN), { now: () => clock.now() });
  const personId = await terminal.enrol(PIN, { yen: 30_000 });
  await terminal.post(
    '/v1/authorisations',
    await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN }),
  );
  await lent.exec("set synchronous_commit = off; set timezone = 'Asia/Tokyo'; create temporary table mine (n int)");
  await lent.exec('prepare mine as select 1; select pg_advisory_lock(7); delete from gallery_head');
  await lent.exec('begin; insert into gallery_head (cursor) values (9); declare mine cursor for select 1');
  const before = await seenOf(lent);
  expect(before).not.toEqual(asNew);
  expect(before.sequences).toContainEqual(expect.objectContaining({ last_value: expect.anything() }));
  await bank.close();

  expect(lent.closed).toBe(true);
  await expect(lent.query('select 1')).rejects.toThrow('PGlite is closed');
  const again = await emptyPglite();
  // The new one has had no db transaction: this is not one of its kind.
  expect(await transactionsSoFar(again)).toBeGreaterThan(transactionsOfNew + 10);
  expect(await seenOf(again)).toEqual(asNew);
  // Nor does it listen to its last holder.
  await expect(lent.exec('create table late (n int)')).rejects.toThrow('PGlite is closed');
  await again.close();
});

it.each([
  ['a table more', 'create table more (n int)'],
  ['a trigger that sleeps', 'alter table postings disable trigger user'],
])('one with %s is not lent again', async (_, change) => {
  const lent = await emptyPglite();
  await lent.exec(change);
  await lent.close();
  const next = await emptyPglite();
  expect(await seenOf(next)).toEqual(asNew);
  await next.close();
});
