/**
 * The terminal that runs on a data directory, through its service page: it holds the devices, so who wants to know or test one
 * asks it. What it answers is parsed like anything from outside.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { TerminalError } from '../errors.ts';
import type { FetchPort } from '../sync/bank-client.ts';

const Address = z.strictObject({
  origin: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/),
  token: z.string().min(16).max(200),
});
type Address = z.infer<typeof Address>;

/** 200 changes of health and a few devices take some 50 kB. */
const ANSWER_BYTES_MAX = 1_000_000;

const Launched = z.object({ url: z.url() });
const Refused = z.object({ message: z.string().max(500) });
/** As much of a device's report as the command line prints. */
const Reports = z.object({
  devices: z.array(
    z.object({
      key: z.string(),
      name: z.string(),
      driver: z.string(),
      connection: z.string(),
      state: z.string(),
      problem: z.string().nullable(),
      held: z.enum(['suspect', 'test']).nullable(),
      figures: z.object({
        paper: z.string().optional(),
        shutter: z.string().optional(),
        units: z
          .array(
            z.object({
              id: z.string(),
              kind: z.string(),
              denominationMinor: z.int().nullable(),
              count: z.int(),
              capacity: z.int(),
              state: z.string(),
            }),
          )
          .readonly()
          .optional(),
      }),
      figuresProblem: z.string().nullable(),
    }),
  ),
});
export type PrintedReport = z.infer<typeof Reports>['devices'][number];
const Closed = z.object({ dayClose: z.object({ number: z.int().positive() }) });
const Pinned = z.object({ pinned: z.string().max(600) });
const Tested = z.object({ passed: z.boolean(), said: z.object({ ja: z.string(), en: z.string() }) });

/** Says where the running terminal is, in a file that its owner alone can read. Returns how to take it away again; one that a power
 *  cut left behind opens nothing. */
export function announceTerminal(path: string, address: Address): () => void {
  // Replaced, not written over: a file that was left behind may be readable by others.
  rmSync(path, { force: true });
  writeFileSync(path, JSON.stringify(Address.parse(address)), { mode: 0o600, flag: 'wx' });
  return () => rmSync(path, { force: true });
}

export interface RunningTerminal {
  /** A new address of the service page, good for one opening. */
  pageUrl(signal: AbortSignal): Promise<string>;
  devices(signal: AbortSignal): Promise<readonly PrintedReport[]>;
  /** Closes the business day; answers the number of the close. Rejects with DEVICE_UNAVAILABLE while a customer is served. */
  closeDay(signal: AbortSignal): Promise<number>;
  /** Pins the camera that was opened last; answers which. Rejects with DEVICE_UNAVAILABLE when none was, or it cannot be. */
  pinCamera(signal: AbortSignal): Promise<string>;
  /** Rejects with DEVICE_UNAVAILABLE while a customer is served or another test runs. */
  carryOut(what: 'test' | 'identify', device: string, signal: AbortSignal): Promise<z.infer<typeof Tested>>;
}

/** Null when no terminal says that it runs there. Calls reject with HOST_FAILED when it does not answer as it should. */
export function runningTerminal(path: string, fetch: FetchPort): RunningTerminal | null {
  const address = readAddress(path);
  if (!address) return null;
  const ask = async <Answer>(
    schema: z.ZodType<Answer>,
    call: { readonly path: string; readonly body?: object; readonly signal: AbortSignal },
  ): Promise<Answer> => {
    const { status, value } = await exchange(fetch, address, call);
    if (status === 409 || status === 400) {
      throw new TerminalError('DEVICE_UNAVAILABLE', `the running terminal says: ${Refused.parse(value).message}`);
    }
    const answer = schema.safeParse(value);
    if (status === 200 && answer.success) return answer.data;
    throw new TerminalError(
      'HOST_FAILED',
      `the running terminal answered ${call.path} with what does not fit (${status})`,
    );
  };
  return {
    pageUrl: async (signal) => (await ask(Launched, { path: '/launch', body: {}, signal })).url,
    devices: async (signal) => (await ask(Reports, { path: '/state', signal })).devices,
    closeDay: async (signal) => (await ask(Closed, { path: '/day-close', body: {}, signal })).dayClose.number,
    pinCamera: async (signal) => (await ask(Pinned, { path: '/camera-pin', body: {}, signal })).pinned,
    carryOut: (what, device, signal) => ask(Tested, { path: `/${what}`, body: { device }, signal }),
  };
}

async function exchange(
  fetch: FetchPort,
  { origin, token }: Address,
  { path, body, signal }: { readonly path: string; readonly body?: object; readonly signal: AbortSignal },
): Promise<{ status: number; value: unknown }> {
  try {
    const answer = await fetch(`${origin}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      redirect: 'error',
      signal,
    });
    return { status: answer.status, value: JSON.parse(await textOf(answer)) };
  } catch (cause) {
    throw new TerminalError('HOST_FAILED', 'the terminal that should run here does not answer', { cause });
  }
}

/** Whoever listens there now may not be a terminal: no more than a terminal says is read. */
async function textOf({ body }: Pick<Response, 'body'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new RangeError(`an answer longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAddress(path: string): Address | null {
  try {
    return Address.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
