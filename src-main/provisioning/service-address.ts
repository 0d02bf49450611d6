/**
 * Where the running terminal's service page is, for the technician's other program: an origin and the token, in a file that its
 * owner alone can read. The file is there while the terminal runs; one that a power cut left behind opens nothing.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { FetchPort } from '../sync/bank-client.ts';

const Address = z.strictObject({
  origin: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/),
  token: z.string().min(16).max(200),
});
type Address = z.infer<typeof Address>;

const Launched = z.object({ ok: z.literal(true), url: z.url() });

/** Returns how to take it away again. */
export function announceServicePage(path: string, address: Address): () => void {
  // Replaced, not written over: a file that was left behind may be readable by others.
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify(Address.parse(address)), { mode: 0o600, flag: 'wx' });
  return () => rmSync(path, { force: true });
}

/** A new address of the service page, good for one opening; null while no terminal runs on this data directory. */
export async function servicePageUrl(path: string, fetch: FetchPort, signal: AbortSignal): Promise<string | null> {
  const address = readAddress(path);
  if (!address) return null;
  try {
    const answer = await fetch(`${address.origin}/launch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
      body: '{}',
      redirect: 'error',
      signal,
    });
    return Launched.safeParse(JSON.parse(await answer.text())).data?.url ?? null;
  } catch {
    return null;
  }
}

function readAddress(path: string): Address | null {
  try {
    return Address.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
