/**
 * Databases for the bank of a test. To make one and bring it to its newest shape takes several seconds of a core; a copy of one that
 * is kept takes less than one. It is kept under the build of PGlite and the migrations it was made with, so that no old one is used.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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
  const path = join(CACHE, `empty-bank-${key()}.tar`);
  const kept = read(path) ?? (await make(path));
  return PGlite.create({ loadDataDir: new Blob([kept]), parsers: PGLITE_PARSERS });
}

function key(): string {
  // The package exports no package.json.
  const build = readFileSync(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  return createHash('sha256').update(build).update(JSON.stringify(MIGRATIONS)).digest('hex').slice(0, 16);
}

function read(path: string): Uint8Array<ArrayBuffer> | null {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Several workers may make it at the same time; each puts a whole one in its place. */
async function make(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const opened = await PGlite.create({ parsers: PGLITE_PARSERS });
  const database = await openDatabase(
    { kind: 'pglite', directory: null, opened },
    { clock: systemClock, chance: systemChance, onIdleError: () => {} },
  );
  try {
    await migrate(database.db, systemClock);
    const bytes = new Uint8Array(await (await opened.dumpDataDir('none')).arrayBuffer());
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.${process.pid}`, bytes);
    renameSync(`${path}.${process.pid}`, path);
    return bytes;
  } finally {
    await database.close();
  }
}
