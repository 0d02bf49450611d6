/**
 * The line to a printer: bytes out with back-pressure, bytes in, and an end that has a reason. TCP, USB and serial are three of these, the
 * virtual printer's memory a fourth. A line carries bytes and knows nothing of ESC/POS.
 */

export type LineFailure =
  /** Nothing took the connection in time, or nothing accepted a byte for too long. */
  | 'timeout'
  /** Nobody listens there, or there is no such device file. */
  | 'absent'
  /** It was there and went away: unplugged, switched off, connection reset. */
  | 'gone'
  /** Somebody else holds it: printers serve one connection, a serial port one process. */
  | 'busy'
  /** This user may not open it. */
  | 'permission'
  /** The USB printer class says so itself (Linux usblp: ENOSPC). */
  | 'paperOut'
  | 'failed';

/** Why a line does not work. The message is one sentence for the technician that names the line and the remedy. */
export class LineError extends Error {
  override readonly name = 'LineError';
  readonly failure: LineFailure;

  constructor(failure: LineFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}

/** What a line tells its owner. Handlers are called between events, never from within a call of the owner's. */
export interface LineEvents {
  data(bytes: Uint8Array): void;
  /** Once, when an open line ends other than by {@link OpenLine.close}. */
  closed(reason: LineError): void;
}

/** A way to a printer. Each `open` makes a new connection; a printer is to be given one at a time. */
export interface PrinterLine {
  /** As a technician would say it, e.g. "TCP 192.0.2.7:9100" or "/dev/usb/lp0". */
  readonly label: string;
  /** Rejects with a {@link LineError} within the line's own deadline, or with the signal's reason. */
  open(events: LineEvents, signal: AbortSignal): Promise<OpenLine>;
}

export interface OpenLine {
  /**
   * Resolves when the line has taken all bytes, which for TCP means the kernel and for USB the printer's buffer: never that
   * anything was printed. Waits while the printer is busy. Rejects with a {@link LineError}, or the signal's reason. One at a time.
   */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Ends it; bytes not yet taken are dropped. Twice is once. */
  close(): Promise<void>;
}
