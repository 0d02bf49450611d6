/** The space on one terminal's disk, by SQLite's own limit of pages on the journal's connection: it answers SQLITE_FULL, as for a disk. */
import type { Database } from 'better-sqlite3';
import type { Room } from '../../src-main/journal/room.ts';
import type { World } from './world.ts';

/** SQLite's own largest. */
const ENDLESS = 1_073_741_823;

export class SimulatedDisk implements Room {
  readonly #world: World;
  readonly #name: string;
  readonly #onFull: () => void;
  /** The journal's connection in this run of the terminal. */
  #db: Database | null = null;
  /** Pages of the reserve; null while the disk has space. */
  #reserve: number | null = null;
  held = true;

  constructor(world: World, name: string, onFull: () => void) {
    this.#world = world;
    this.#name = name;
    this.#onFull = onFull;
  }

  get full(): boolean {
    return this.#reserve !== null;
  }

  fill(reservePages: number): void {
    this.#reserve = reservePages;
    this.#world.note(this.#name, `the disk is full, with ${reservePages} pages in reserve`);
    this.#limit(0);
  }

  free(): void {
    if (!this.full) return;
    this.#reserve = null;
    this.#world.note(this.#name, 'the disk has space');
    if (this.#db?.open) this.#db.pragma(`max_page_count = ${ENDLESS}`);
  }

  release(): void {
    this.held = false;
    this.#world.count('trouble', 'reserves given up');
    this.#limit(this.#reserve ?? 0);
  }

  take(db: Database): boolean {
    this.#db = db;
    if (this.full) this.#limit(this.held ? 0 : (this.#reserve ?? 0));
    else this.held = true;
    return !this.full;
  }

  /** Counts what a full disk keeps from being written. */
  watching<Result>(what: string, write: () => Result): Result {
    if (!this.full) return write();
    this.#onFull();
    const told = (error: unknown) => {
      this.#world.count('trouble', 'writes to a full disk');
      this.#world.note(this.#name, `not written: ${what}`);
      return error;
    };
    try {
      const written = write();
      if (written instanceof Promise) return written.catch((error: unknown) => Promise.reject(told(error))) as Result;
      return written;
    } catch (error) {
      throw told(error);
    }
  }

  #limit(more: number): void {
    if (!this.#db?.open) return;
    const used = Number(this.#db.pragma('page_count', { simple: true }));
    this.#db.pragma(`max_page_count = ${used + more}`);
  }
}
