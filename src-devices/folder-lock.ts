/** One machine per state folder: two that count the same notes would both be wrong. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Returns how to let go. Throws an Error that names the folder when another process has it, or when it can't be written. */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'running.pid');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // A process that was killed leaves its file behind; whoever comes next takes it away.
    const before = ownerOf(path);
    if (before !== null && isRunning(before)) {
      throw new Error(`the state folder ${folder} is in use by process ${before}`);
    }
    rmSync(path, { force: true });
    const handle = openSync(path, 'wx', 0o600);
    writeSync(handle, String(process.pid));
    closeSync(handle);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new Error(`the state folder ${folder} cannot be written: ${message}`, { cause });
  }
  return () => rmSync(path, { force: true });
}

function ownerOf(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
