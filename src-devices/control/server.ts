/**
 * The control interface: everything a person can do to the devices, over HTTP on 127.0.0.1, beside the XFS4IoT socket and apart from
 * it. Who reaches it can make simulated money come out; still no request is answered without the token, none for another host name
 * (DNS rebinding), and none that another site's page sends. What can be asked for is in `api.ts`, the page in `page/`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { type Answer, answerApi, impossible, json, PowerIsOff } from './api.ts';
import { Feed } from './feed.ts';
import type { Machine } from './machine.ts';
import { PAGE_POLICY, pageFile } from './page-files.ts';
import { controlState } from './state.ts';

export interface ControlServerOptions {
  readonly machine: Machine;
  readonly clock: Clock;
  /** 0 takes any free one. */
  readonly port: number;
  /** At least 16 characters. */
  readonly token: string;
}

export interface ControlServer {
  /** The page, with the token. */
  readonly url: string;
  /** Without path or token, e.g. `http://127.0.0.1:4711`. */
  readonly origin: string;
  close(): Promise<void>;
}

const TOKEN_LENGTH_MIN = 16;
const BODY_BYTES_MAX = 64 * 1024;
const BODY_MS_MAX = 5_000;

/** Throws an Error that names the port when it is in use. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  if (options.token.length < TOKEN_LENGTH_MIN) throw new Error(`the control token is shorter than ${TOKEN_LENGTH_MIN}`);
  const { machine, clock } = options;
  const feed = new Feed(clock, async () => JSON.stringify(await controlState(machine)));
  const server = createServer((request, response) => {
    void respond(options, feed, server, request, response);
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await listen(server, options.port);
  const origin = originOf(server);
  return {
    origin,
    url: `${origin}/?token=${encodeURIComponent(options.token)}`,
    close: () =>
      new Promise((resolve) => {
        feed.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened: ${cause.message}`;
      reject(new Error(`the control port ${port} on 127.0.0.1 ${why}`, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function respond(
  options: ControlServerOptions,
  feed: Feed,
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', originOf(server));
  let answer = refusal(url, request, options.token);
  if (!answer && request.method === 'GET' && url.pathname === '/api/events') return feed.add(response);
  try {
    answer ??= await answerTo(options, url, request);
  } catch (error) {
    answer = problem(error);
  }
  if (response.destroyed) return;
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-security-policy': PAGE_POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  response.end(answer.body);
}

/** Why this request is not even looked at; null when it may be. */
function refusal(url: URL, request: IncomingMessage, token: string): Answer | null {
  const own = [url.host, url.host.replace('127.0.0.1', 'localhost')];
  if (!own.includes(request.headers.host ?? '')) return impossible(403, 'this host name is not served');
  const { origin } = request.headers;
  if (origin !== undefined && !own.some((host) => origin === `http://${host}`)) {
    return impossible(403, 'requests from other origins are refused');
  }
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  return sameSecret(bearer ?? url.searchParams.get('token') ?? '', token)
    ? null
    : impossible(401, 'the token is missing or wrong');
}

async function answerTo(
  { machine, clock, token }: ControlServerOptions,
  url: URL,
  request: IncomingMessage,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'POST') return impossible(405, 'only GET and POST are served');
  if (request.method === 'GET') {
    return (await pageFile(url.pathname, token)) ?? (await answerApi(machine, 'GET', url.pathname, null));
  }
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    return impossible(415, 'the body must be application/json');
  }
  const body = await bodyOf(request, clock);
  if (body === null) return impossible(413, `the body is longer than ${BODY_BYTES_MAX} bytes`);
  return await answerApi(machine, 'POST', url.pathname, body === '' ? {} : JSON.parse(body));
}

function problem(error: unknown): Answer {
  if (error instanceof PowerIsOff) return impossible(503, error.message);
  if (error instanceof SyntaxError) return impossible(400, `the body is not JSON: ${error.message}`);
  if (error instanceof z.ZodError) {
    const fields = error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
    return json(400, { ok: false, message: fields.map((one) => `${one.field}: ${one.message}`).join('; '), fields });
  }
  return impossible(500, (error as Error).message);
}

/** The body as text; null when it is too long. */
async function bodyOf(request: IncomingMessage, clock: Clock): Promise<string | null> {
  const callOff = clock.after(BODY_MS_MAX, () => request.destroy(new Error('the body did not arrive in time')));
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > BODY_BYTES_MAX) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    callOff();
  }
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
