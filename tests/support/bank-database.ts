/**
 * Databases for the bank of a test. To make one and bring it to its newest shape takes several seconds of a core; a copy of one that
 * is kept takes less than one. It is kept under the build of PGlite and the migrations it was made with, so that no old one is used.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { systemChance, systemClock } from '../../src-bank/clock.ts';
import { type DatabaseSettings, openDatabase, PGLITE_PARSERS } from '../../src-bank/database/database.ts';
import { MIGRATIONS, migrate } from '../../src-bank/database/migrate.ts';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kaopass');
/** PIN hashes that cost next to nothing: no PIN of a test is worth anything. */
export const CHEAP_PINS = { N: 2 ** 4, r: 8, p: 1 } as const;

/** A PGlite in memory, with the bank's tables and nothing in them. The bank that opens it closes it. */
export async function emptyBank(): Promise<DatabaseSettings> {
  return { kind: 'pglite', directory: null, opened: await emptyPglite() };
}

/** The same, for who opens and closes it himself. */
export async function emptyPglite(): Promise<PGlite> {
  const { archive } = await kept();
  return PGlite.create({ loadDataDir: new Blob([new Uint8Array(readFileSync(archive))]), parsers: PGLITE_PARSERS });
}

/** Puts the same into the data directory of a bank that was never started. */
export async function layEmptyBank(dataDir: string): Promise<void> {
  const { directory } = await kept();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  cpSync(directory, join(dataDir, 'pglite'), { recursive: true });
}

/** As an archive and as PGlite's own directory. */
async function kept(): Promise<{ readonly archive: string; readonly directory: string }> {
  const path = join(CACHE, `empty-bank-${key()}`);
  if (!existsSync(path)) await make(path);
  return { archive: join(path, 'archive.tar'), directory: join(path, 'pglite') };
}

function key(): string {
  // The package exports no package.json.
  const build = readFileSync(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  return createHash('sha256').update(build).update(JSON.stringify(MIGRATIONS)).digest('hex').slice(0, 16);
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
  try {
    await migrate(database.db, systemClock);
    const archive = await (await opened.dumpDataDir('none')).arrayBuffer();
    writeFileSync(join(mine, 'archive.tar'), new Uint8Array(archive));
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
