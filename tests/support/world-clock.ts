/**
 * Time for tests of whole terminals: it stands still while anything works and jumps to the next timer when nothing does, so
 * that a minute's wait takes no time and no deadline passes because the machine is slow. "Works" means: the bank has a request
 * (`during`), Node's thread pool has something to do (files, cryptography, images), or bytes are on their way between two sockets
 * of this process (wire-traffic.ts).
 */
import { createHook } from 'node:async_hooks';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Clock } from '../../src-main/clock.ts';
import { VirtualTime } from './virtual-time.ts';
import { WireTraffic } from './wire-traffic.ts';

/** Turns of the event loop without work before time moves on. */
const QUIET_TURNS = 4;
/** Real ms between two looks at what is taken for done. Looks are counted, not time: where the machine is busy with something else
 *  this process gets fewer of them, as its thread pool gets less done. */
const LOOK_MS = 20;
/** Looks after which work is taken for done: Node also announces work that it then does on the spot, and never ends. */
const WORK_LOOKS_MAX = 5;
/** For making a key pair, which takes few ms, and which Node mostly announces without an end. */
const KEY_PAIR_LOOKS_MAX = 2;
const KEY_PAIR = 'KEYPAIRGENREQUEST';
/** Random bytes are always made on the spot here. */
const IN_THREAD_POOL = /^(?!RANDOMBYTES).*(REQUEST|REQ|REQPROMISE|REQCALLBACK)$/;
/** How Node names the work of native add-ons, such as drawing receipts; never done on the spot. */
const OF_ADD_ON = 'generic';

export class WorldClock extends VirtualTime {
  /** Async id of each piece of work, and the look at which it is taken for done. */
  readonly #inPool = new Map<number, number>();
  #looks = 0;
  #quietTurns = 0;
  readonly #wire = new WireTraffic();
  readonly #hook = createHook({
    // Not one of the many is work of its own.
    trackPromises: false,
    init: (id, type) => {
      if (type === OF_ADD_ON) this.#inPool.set(id, this.#looks + 100 * WORK_LOOKS_MAX);
      else if (type === KEY_PAIR) this.#inPool.set(id, this.#looks + KEY_PAIR_LOOKS_MAX);
      else if (IN_THREAD_POOL.test(type)) this.#inPool.set(id, this.#looks + WORK_LOOKS_MAX);
    },
    before: (id) => {
      if (this.#inPool.delete(id)) this.stir();
    },
  }).enable();
  readonly #watchdog = setInterval(() => {
    this.#looks += 1;
    for (const [id, until] of this.#inPool) if (until < this.#looks) this.#inPool.delete(id);
    this.stir();
  }, LOOK_MS).unref();

  override close(): void {
    super.close();
    this.#hook.disable();
    this.#wire.close();
    clearInterval(this.#watchdog);
  }

  protected override stir(): void {
    this.#quietTurns = 0;
    super.stir();
  }

  protected override rest(): 'yes' | 'not yet' | 'no' {
    if (this.#inPool.size > 0) return 'no';
    this.#quietTurns = this.#wire.busy() ? 0 : this.#quietTurns + 1;
    if (this.#quietTurns < QUIET_TURNS) return 'not yet';
    this.#quietTurns = 0;
    return 'yes';
  }
}

/** What a power cut throws out of whatever was being written. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/**
 * The mains of one run of a terminal. Every place at which power can go is a moment, counted from 1; at the chosen one nothing
 * of the run happens any more: its timers are gone, its sleeps never end, and whoever asks is told that power is cut.
 */
export class Mains {
  readonly #world: Pick<Clock, 'now' | 'monotonicMs' | 'after'>;
  #cutAt: number;
  readonly #timers = new Set<() => void>();
  readonly #onCut: (() => void)[] = [];
  /** What each moment was, in order. */
  readonly moments: string[] = [];
  #on = true;
  #offMs = 0;

  constructor(world: Pick<Clock, 'now' | 'monotonicMs' | 'after'>, cutAt = Number.POSITIVE_INFINITY) {
    this.#world = world;
    this.#cutAt = cutAt;
  }

  get on(): boolean {
    return this.#on;
  }

  /** Cuts at the so-many-th moment from now, unless it was to be cut before. */
  cutAfter(moments: number): void {
    this.#cutAt = Math.min(this.#cutAt, this.moments.length + moments);
  }

  /** Somebody sets the terminal's clock, so far from the right time; nothing else of time changes. */
  setClockOff(byMs: number): void {
    this.#offMs = byMs;
  }

  onCut(listener: () => void): void {
    this.#onCut.push(listener);
  }

  cut(): void {
    if (!this.#on) return;
    this.#on = false;
    for (const callOff of this.#timers) callOff();
    for (const listener of this.#onCut) listener();
  }

  /** True while there is power. */
  moment(what: string): boolean {
    if (!this.#on) return false;
    this.moments.push(what);
    if (this.moments.length >= this.#cutAt) this.cut();
    return this.#on;
  }

  /** Time as a part of the terminal has it; `what` names its sleeps as moments, null counts none. */
  clock(what: string | null): Clock {
    const world = this.#world;
    const after = (ms: number, callback: () => void) => {
      if (!this.#on) return () => {};
      const callOff = world.after(ms, () => {
        this.#timers.delete(callOff);
        callback();
      });
      this.#timers.add(callOff);
      return () => {
        this.#timers.delete(callOff);
        callOff();
      };
    };
    return {
      now: () => (world.now() + this.#offMs) as WallTimeMs,
      monotonicMs: () => world.monotonicMs(),
      after,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal.throwIfAborted();
          if (!this.#on || (what !== null && !this.moment(what))) {
            // The cut itself may have closed what the sleep belongs to.
            if (signal.aborted) reject(signal.reason);
            signal.addEventListener('abort', () => reject(signal.reason), { once: true });
            return;
          }
          const abort = () => {
            callOff();
            reject(signal.reason);
          };
          const callOff = after(ms, () => {
            signal.removeEventListener('abort', abort);
            resolve();
          });
          signal.addEventListener('abort', abort, { once: true });
        }),
    };
  }
}
