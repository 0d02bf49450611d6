/** Sends the state to every open page when it changed (Server-Sent Events, WHATWG HTML 9.2). Looks only while a page is open. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';

const LOOK_MS = 150;
/** A line of comment keeps proxies and half-open sockets honest. */
const STILL_THERE_MS = 15_000;

export class Feed {
  readonly #clock: Clock;
  readonly #read: () => Promise<string>;
  readonly #pages = new Set<ServerResponse>();
  #last = '';
  #sentAt = 0;
  #callOff: (() => void) | null = null;

  /** `read` gives the state as one line. */
  constructor(clock: Clock, read: () => Promise<string>) {
    this.#clock = clock;
    this.#read = read;
  }

  add(page: ServerResponse): void {
    page.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    page.on('close', () => this.#pages.delete(page));
    this.#pages.add(page);
    if (this.#last) page.write(`data: ${this.#last}\n\n`);
    if (this.#callOff === null) void this.#look();
  }

  close(): void {
    this.#callOff?.();
    for (const page of this.#pages) page.end();
    this.#pages.clear();
  }

  async #look(): Promise<void> {
    this.#callOff = () => {};
    const state = await this.#read().catch(() => this.#last);
    const now = this.#clock.monotonicMs();
    if (state !== this.#last) this.#send(`data: ${state}\n\n`, now);
    else if (now - this.#sentAt > STILL_THERE_MS) this.#send(':\n\n', now);
    this.#last = state;
    this.#callOff = this.#pages.size === 0 ? null : this.#clock.after(LOOK_MS, () => void this.#look());
  }

  #send(text: string, now: number): void {
    this.#sentAt = now;
    for (const page of this.#pages) page.write(text);
  }
}
