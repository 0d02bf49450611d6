/** The line between one terminal and the bank: what becomes of a request and of its answer. */
import { createHash } from 'node:crypto';
import type { FetchPort } from '../../src-main/sync/bank-client.ts';
import type { BankAnswer } from './bank-room.ts';
import type { Stream } from './generator.ts';
import type { LineTrouble } from './story.ts';
import type { World } from './world.ts';

interface Armed {
  readonly trouble: LineTrouble;
  after: number;
  times: number;
  readonly delayMs: number;
}

type Init = Parameters<FetchPort>[1];

/** Requests about nothing that could be lost. */
const IDLE = /^\/v1\/(health|policy|gallery)/;

export class Line {
  readonly #world: World;
  readonly #name: string;
  readonly #stream: Stream;
  readonly #armed: Armed[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
    this.#stream = world.stream(`line of ${name}`);
  }

  arm(trouble: Armed): void {
    this.#armed.push({ ...trouble });
  }

  mend(): void {
    this.#armed.length = 0;
  }

  readonly fetch: FetchPort = async (url, init) => {
    const { pathname, search } = new URL(url);
    const { time } = this.#world;
    await time.sleep(this.#stream.whole(2, 30), init.signal);
    const armed = IDLE.test(pathname) ? null : this.#strikes();
    switch (armed?.trouble) {
      case 'request lost':
        return this.#stream.chance(0.5) ? this.#refused() : await silence(init.signal);
      case 'request late':
        this.#ghost(armed.delayMs, pathname + search, init);
        return await silence(init.signal);
      case 'server error':
        return answerOf({ status: 503, body: 'gone fishing' });
    }
    if (this.#isDown()) return this.#refused();
    const answer = await this.#ask(pathname + search, init);
    switch (armed?.trouble) {
      case 'answer lost':
        return this.#stream.chance(0.5) ? this.#refused() : await silence(init.signal);
      case 'answer late':
        await time.sleep(armed.delayMs, init.signal);
        return answerOf(answer);
      case 'request doubled':
        this.#ghost(armed.delayMs, pathname + search, init);
        break;
      case 'garbage':
        return answerOf({
          status: 200,
          body: this.#stream.chance(0.5) ? '<html>hello</html>' : '{"outcome":"approved"}',
        });
    }
    await time.sleep(this.#stream.whole(2, 30), init.signal);
    return answerOf(answer);
  };

  #isDown(): boolean {
    const world = this.#world;
    if (world.time.monotonicMs() >= world.bankDownUntil) return false;
    world.count('trouble', 'requests while the bank is down');
    return true;
  }

  #refused(): never {
    throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
  }

  #strikes(): Armed | null {
    const next = this.#armed[0];
    if (!next) return null;
    if (next.after > 0) {
      next.after -= 1;
      return null;
    }
    next.times -= 1;
    if (next.times <= 0) this.#armed.shift();
    this.#world.count('trouble', `line: ${next.trouble}`);
    this.#world.note(this.#name, `line: ${next.trouble}`);
    return next;
  }

  async #ask(url: string, { method, headers, body }: Init): Promise<BankAnswer> {
    const { time, bank } = this.#world;
    const answer = await time.during(bank.request({ method, url, headers, ...(body === undefined ? {} : { body }) }));
    this.#world.note(this.#name, `${method} ${url} ${brief(body ?? '')} → ${answer.status} ${brief(answer.body)}`);
    return answer;
  }

  /** The request reaches the bank later, once more or at last; nobody hears the answer. */
  #ghost(delayMs: number, url: string, init: Init): void {
    const world = this.#world;
    world.ghosts += 1;
    world.time.after(delayMs, () => {
      const arrived = this.#isDown() ? Promise.resolve() : this.#ask(url, init);
      arrived.then(
        () => {
          world.ghosts -= 1;
        },
        (error: unknown) => world.violation('program', `the bank broke down on a late request: ${String(error)}`),
      );
    });
  }
}

/** Enough of a body to tell one from another. */
function brief(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 10);
}

function answerOf({ status, body }: BankAnswer): Awaited<ReturnType<FetchPort>> {
  // One chunk: all the bank's client does with a body is to iterate over it.
  return { status, body: [new TextEncoder().encode(body)] as unknown as ReadableStream<Uint8Array<ArrayBuffer>> };
}

/** Nothing is heard until whoever waits gives up. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
