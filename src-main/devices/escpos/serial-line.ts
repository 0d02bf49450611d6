/** A printer at a serial port: 8 data bits, no parity, 1 stop bit, as TM printers leave the factory. */
import { SerialPort } from 'serialport';
import type { Clock } from '../../clock.ts';
import { LineError, type LineEvents, type OpenLine, type PrinterLine } from './line.ts';

export interface SerialSettings {
  readonly path: string;
  readonly baudRate: number;
  /** As the printer's DIP switches say. "rtscts" is DTR/DSR on the printer's side, crossed in its cable. */
  readonly flowControl?: 'rtscts' | 'xonxoff' | 'none';
}

/** Longest wait for one write to leave, ms: 4 KiB at 2,400 baud, with the printer busy for a while. */
const WRITE_MS_MAX = 30_000;

type Callback = (error: Error | null | undefined) => void;
/** What of a port is used. */
interface Port {
  readonly isOpen: boolean;
  open(callback: Callback): void;
  write(bytes: Buffer, callback: Callback): unknown;
  flush(callback: Callback): void;
  close(callback: Callback): void;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'error' | 'close', listener: (error: Error | null) => void): unknown;
}
/** What makes a port; the class of the package `serialport` or its mock. */
export type SerialPortClass = new (options: {
  path: string;
  baudRate: number;
  autoOpen: false;
  rtscts: boolean;
  xon: boolean;
  xoff: boolean;
}) => Port;

export function serialLine(
  { path, baudRate, flowControl = 'rtscts' }: SerialSettings,
  clock: Clock,
  Port: SerialPortClass = SerialPort,
): PrinterLine {
  return {
    label: `${path} at ${baudRate} baud`,
    async open(events, signal) {
      signal.throwIfAborted();
      const software = flowControl === 'xonxoff';
      const port = new Port({
        path,
        baudRate,
        autoOpen: false,
        rtscts: flowControl === 'rtscts',
        xon: software,
        xoff: software,
      });
      const connection = new SerialConnection(path, port, clock, events);
      await new Promise<void>((resolve, reject) =>
        port.open((cause) => (cause ? reject(lineError(path, cause)) : resolve())),
      );
      if (signal.aborted) await connection.close();
      signal.throwIfAborted();
      return connection;
    },
  };
}

class SerialConnection implements OpenLine {
  readonly #path: string;
  readonly #port: Port;
  readonly #clock: Clock;
  #closing = false;

  constructor(path: string, port: Port, clock: Clock, events: LineEvents) {
    this.#path = path;
    this.#port = port;
    this.#clock = clock;
    port.on('data', (bytes: Buffer) => events.data(bytes));
    // The package reports an unplugged adapter as a close with a DisconnectedError, other trouble as an error before a close.
    let trouble: Error | null = null;
    port.on('error', (error: Error | null) => {
      trouble = error;
    });
    port.on('close', (error: Error | null) => {
      if (!this.#closing) events.closed(lineError(path, error ?? trouble ?? new Error('the port closed'), 'gone'));
    });
  }

  write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown) => {
        signal.removeEventListener('abort', abort);
        callOff();
        if (error) reject(error);
        else resolve();
      };
      const failed = (cause: Error) => settle(lineError(this.#path, cause, 'gone'));
      const abort = () => settle(signal.reason);
      if (signal.aborted) return reject(signal.reason);
      const callOff = this.#clock.after(WRITE_MS_MAX, () =>
        settle(new LineError('timeout', `the printer at ${this.#path} takes no data: check cable and flow control`)),
      );
      signal.addEventListener('abort', abort, { once: true });
      if (!this.#port.isOpen) failed(new Error('the port is closed'));
      else {
        // Taken by the kernel; waiting for it to leave (tcdrain) would hold a thread while the printer says stop.
        this.#port.write(Buffer.from(bytes), (error) => (error ? failed(error) : settle(null)));
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (!this.#port.isOpen) return;
    // Undelivered bytes would keep the port from closing while the printer says stop.
    await new Promise<void>((resolve) => this.#port.flush(() => resolve()));
    await new Promise<void>((resolve) => this.#port.close(() => resolve()));
  }
}

function lineError(path: string, cause: Error, otherwise: 'failed' | 'gone' = 'failed'): LineError {
  const options = { cause };
  const { message } = cause;
  if (/no such file|not found/i.test(message)) {
    return new LineError('absent', `there is no ${path}: is the adapter plugged in?`, options);
  }
  if (/permission|access denied/i.test(message)) {
    return new LineError(
      'permission',
      `${path} may not be opened: put the terminal's user into the group that owns it ("dialout" on most systems)`,
      options,
    );
  }
  if (/lock|busy/i.test(message)) return new LineError('busy', `${path} is held by another program`, options);
  return otherwise === 'gone'
    ? new LineError('gone', `the printer or its adapter at ${path} went away (${message}): check cables`, options)
    : new LineError('failed', `${path}: ${message}`, options);
}
