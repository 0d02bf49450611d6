/**
 * Pages for people at this machine, over HTTP on 127.0.0.1: the hands of simulated devices, the technician's service page.
 * Anything else on the machine can reach the port, so reaching it is worth nothing. A request needs the token, as a bearer
 * (programs) or by what the page was opened with; our own Host (a name made to point at 127.0.0.1 shows there); and, where a
 * browser says so, our own Origin. What a page may do is the handler's; here a body is bounded, read in time, and JSON.
 *
 * Answers of every page: 200 `{ok: true, …}`; 409 `{ok: false, message}` for a deed impossible now; 400 `{ok: false, message,
 * fields}` for one that does not fit.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { type Chance, type Clock, deadline } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { fontFile } from './font.ts';

export interface PageRequest {
  readonly method: 'GET' | 'POST';
  /** Without query. */
  readonly path: string;
  /** Parsed JSON of a POST; `{}` for an empty one and for a GET. The handler parses it with its schema. */
  readonly body: unknown;
}

export interface PageAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PageServerOptions {
  /** For messages, e.g. "device control". */
  readonly name: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** At least 16 characters; whoever has it can do what the page can. */
  readonly token: string;
  /**
   * How a browser gets in. "token": its address carries the token, and opens the page again and again (simulated devices).
   * "launch-once": an address works once and turns into a cookie no script can read, so that nothing in a browser's history,
   * on a photograph of the screen or in a log opens the page.
   */
  readonly access: 'token' | 'launch-once';
  readonly clock: Clock;
  readonly chance: Chance;
  /** Throws ZodError for a body that does not fit, TerminalError for a failure. */
  readonly handle: (request: PageRequest) => Promise<PageAnswer>;
}

export interface PageServer {
  /** Without path or token, e.g. "http://127.0.0.1:4711". */
  readonly origin: string;
  /** An address that opens the page: always the same, or a new one that works once. */
  issueUrl(): string;
  close(): Promise<void>;
}

const TOKEN_LENGTH_MIN = 16;
const BODY_BYTES_MAX = 16_384;
const BODY_MS_MAX = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Launch addresses not used yet, and browsers let in, at one time; the oldest is forgotten. */
const LAUNCHES_MAX = 8;

export const json = (status: number, value: unknown): PageAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});
export const refuse = (status: number, message: string): PageAnswer => json(status, { ok: false, message });

/** Throws PORT_IN_USE naming the port, or CONFIG_INVALID for a token too short. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  if (options.token.length < TOKEN_LENGTH_MIN) {
    throw new TerminalError(
      'CONFIG_INVALID',
      `${options.name}: the token is shorter than ${TOKEN_LENGTH_MIN} characters`,
    );
  }
  const { chance } = options;
  const secret = () => Buffer.from(chance.bytes(32)).toString('base64url');
  const launches = new Set<string>();
  const sessions = new Set<string>();
  let origin = '';
  let cookieName = '';

  const issueUrl = () => {
    if (options.access === 'token') return `${origin}/?token=${encodeURIComponent(options.token)}`;
    const launch = secret();
    remember(launches, launch);
    return `${origin}/launch/${launch}`;
  };

  async function answer(request: IncomingMessage): Promise<PageAnswer> {
    const url = new URL(request.url ?? '/', origin);
    const own = [new URL(origin).host, new URL(origin).host.replace('127.0.0.1', 'localhost')];
    if (!own.includes(request.headers.host ?? '')) return refuse(403, 'this host name is not served');
    if (request.headers.origin !== undefined && !own.some((host) => request.headers.origin === `http://${host}`)) {
      return refuse(403, 'requests from other origins are refused');
    }
    if (options.access === 'launch-once' && url.pathname.startsWith('/launch/')) return letIn(request, url.pathname);
    // The style of a page names it and can carry no token; anybody may have it.
    const font = request.method === 'GET' ? await fontFile(url.pathname) : null;
    if (font) return font;
    if (!isAllowed(request, url)) return refuse(401, 'the token is missing or wrong');
    if (request.method === 'GET') return await options.handle({ method: 'GET', path: url.pathname, body: {} });
    if (request.method !== 'POST') return refuse(405, 'only GET and POST are served');
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
      return refuse(415, 'the body must be application/json');
    }
    const body = await bodyOf(request, options.clock);
    if (body === null) return refuse(413, `the body is longer than ${BODY_BYTES_MAX} bytes`);
    try {
      const value: unknown = body === '' ? {} : JSON.parse(body);
      if (options.access === 'launch-once' && url.pathname === '/launch')
        return json(200, { ok: true, url: issueUrl() });
      return await options.handle({ method: 'POST', path: url.pathname, body: value });
    } catch (error) {
      if (error instanceof SyntaxError) return refuse(400, `the body is not JSON: ${error.message}`);
      if (!(error instanceof z.ZodError)) throw error;
      const fields = error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
      const message = fields.map((one) => `${one.field}: ${one.message}`).join('; ');
      return json(400, { ok: false, message, fields });
    }
  }

  function isAllowed(request: IncomingMessage, url: URL): boolean {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return sameSecret(bearer, options.token);
    if (options.access === 'token') return sameSecret(url.searchParams.get('token') ?? '', options.token);
    const cookie = cookieOf(request, cookieName);
    return [...sessions].some((session) => sameSecret(cookie, session));
  }

  function letIn(request: IncomingMessage, path: string): PageAnswer {
    const given = path.slice('/launch/'.length);
    const launch = [...launches].find((one) => sameSecret(given, one));
    if (request.method !== 'GET' || launch === undefined) {
      return refuse(403, 'this address is wrong or was used before: "kaopass status" prints a new one');
    }
    launches.delete(launch);
    const session = secret();
    remember(sessions, session);
    const cookie = `${cookieName}=${session}; Path=/; HttpOnly; SameSite=Strict`;
    return { status: 303, type: 'text/plain', body: '', headers: { location: '/', 'set-cookie': cookie } };
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch((error: unknown) => refuse(error instanceof TerminalError ? 503 : 500, String(error)))
      .then((result) => send(response, result));
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'HOST_FAILED';
      reject(
        new TerminalError(code, `${options.name} can't listen on port ${options.port}: ${cause.message}`, { cause }),
      );
    });
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  // Cookies do not keep ports apart: two terminals on one machine must not let go of each other's.
  cookieName = `kaopass-${port}`;
  return {
    origin,
    issueUrl,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function remember(secrets: Set<string>, secret: string): void {
  secrets.add(secret);
  for (const oldest of secrets) if (secrets.size > LAUNCHES_MAX) secrets.delete(oldest);
}

function cookieOf(request: IncomingMessage, wanted: string): string {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === wanted) return value ?? '';
  }
  return '';
}

/** The body as text; null when it is too long. */
async function bodyOf(request: IncomingMessage, clock: Clock): Promise<string | null> {
  using limit = deadline(clock, BODY_MS_MAX);
  const stop = () => request.destroy(new Error('the body did not arrive in time'));
  limit.signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, type, body, headers }: PageAnswer): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...headers,
  });
  response.end(body);
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
