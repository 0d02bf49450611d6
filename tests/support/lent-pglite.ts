/**
 * PGlites that are lent out one after the other. To make one takes a third of a second of a core, and some sixty are asked for in a
 * run; to empty one that was used takes a sixth of that. Whoever borrows one sees nothing of who had it before: no row, no setting, no
 * prepared statement, and its files are as large as a new one's. One whose tables are no longer the bank's is not lent again.
 */
import type { PGlite } from '@electric-sql/pglite';

/** Not in use, and emptied. Of this process: files that follow each other share it. */
const idle: PGlite[] = [];
/** A process would not end by itself while one lies idle (PostgreSQL sets a timer every 10 s); vitest ends its workers, and says so to
 *  them by a setup file: by the environment it would say so to whatever they start as well. */
let lends = false;
export function lendFromNowOn(): void {
  lends = true;
}
/** Each takes some 150 MB. */
const IDLE_MAX = 2;
/** What leaves something in PGlite itself, which cannot be taken back. */
const SPOILS = new Set<PropertyKey>(['listen', 'unlisten', 'onNotification', 'offNotification', 'mod']);

/** What a new one has: the shape of its tables, and the rows that its migrations wrote. */
interface Beginnings {
  readonly shape: string;
  readonly rows: readonly { readonly name: string; readonly rows: string }[];
}
const beginnings = new WeakMap<PGlite, Beginnings>();

const SHAPE = `select md5(string_agg(line, ',' order by line)) as shape from (
  select format('%s %s %s %s', c.oid, c.relname, c.relkind, c.relhastriggers) from pg_class c where c.oid >= 16384 and c.relkind <> 't'
  union all
  select format('%s %s %s %s %s', attrelid, attname, atttypid, attnotnull, atthasdef) from pg_attribute
    where attrelid in (select oid from pg_class where oid >= 16384 and relkind = 'r') and attnum > 0
  union all select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where oid >= 16384
  union all select format('%s %s', tgrelid, tgenabled) from pg_trigger where not tgisinternal
  union all select prosrc from pg_proc where oid >= 16384
  union all select extname from pg_extension
  union all select nspname::text from pg_namespace where oid >= 16384 and nspname not like 'pg_%'
) as lines (line)`;

/** One that nobody else has, with the bank's tables as `make` lays them. To close it is to give it back. */
export async function lendPglite(make: () => Promise<PGlite>): Promise<PGlite> {
  if (!lends) return await make();
  const pglite = idle.pop() ?? (await make());
  if (!beginnings.has(pglite)) beginnings.set(pglite, await beginningsOf(pglite));
  return handle(pglite);
}

/** Speaks for the PGlite until it is closed; from then on it says so, as PGlite does. */
function handle(pglite: PGlite): PGlite {
  let end: Promise<void> | undefined;
  let spoilt = false;
  const close = () => {
    end ??= spoilt ? pglite.close() : takeBack(pglite);
    return end;
  };
  const methods = new Map<PropertyKey, unknown>();
  return new Proxy(pglite, {
    get(_, name) {
      if (name === 'close' || name === Symbol.asyncDispose) return close;
      if (name === 'closed') return end !== undefined;
      const known = methods.get(name);
      if (known) return known;
      if (SPOILS.has(name)) spoilt = true;
      const value: unknown = Reflect.get(pglite, name, pglite);
      if (typeof value !== 'function') return value;
      const method = (...args: unknown[]) =>
        end === undefined ? value.apply(pglite, args) : Promise.reject(new Error('PGlite is closed'));
      methods.set(name, method);
      return method;
    },
  });
}

async function takeBack(pglite: PGlite): Promise<void> {
  const asNew = idle.length < IDLE_MAX && (await empty(pglite));
  if (asNew) idle.push(pglite);
  else await pglite.close();
}

/** False when it is no longer what it was, and must not be lent again. */
async function empty(pglite: PGlite): Promise<boolean> {
  const begun = beginnings.get(pglite);
  // What was under way has failed. The session forgets whatever was set in it, prepared or locked.
  await pglite.exec('rollback');
  await pglite.exec('discard all');
  if (!begun || (await shapeOf(pglite)) !== begun.shape) return false;
  const used = await usedTables(pglite);
  // Not deleted from: new rows would come to lie behind the old ones, and a table that is read in no order shows in which they lie.
  if (used.length > 0) await pglite.exec(`truncate ${used.join(', ')} cascade`);
  await pglite.exec(
    "select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) from pg_sequences where last_value is not null",
  );
  for (const { name, rows } of begun.rows) {
    await pglite.query(`insert into ${name} select * from json_populate_recordset(null::${name}, $1)`, [rows]);
  }
  return true;
}

async function beginningsOf(pglite: PGlite): Promise<Beginnings> {
  const rows: { name: string; rows: string }[] = [];
  for (const name of await usedTables(pglite)) {
    const { rows: all } = await pglite.query<{ rows: string }>(`select json_agg(${name})::text as rows from ${name}`);
    rows.push({ name, rows: all[0]?.rows ?? '[]' });
  }
  return { shape: await shapeOf(pglite), rows };
}

/** Those that have, or had, anything in them. */
async function usedTables(pglite: PGlite): Promise<string[]> {
  const { rows } = await pglite.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0",
  );
  return rows.map(({ name }) => name);
}

async function shapeOf(pglite: PGlite): Promise<string> {
  const { rows } = await pglite.query<{ shape: string }>(SHAPE);
  return rows[0]?.shape ?? '';
}
