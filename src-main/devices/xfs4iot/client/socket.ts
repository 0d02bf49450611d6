/** One WebSocket as the client needs it; the default is `ws`. Tests put a pair in memory here. */
import type { SecureContextOptions } from 'node:tls';
import { WebSocket } from 'ws';

/** What a socket tells. Nothing after `closed`, which comes exactly once for a socket that opened. */
export interface SocketEvents {
  text(message: string): void;
  /** A frame that was not taken: binary, or above the limit. */
  refused(reason: 'malformed' | 'tooLarge', detail: string): void;
  closed(detail: string): void;
  /** The answer to a ping. */
  pong(): void;
}

export interface Socket {
  send(message: string): void;
  /** Ends the connection, at once where a handshake does not come. `closed` follows. */
  close(): void;
  /** Asks for a sign of life; a socket without it is believed to be alive until it closes. */
  ping?(): void;
}

export interface SocketOptions {
  /** Largest message to be taken, bytes. */
  readonly messageBytesMax: number;
  readonly tls: TlsOptions;
  /** Gives up opening. */
  readonly signal: AbortSignal;
}

/** As node:tls has them: the certificate authority of the services, and the terminal's own certificate where they ask for one. */
export type TlsOptions = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;

/** Resolves when the connection is open; rejects when it could not be opened or the signal aborts. */
export type SocketFactory = (uri: string, events: SocketEvents, options: SocketOptions) => Promise<Socket>;

export const openWebSocket: SocketFactory = (uri, events, { messageBytesMax, tls, signal }) => {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  signal.throwIfAborted();
  const socket = new WebSocket(uri, { ...tls, maxPayload: messageBytesMax, perMessageDeflate: false });
  const give = () => {
    reject(signal.reason);
    socket.terminate();
  };
  signal.addEventListener('abort', give, { once: true });
  let opened = false;
  let detail = '';
  socket.on('open', () => {
    opened = true;
    signal.removeEventListener('abort', give);
    resolve({
      // What goes wrong on sending closes the socket, and that is heard.
      send: (message) => socket.send(message, () => {}),
      close: () => socket.terminate(),
      ping: () => socket.ping(undefined, undefined, () => {}),
    });
  });
  socket.on('pong', () => events.pong());
  socket.on('message', (data, binary) => {
    if (binary) events.refused('malformed', 'a binary frame');
    else events.text(data.toString());
  });
  socket.on('error', (error: Error & { code?: string }) => {
    detail = error.message;
    if (!opened) return;
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') events.refused('tooLarge', error.message);
    else if (error.code?.startsWith('WS_ERR_')) events.refused('malformed', error.message);
    // The protocol is broken: nothing is gained by waiting for a closing handshake.
    socket.terminate();
  });
  socket.on('close', (code) => {
    signal.removeEventListener('abort', give);
    if (opened) events.closed(detail || `closed with ${code}`);
    else reject(new Error(`${uri} could not be opened: ${detail || code}`));
  });
  return promise;
};
