/** One client's WebSocket at one service: sends in the dialect of the moment, and never throws because a client went away. */
import type { Dialect } from './dialect.ts';
import { type OutgoingMessage, type Payload, write } from './envelope.ts';

/** What is used of `ws`. */
export interface Socket {
  send(text: string): void;
  terminate(): void;
  readonly readyState: number;
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Largest message in either direction, bytes, as the reference framework limits it. A larger one from a client closes its
 *  connection (RFC 6455, 7.4.1: 1009). */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

const OPEN = 1;
/** Fields that no edition knows, for clients that must ignore them. */
const UNKNOWN_FIELDS: Payload = { vendorSpecific: { tray: 7 }, 'x-edition': '2031-1' };

export class Connection {
  readonly #socket: Socket;
  readonly #dialect: () => Dialect;

  constructor(socket: Socket, dialect: () => Dialect) {
    this.#socket = socket;
    this.#dialect = dialect;
  }

  listen(to: { text(text: string): void; closed(): void }): void {
    this.#socket.on('message', (data, isBinary) => {
      // Frames are text (XFS4IoT, 1.1); a binary one is answered like any text that is no message.
      to.text(isBinary ? '' : data.toString());
    });
    this.#socket.on('close', () => to.closed());
    // A socket that fails closes as well; without a listener Node would end the process.
    this.#socket.on('error', () => this.#socket.terminate());
  }

  send(message: OutgoingMessage, unknownFields = false): void {
    this.sendText(write(message, this.#dialect(), unknownFields ? UNKNOWN_FIELDS : {}));
  }

  sendText(text: string): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(text);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
