/**
 * {@link SimulatedControl} over HTTP on 127.0.0.1, for the panel (control-panel.ts) and for tests in other processes. Who can reach it
 * can make money come out of simulated devices only; still it takes no request without the token, none for another host name
 * (DNS rebinding), and none that another site's page sends.
 *
 * | request                  | body                                              |
 * |--------------------------|---------------------------------------------------|
 * | GET /                    | the panel                                         |
 * | GET /state               |                                                   |
 * | POST /notes/insert       | notes: [{denominationMinor, count}], unrecognised?, waitMs? |
 * | POST /notes/take         | waitMs?                                           |
 * | POST /notes/take-returned| waitMs?                                           |
 * | POST /pin/keys           | keys, waitMs?                                     |
 * | POST /scan               | text                                              |
 * | POST /faults             | device, fault, mode?, unit?, command? (faults.ts) |
 * | POST /faults/clear       | device?, fault?                                   |
 * | POST /paper              | receipts                                          |
 * | POST /camera             | scene: id of one offered, or source               |
 * | GET /receipts            | newest first; each GET /receipts/<name>.png, .escpos |
 *
 * Answers: 200 `{ok: true, …}`; 409 `{ok: false, message}` for a deed impossible now; 400 `{ok: false, message, fields}`.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { CameraSource, NoteCount } from '../../../src-contract/screen.ts';
import { type Clock, deadline } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { SimulatedControl } from './control.ts';
import { controlPanel, type PanelGoods, type PanelScene, panelPolicy } from './control-panel.ts';
import { FAULTS, FaultOrder } from './faults.ts';

export interface ControlServerOptions {
  readonly control: SimulatedControl;
  /** 0 takes any free one. */
  readonly port: number;
  /** At least 16 characters; whoever has it can use the devices. */
  readonly token: string;
  readonly clock: Clock;
  /** Goods the panel can show to the scanner. */
  readonly goods?: readonly PanelGoods[];
  /** Who can stand before the camera. */
  readonly scenes?: readonly PanelScene[];
  readonly terminalName?: string;
}

export interface ControlServer {
  /** The panel, with the token. */
  readonly url: string;
  /** Without path or token, e.g. "http://127.0.0.1:4711". */
  readonly origin: string;
  close(): Promise<void>;
}

const TOKEN_LENGTH_MIN = 16;
const BODY_BYTES_MAX = 16_384;
const BODY_MS_MAX = 5_000;
const WAIT_MS_MAX = 60_000;

const waitMs = z.int().min(0).max(WAIT_MS_MAX).default(0);
const Bodies = {
  insert: z.strictObject({
    notes: z.array(NoteCount).max(10).default([]),
    unrecognised: z.int().min(0).max(200).default(0),
    waitMs,
  }),
  wait: z.strictObject({ waitMs }),
  keys: z.strictObject({ keys: z.string().min(1).max(64), waitMs }),
  scan: z.strictObject({ text: z.string().min(1).max(500) }),
  clear: z.strictObject({
    device: z.enum(Object.keys(FAULTS) as [keyof typeof FAULTS, ...(keyof typeof FAULTS)[]]).optional(),
    fault: z.string().max(40).optional(),
  }),
  paper: z.strictObject({ receipts: z.int() }),
  camera: z.union([z.strictObject({ scene: z.string().max(80) }), z.strictObject({ source: CameraSource })]),
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}
const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
});
const refuse = (status: number, message: string) => json(status, { ok: false, message });
const deed = (answer: { readonly ok: boolean }) => json(answer.ok ? 200 : 409, answer);

/** Throws PORT_IN_USE naming the port. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  if (options.token.length < TOKEN_LENGTH_MIN) {
    throw new TerminalError('CONFIG_INVALID', `the control token is shorter than ${TOKEN_LENGTH_MIN} characters`);
  }
  let origin = '';
  const server = createServer((request, response) => {
    answer(options, origin, request)
      .catch((error: unknown) => refuse(error instanceof TerminalError ? 503 : 500, String(error)))
      .then((result) => send(response, result));
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'DEVICE_FAILED';
      reject(
        new TerminalError(code, `device control can't listen on port ${options.port}: ${cause.message}`, { cause }),
      );
    });
    server.listen(options.port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/?token=${encodeURIComponent(options.token)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: ControlServerOptions, origin: string, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', origin);
  const own = [new URL(origin).host, new URL(origin).host.replace('127.0.0.1', 'localhost')];
  if (!own.includes(request.headers.host ?? '')) return refuse(403, 'this host name is not served');
  if (request.headers.origin !== undefined && !own.some((host) => request.headers.origin === `http://${host}`)) {
    return refuse(403, 'requests from other origins are refused');
  }
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!sameSecret(bearer ?? url.searchParams.get('token') ?? '', options.token)) {
    return refuse(401, 'the token is missing or wrong');
  }
  if (request.method === 'GET') return await read(options, url.pathname);
  if (request.method !== 'POST') return refuse(405, 'only GET and POST are served');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    return refuse(415, 'the body must be application/json');
  }
  const body = await bodyOf(request, options.clock);
  if (body === null) return refuse(413, `the body is longer than ${BODY_BYTES_MAX} bytes`);
  try {
    return await act(options, url.pathname, body === '' ? {} : JSON.parse(body));
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(400, `the body is not JSON: ${error.message}`);
    if (!(error instanceof z.ZodError)) throw error;
    const fields = error.issues.map(({ path, message }) => ({ field: path.join('.') || '(body)', message }));
    const message = fields.map((one) => `${one.field}: ${one.message}`).join('; ');
    return json(400, { ok: false, message, fields });
  }
}

async function read({ control, goods, scenes, terminalName }: ControlServerOptions, path: string): Promise<Answer> {
  if (path === '/') {
    const { profile } = control.state();
    const body = controlPanel({ profile, goods: goods ?? [], scenes: scenes ?? [], name: terminalName ?? 'Kaopass' });
    return {
      status: 200,
      type: 'text/html; charset=utf-8',
      body,
      headers: { 'content-security-policy': panelPolicy },
    };
  }
  if (path === '/state') return json(200, { ok: true, state: control.state() });
  const receipts = await control.receipts();
  if (path === '/receipts') {
    return json(200, {
      ok: true,
      receipts: receipts.map(({ name }) => ({
        name,
        png: `/receipts/${name}.png`,
        escpos: `/receipts/${name}.escpos`,
      })),
    });
  }
  // Only names that the printer lists are looked up; no path from outside ever reaches the disk.
  for (const receipt of receipts) {
    if (path === `/receipts/${receipt.name}.png`) {
      return { status: 200, type: 'image/png', body: await readFile(receipt.pngPath) };
    }
    if (path === `/receipts/${receipt.name}.escpos`) {
      return { status: 200, type: 'application/octet-stream', body: await readFile(receipt.escposPath) };
    }
  }
  return refuse(404, `nothing is at ${path}`);
}

async function act({ control, scenes }: ControlServerOptions, path: string, body: unknown): Promise<Answer> {
  switch (path) {
    case '/notes/insert': {
      const { notes, ...rest } = Bodies.insert.parse(body);
      return deed(await control.insertNotes(notes, rest));
    }
    case '/notes/take':
      return deed(await control.takeNotes(Bodies.wait.parse(body)));
    case '/notes/take-returned':
      return deed(await control.takeReturned(Bodies.wait.parse(body)));
    case '/pin/keys': {
      const { keys, ...rest } = Bodies.keys.parse(body);
      return deed(await control.pressKeys(keys, rest));
    }
    case '/scan':
      return deed(await control.scan(Bodies.scan.parse(body).text));
    case '/faults':
      control.armFault(FaultOrder.parse(body));
      return json(200, { ok: true });
    case '/faults/clear': {
      const { device, fault } = Bodies.clear.parse(body);
      control.clearFault(device, fault);
      return json(200, { ok: true });
    }
    case '/paper':
      return deed(control.setPaper(Bodies.paper.parse(body).receipts));
    case '/camera': {
      const wanted = Bodies.camera.parse(body);
      const source = 'source' in wanted ? wanted.source : scenes?.find((scene) => scene.id === wanted.scene)?.source;
      if (!source) return refuse(409, 'no such scene is offered');
      control.setCamera(source);
      return json(200, { ok: true });
    }
    default:
      return refuse(404, `nothing is at ${path}`);
  }
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

function send(response: ServerResponse, { status, type, body, headers }: Answer): void {
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
