/**
 * Databases for the bank of a test. To make one and bring it to its newest shape takes several seconds of a core; a copy of one that
 * is kept takes a third of one. It is kept under the build of PGlite and the migrations it was made with, so that no old one is used.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, openAsBlob, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { systemChance, systemClock } from '../../src-bank/clock.ts';
import { type DatabaseSettings, openDatabase, PGLITE_PARSERS } from '../../src-bank/database/database.ts';
import { MIGRATIONS, migrate } from '../../src-bank/database/migrate.ts';
import { lendPglite } from './lent-pglite.ts';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kaopass');
/** PIN hashes that cost next to nothing: no PIN of a test is worth anything. */
export const CHEAP_PINS = { N: 2 ** 4, r: 8, p: 1 } as const;

/**
 * What a test's database does without. Every file and byte of a copy costs, and its buffers are filled with zeros at each start: two
 * templates for databases that nobody creates are half the files, and 128 MB of buffers a fifth of a second.
 */
const DONE_WITHOUT = [
  "alter system set shared_buffers = '16MB'",
  'alter database template0 is_template false',
  'alter database template1 is_template false',
  'drop database template0',
  'drop database template1',
];

/** A PGlite in memory, with the bank's tables and nothing in them. The bank that opens it closes it. */
export async function emptyBank(): Promise<DatabaseSettings> {
  return { kind: 'pglite', directory: null, opened: await emptyPglite() };
}

/** The same, for who opens and closes it himself. It may have been used before, and nothing of that is left. */
export async function emptyPglite(): Promise<PGlite> {
  return await lendPglite(newPglite);
}

/** The same, never used before. */
export async function newPglite(): Promise<PGlite> {
  const { laid } = await kept();
  return await copyOf(laid);
}

/** The same without tables: the bank that opens it brings it to its shape. */
export async function bareBank(): Promise<DatabaseSettings> {
  const { bare } = await kept();
  return { kind: 'pglite', directory: null, opened: await copyOf(bare) };
}

/** Puts the same into the data directory of a bank that was never started. */
export async function layEmptyBank(dataDir: string): Promise<void> {
  const { directory } = await kept();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  cpSync(directory, join(dataDir, 'pglite'), { recursive: true });
}

async function copyOf(archive: string): Promise<PGlite> {
  return await PGlite.create({ loadDataDir: await openAsBlob(archive), parsers: PGLITE_PARSERS });
}

/** Without and with tables as archives, and with them as PGlite's own directory. */
async function kept(): Promise<{ readonly bare: string; readonly laid: string; readonly directory: string }> {
  const path = join(CACHE, `empty-bank-${key()}`);
  if (!existsSync(path)) await make(path);
  return { bare: join(path, 'bare.tar'), laid: join(path, 'laid.tar'), directory: join(path, 'pglite') };
}

function key(): string {
  // The package exports no package.json.
  const build = readFileSync(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  const made = JSON.stringify([MIGRATIONS, DONE_WITHOUT]);
  return createHash('sha256').update(build).update(made).digest('hex').slice(0, 16);
}

/** Several workers may make it at the same time; the first to be done puts a whole one in its place. */
async function make(path: string): Promise<void> {
  const mine = `${path}.${process.pid}`;
  mkdirSync(mine, { recursive: true });
  const opened = await PGlite.create({ dataDir: join(mine, 'pglite'), parsers: PGLITE_PARSERS });
  const database = await openDatabase(
    { kind: 'pglite', directory: null, opened },
    { clock: systemClock, chance: systemChance, onIdleError: () => {} },
  );
  const keep = async (name: string) => {
    // Else each copy would repeat what has happened since the last one.
    await opened.exec('checkpoint');
    writeFileSync(join(mine, name), new Uint8Array(await (await opened.dumpDataDir('none')).arrayBuffer()));
  };
  try {
    for (const statement of DONE_WITHOUT) await opened.exec(statement);
    await keep('bare.tar');
    await migrate(database.db, systemClock);
    await keep('laid.tar');
  } finally {
    await database.close();
  }
  try {
    renameSync(mine, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
    rmSync(mine, { recursive: true });
  }
}
