/**
 * Secrets as files: mode 0600 in a directory of mode 0700, each written beside its place and moved there. Guards against
 * other users of the machine and against power loss; not against who can become root or takes the disk away: that needs
 * a disk that is encrypted, or a key store in hardware.
 */
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../errors.ts';
import { type KeyStore, SECRET_NAME } from './key-store.ts';

const SUFFIX = '.key';
const TEMPORARY = /\.tmp-(\d+)-\d+$/;
/** Numbers this process's temporary files, so that two stores on one directory never share one. */
let temporaries = 0;
/** Read, write or execute for group or others. */
const OTHERS = 0o077;
/** A secret is a key or a small record; anything larger is not one of ours. */
const SECRET_BYTES_MAX = 65_536;

/** Opens the directory, making it if missing. Throws KEY_STORE_INVALID, naming whatever others than its owner may read. */
export async function openFileKeyStore(directory: string): Promise<KeyStore> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw invalid(`the key store ${directory} cannot be made (${codeOf(cause)})`);
  }
  await check(directory, 'directory');
  for (const name of await readdir(directory)) {
    // Left by a process that ended while it wrote; it was never the secret.
    const writer = TEMPORARY.exec(name)?.[1];
    if (writer && !running(Number(writer))) await rm(join(directory, name), { force: true });
  }

  const file = (name: string): string => {
    if (!SECRET_NAME.test(name)) throw new Error(`not the name of a secret: ${name}`);
    return join(directory, name + SUFFIX);
  };

  const get = async (name: string): Promise<Uint8Array | null> => {
    const path = file(name);
    if (!(await check(path, 'file'))) return null;
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
      throw invalid(`${path} cannot be read (${codeOf(cause)})`);
    });
    try {
      return new Uint8Array(await handle.readFile());
    } finally {
      await handle.close();
    }
  };

  /** Writes beside the place, then lets `place` move it there. */
  const write = async (name: string, secret: Uint8Array, place: (from: string, to: string) => Promise<void>) => {
    const target = file(name);
    const temporary = `${target}.tmp-${process.pid}-${temporaries++}`;
    const flags = constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY | constants.O_NOFOLLOW;
    const handle = await open(temporary, flags, 0o600);
    try {
      await handle.writeFile(secret);
      await handle.sync();
    } finally {
      await handle.close();
    }
    try {
      await place(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(directory);
  };

  return {
    get,
    put: (name, secret) => write(name, secret, (from, to) => leavingNothing(to, async () => await rename(from, to))),
    remove: async (name) => {
      const path = file(name);
      if (!(await check(path, 'file'))) return;
      await leavingNothing(path, async () => {
        await rm(path);
        await syncDirectory(directory);
      });
    },
    create: async (name, secret) => {
      try {
        // A hard link fails when the target exists, which a rename would not.
        await write(name, secret, link);
        return true;
      } catch (cause) {
        if (codeOf(cause) === 'EEXIST') return false;
        throw cause;
      }
    },
    list: async () => {
      const names = await readdir(directory);
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length))
        .sort();
    },
  };
}

/** Takes a file's name away, then overwrites what it held: a cut between the two leaves it whole or nameless, never half. A flash disk may
 *  keep the old cells, and a file system with a log the old blocks. */
async function leavingNothing(path: string, takeAway: () => Promise<void>): Promise<void> {
  const old = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  });
  try {
    await takeAway();
    if (!old) return;
    await old.write(new Uint8Array((await old.stat()).size), 0, null, 0);
    await old.sync();
  } finally {
    await old?.close();
  }
}

/** True when it is there and ours alone; false when it is not there. */
async function check(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  const stat = await lstat(path).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null;
    throw invalid(`${path} cannot be looked at (${codeOf(cause)})`);
  });
  if (!stat) return false;
  if (kind === 'file' ? !stat.isFile() : !stat.isDirectory()) throw invalid(`${path} is not a ${kind}`);
  if (kind === 'file' && stat.size > SECRET_BYTES_MAX) throw invalid(`${path} is too large to be a secret`);
  // Windows has no such bits; there the directory's access list does this.
  if (process.platform !== 'win32' && (stat.mode & OTHERS) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    throw invalid(
      `${path} can be reached by other users (mode ${mode}); find out who did that, then set it to ${kind === 'file' ? '600' : '700'}`,
    );
  }
  return true;
}

function running(processId: number): boolean {
  try {
    process.kill(processId, 0); // Signal 0 only asks whether it is there.
    return true;
  } catch (cause) {
    return codeOf(cause) !== 'ESRCH';
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
}

function invalid(message: string): TerminalError {
  return new TerminalError('KEY_STORE_INVALID', message);
}
