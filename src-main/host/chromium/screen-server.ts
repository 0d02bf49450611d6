/**
 * The page and the bridge on 127.0.0.1. Anything else on the machine can reach the port, so reaching it is worth nothing: a
 * launch URL works once and turns into a cookie no script can read; every request needs that cookie and our own Host; the
 * WebSocket needs our own Origin too. A newer connection with the cookie is the page after a reload and replaces the older.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import {
  BRIDGE_PATH,
  CLOSE_MESSAGE_INVALID,
  CLOSE_REPLACED,
  FRAME_MESSAGE_BYTES_MAX,
  HEARTBEAT_MS,
  SCREEN_TEXT_CHARS_MAX,
  ScreenMessage,
  type TerminalMessage,
} from '../../../src-contract/bridge-messages.ts';
import type { Chance, Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import { type ContentRoots, openContent, securityHeaders } from '../content.ts';
import type { TerminalEnd } from '../host.ts';
import type { HostLog } from '../log.ts';
import { linkScreen } from '../screen-link.ts';

const COOKIE = 'kaopass-screen';
/** Frames nobody asked for, in a row, after which the page is taken to be broken or not ours. */
const UNASKED_FRAMES_MAX = 20;
/** Views a screen may lie behind before its connection counts as dead, bytes. A view is some 2 kB. */
const UNSENT_BYTES_MAX = 1_000_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface ScreenServerOptions {
  readonly terminal: TerminalEnd;
  readonly content: ContentRoots;
  /** 0 takes any free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: HostLog;
}

export interface ScreenServer {
  /** http://127.0.0.1:PORT */
  readonly origin: string;
  /** A new URL that opens the screen once. Ends what former URLs and their cookies allowed. */
  issueLaunchUrl(): string;
  readonly connected: boolean;
  /** Calls back at each change of {@link connected}. Returns how to stop. */
  onConnection(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

function same(given: string | undefined, secret: string | undefined): boolean {
  if (given === undefined || secret === undefined) return false;
  const a = Buffer.from(given);
  const b = Buffer.from(secret);
  return a.length === b.length && timingSafeEqual(a, b);
}

function cookieOf(request: IncomingMessage): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE) return value;
  }
  return undefined;
}

/** Why a value is not JSON of the right shape stays out of the log: it may hold anything. */
function parseText(text: string): ScreenMessage | undefined {
  try {
    return ScreenMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Listens on 127.0.0.1. Throws PORT_IN_USE naming the port, or HOST_FAILED. */
export async function startScreenServer(options: ScreenServerOptions): Promise<ScreenServer> {
  const { clock, chance, log } = options;
  const link = linkScreen(options.terminal, clock, log);
  const listeners = new Set<(connected: boolean) => void>();
  const secret = () => Buffer.from(chance.bytes(32)).toString('base64url');
  let launchToken: string | undefined;
  let session: string | undefined;
  let screen: WebSocket | undefined;
  let host = '';

  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.warn({ path: request.url?.split('?')[0], error: String(error) }, 'screen: a request failed');
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'Content-Length': '0' }).end();
    });
  });
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  http.maxConnections = 64;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders([`ws://${host}`]))) response.setHeader(name, value);
    const refuse = (status: number) => void response.writeHead(status, { 'Content-Length': '0' }).end();
    // A name that was made to point at 127.0.0.1 (DNS rebinding) shows here.
    if (request.headers.host !== host) return refuse(403);
    const isHead = request.method === 'HEAD';
    if (request.method !== 'GET' && !isHead) return refuse(405);
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path.startsWith('/launch/')) {
      if (isHead || !same(path.slice('/launch/'.length), launchToken)) {
        log.warn({}, 'screen: a launch URL that is wrong or was used before was refused');
        return refuse(403);
      }
      launchToken = undefined;
      session = secret();
      const cookie = `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Strict`;
      response.writeHead(303, { Location: '/', 'Set-Cookie': cookie, 'Content-Length': '0' }).end();
      return;
    }
    if (!same(cookieOf(request), session)) return refuse(403);
    const { status, headers, body } = await openContent(options.content, path, request.headers.range);
    response.writeHead(status, headers);
    if (!body) return void response.end();
    if (isHead) {
      await body.open.close();
      return void response.end();
    }
    const { first, last } = body.range;
    await pipeline(body.open.createReadStream({ start: first, end: last }), response).catch((error: unknown) => {
      // A video element gives up requests all the time: it seeks.
      if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  }

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const reason =
      request.url !== BRIDGE_PATH
        ? 'path'
        : request.headers.host !== host
          ? 'host'
          : request.headers.origin !== `http://${host}`
            ? 'origin'
            : same(cookieOf(request), session)
              ? undefined
              : 'cookie';
    if (reason) {
      log.warn({ reason }, 'screen: a connection that is not our page was refused');
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, connect);
  });

  function changed(): void {
    for (const listener of listeners) listener(screen !== undefined);
  }

  function connect(socket: WebSocket): void {
    const former = screen;
    screen = socket;
    former?.close(CLOSE_REPLACED, 'replaced by a newer page');
    let alive = true;
    let unasked = 0;

    const send = (message: TerminalMessage) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > UNSENT_BYTES_MAX) socket.terminate();
      else socket.send(JSON.stringify(message));
    };
    const refuse = (what: string) => {
      log.warn({ what }, 'screen: a message was refused and the connection closed');
      socket.close(CLOSE_MESSAGE_INVALID, what);
    };

    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (socket !== screen) return;
      const bytes = data as Buffer;
      if (isBinary) {
        unasked = link.frame(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)) ? 0 : unasked + 1;
        if (unasked > UNASKED_FRAMES_MAX) refuse('frames that were not asked for');
        return;
      }
      if (bytes.length > SCREEN_TEXT_CHARS_MAX) return refuse(`text longer than ${SCREEN_TEXT_CHARS_MAX} characters`);
      const message = parseText(bytes.toString());
      if (!message) return refuse('text that is no intent');
      send({ type: 'answer', id: message.id, answer: link.intent(message.message) });
    });
    socket.on('pong', () => {
      alive = true;
    });
    socket.on('error', (error) => log.warn({ error: error.message }, 'screen: the connection failed'));

    const detach = link.attach({
      view: (view) => send({ type: 'view', view }),
      frameWanted: () => send({ type: 'frame-wanted' }),
    });
    let stopBeat = () => {};
    const beat = () => {
      stopBeat = clock.after(HEARTBEAT_MS, () => {
        if (!alive) return socket.terminate();
        alive = false;
        socket.ping();
        send({ type: 'heartbeat' });
        beat();
      });
    };
    beat();
    socket.on('close', (code: number) => {
      if (code === CLOSE_MESSAGE_INVALID) log.warn({ code }, 'screen: page and terminal do not understand each other');
      stopBeat();
      detach();
      if (screen !== socket) return;
      screen = undefined;
      changed();
    });
    if (!former) changed();
  }

  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      link.close();
      reject(
        error.code === 'EADDRINUSE'
          ? new TerminalError('PORT_IN_USE', `screen: port ${options.port} of 127.0.0.1 is in use`, { cause: error })
          : new TerminalError('HOST_FAILED', `screen: cannot listen on 127.0.0.1:${options.port}`, { cause: error }),
      );
    });
    http.listen({ host: '127.0.0.1', port: options.port }, resolve);
  });
  host = `127.0.0.1:${(http.address() as AddressInfo).port}`;

  return {
    origin: `http://${host}`,
    issueLaunchUrl() {
      launchToken = secret();
      session = undefined;
      screen?.close(CLOSE_REPLACED, 'a new screen is launched');
      return `http://${host}/launch/${launchToken}`;
    },
    get connected() {
      return screen !== undefined;
    },
    onConnection(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      link.close();
      listeners.clear();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}
