/**
 * A printer at a USB printer class device file of Linux, /dev/usb/lp0 (kernel module usblp). Opened non-blocking: a blocking
 * read of a printer that has nothing to say would hold a thread of Node's pool for good. So reading is asking again, and a write
 * that the busy printer refuses (EAGAIN) is tried again.
 */
import { constants } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import { LineError, type LineEvents, type OpenLine, type PrinterLine } from './line.ts';

/** Between two reads, ms: status bytes are a few, and nobody waits less than this for them. */
const READ_EVERY_MS = 25;
/** Between two tries of a write, ms. */
const WRITE_AGAIN_MS = 10;
const READ_BYTES = 256;

/** What of a file handle is used; node:fs/promises has it. */
export interface LineFile {
  read(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ bytesWritten: number }>;
  close(): Promise<void>;
}
export type OpenFile = (path: string, flags: number) => Promise<LineFile>;

export function usbLine(path: string, clock: Clock, open: OpenFile = openFile): PrinterLine {
  return {
    label: path,
    async open(events, signal) {
      signal.throwIfAborted();
      try {
        const file = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
        return new UsbConnection(path, file, clock, events);
      } catch (cause) {
        throw lineError(path, cause);
      }
    },
  };
}

class UsbConnection implements OpenLine {
  readonly #path: string;
  readonly #file: LineFile;
  readonly #clock: Clock;
  readonly #events: LineEvents;
  readonly #ended = new AbortController();
  readonly #reading: Promise<void>;

  constructor(path: string, file: LineFile, clock: Clock, events: LineEvents) {
    this.#path = path;
    this.#file = file;
    this.#clock = clock;
    this.#events = events;
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        // A buffer each time: the owner may keep what it got.
        const buffer = new Uint8Array(READ_BYTES);
        const { bytesRead } = await this.#file.read(buffer, 0, READ_BYTES, null);
        if (signal.aborted) return;
        if (bytesRead > 0) this.#events.data(buffer.subarray(0, bytesRead));
        if (bytesRead === READ_BYTES) continue;
      } catch (cause) {
        if (signal.aborted) return;
        if (!isAgain(cause)) {
          this.#ended.abort();
          this.#events.closed(lineError(this.#path, cause));
          await this.#file.close().catch(() => undefined);
          return;
        }
      }
      await this.#clock.sleep(READ_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#ended.signal]);
    let at = 0;
    while (at < bytes.length) {
      signal.throwIfAborted();
      if (this.#ended.signal.aborted) throw new LineError('gone', `${this.#path} is closed`);
      try {
        at += (await this.#file.write(bytes, at, bytes.length - at, null)).bytesWritten;
      } catch (cause) {
        if (!isAgain(cause)) throw lineError(this.#path, cause);
        await this.#clock.sleep(WRITE_AGAIN_MS, either).catch(() => undefined);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    await this.#reading;
    await this.#file.close().catch(() => undefined);
  }
}

function isAgain(cause: unknown): boolean {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EINTR';
}

function lineError(path: string, cause: unknown): LineError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const options = { cause };
  switch (code) {
    case 'ENOENT':
      return new LineError('absent', `there is no ${path}: is the printer on and plugged in? (lsusb, dmesg)`, options);
    case 'ENXIO':
    case 'ENODEV':
    case 'EIO':
    case 'EPIPE':
    case 'ESHUTDOWN':
      return new LineError('gone', `the printer at ${path} went away (${code}): check cable and power`, options);
    case 'EACCES':
    case 'EPERM':
      return new LineError(
        'permission',
        `${path} may not be opened: put the terminal's user into the group that owns it ("lp" on most systems), or install the udev rule of docs/printers.md`,
        options,
      );
    case 'EBUSY':
      return new LineError('busy', `${path} is held by another program (CUPS?): only one can print`, options);
    case 'ENOSPC':
      return new LineError('paperOut', `the printer at ${path} says that it is out of paper (ENOSPC)`, options);
    default:
      return new LineError('failed', `${path}: ${message}`, options);
  }
}
