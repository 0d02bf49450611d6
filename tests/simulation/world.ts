/** What everybody in one run shares: time, the seed's streams, the trace that must be the same each time, counts, and what was found wrong. */
import { createHash } from 'node:crypto';
import { VirtualTime } from '../support/virtual-time.ts';
import type { BankRoom } from './bank-room.ts';
import { Stream } from './generator.ts';
import type { PlantedBug } from './planted-bugs.ts';
import type { Story } from './story.ts';

/** Which promise was broken. */
export type BrokenPromise = 'cash' | 'books' | 'results' | 'people' | 'progress' | 'stand-in' | 'program';

/** How often: troubles that struck, what came of visits, how transactions ended; by name. */
export interface Counts {
  readonly trouble: Map<string, number>;
  readonly visit: Map<string, number>;
  readonly transaction: Map<string, number>;
}

export interface Violation {
  readonly promise: BrokenPromise;
  readonly what: string;
  readonly atMs: number;
}

/** Thrown to end a run at its first violation. */
export class RunEnds extends Error {
  override readonly name = 'RunEnds';
}

export class World {
  readonly time = new VirtualTime();
  readonly story: Story;
  readonly bank: BankRoom;
  readonly dir: string;
  readonly bug: PlantedBug | null;
  readonly violations: Violation[] = [];
  readonly counts: Counts = { trouble: new Map(), visit: new Map(), transaction: new Map() };
  /** Numbers of the accounts that people pay to. */
  payees: readonly string[] = [];
  /** Aborts with the first violation. */
  readonly over = new AbortController();
  /** False once everything heals. */
  troubled = true;
  /** The bank answers nobody before this, ms. */
  bankDownUntil = 0;
  /** Requests still on their way of which the sender knows nothing any more. */
  ghosts = 0;
  readonly #hash = createHash('sha256');
  readonly #tell: ((line: string) => void) | null;
  #told = 0;

  constructor(options: {
    story: Story;
    bank: BankRoom;
    dir: string;
    bug?: PlantedBug | null;
    tell?: ((line: string) => void) | null;
  }) {
    this.story = options.story;
    this.bank = options.bank;
    this.dir = options.dir;
    this.bug = options.bug ?? null;
    this.#tell = options.tell ?? null;
  }

  stream(purpose: string): Stream {
    return new Stream(`${this.story.seed}/${purpose}`);
  }

  /** One line of the trace: part of the hash, and told to whoever listens. */
  note(actor: string, what: string): void {
    this.#told += 1;
    const line = `${this.time.monotonicMs().toFixed(1)} ${actor}: ${what}`;
    this.#hash.update(line).update('\n');
    this.#tell?.(line);
  }

  count(what: keyof Counts, name: string): void {
    this.counts[what].set(name, (this.counts[what].get(name) ?? 0) + 1);
  }

  violation(promise: BrokenPromise, what: string): void {
    this.violations.push({ promise, what, atMs: this.time.monotonicMs() });
    this.note('checker', `${promise}: ${what}`);
    this.over.abort(new RunEnds(what));
  }

  /** Of everything noted so far. */
  hash(): { readonly lines: number; readonly sha256: string } {
    return { lines: this.#told, sha256: this.#hash.copy().digest('hex') };
  }
}
