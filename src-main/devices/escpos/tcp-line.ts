/** A printer on the network: raw TCP, usually port 9100 (AppSocket). */
import { connect, type Socket } from 'node:net';
import { type Clock, deadline } from '../../clock.ts';
import { LineError, type LineEvents, type OpenLine, type PrinterLine } from './line.ts';

/** Longest wait for a connection, ms. A printer on the same network answers in a few; one that is off never does. */
const CONNECT_MS_MAX = 3_000;
/** First probe of a silent peer after this many ms; finds a printer whose plug was pulled though nothing is written. */
const KEEP_ALIVE_MS = 10_000;

export function tcpLine(host: string, port: number, clock: Clock): PrinterLine {
  const label = `TCP ${host}:${port}`;
  return {
    label,
    async open(events, signal) {
      using limit = deadline(clock, CONNECT_MS_MAX, signal);
      const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
      try {
        await new Promise<void>((resolve, reject) => {
          const abort = () => reject(limit.signal.reason);
          limit.signal.throwIfAborted();
          limit.signal.addEventListener('abort', abort, { once: true });
          socket.once('connect', resolve).once('error', reject);
        });
      } catch (cause) {
        socket.destroy();
        socket.on('error', () => undefined);
        signal.throwIfAborted();
        throw lineError(label, cause);
      }
      return new TcpConnection(label, socket, events);
    },
  };
}

class TcpConnection implements OpenLine {
  readonly #label: string;
  readonly #socket: Socket;
  #error: Error | null = null;

  constructor(label: string, socket: Socket, events: LineEvents) {
    this.#label = label;
    this.#socket = socket;
    let ours = false;
    socket.removeAllListeners('error');
    socket.on('data', (bytes) => events.data(bytes));
    socket.on('error', (error) => {
      this.#error = error;
    });
    // A printer that ends its half has nothing more to say and will not print either.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (!ours) events.closed(this.#gone());
    });
    this.close = async () => {
      ours = true;
      socket.destroy();
    };
  }

  readonly close: () => Promise<void>;

  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null) => {
        signal.removeEventListener('abort', abort);
        if (error) reject(signal.aborted ? signal.reason : lineError(this.#label, this.#error ?? error));
        else resolve();
      };
      const abort = () => settle(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      if (this.#socket.destroyed) settle(this.#gone());
      else this.#socket.write(bytes, settle);
    });
  }

  #gone(): LineError {
    return this.#error
      ? lineError(this.#label, this.#error)
      : new LineError('gone', `the printer at ${this.#label} closed the connection`);
  }
}

function lineError(label: string, cause: unknown): LineError {
  if (cause instanceof LineError) return cause;
  const { code, name } = cause as NodeJS.ErrnoException;
  const options = { cause };
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return new LineError('timeout', `nothing answers at ${label}: check power, network cable and address`, options);
  }
  switch (code) {
    case 'ECONNREFUSED':
      return new LineError(
        'absent',
        `${label} refuses the connection: wrong address, or another program holds the printer`,
        options,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new LineError('absent', `there is no way to ${label} (${code}): check address and network`, options);
    default:
      return new LineError('gone', `the connection to ${label} broke (${code ?? (cause as Error).message})`, options);
  }
}
