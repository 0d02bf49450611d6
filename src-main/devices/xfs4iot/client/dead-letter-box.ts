/** Where dead letters go: the last ones are kept, and all are told as long as they do not come faster than anybody can read. */
import type { ClientClock } from './clock.ts';
import type { DeadLetter } from './dead-letter.ts';

const KEPT_MAX = 100;
/** Told per service and minute; a device gone mad must not fill a disk with alarms. */
const TOLD_MAX = 60;
const MINUTE_MS = 60_000;

interface Minute {
  since: number;
  told: number;
  untold: number;
}

export class DeadLetterBox {
  readonly #clock: ClientClock;
  readonly #tell: (letter: DeadLetter) => void;
  readonly #kept: DeadLetter[] = [];
  readonly #minutes = new Map<string, Minute>();

  constructor(clock: ClientClock, tell: (letter: DeadLetter) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  letters(): readonly DeadLetter[] {
    return [...this.#kept];
  }

  put(found: Omit<DeadLetter, 'monotonicMs' | 'untold'>): void {
    const now = this.#clock.monotonicMs();
    const before = this.#minutes.get(found.uri);
    const over = !before || now - before.since >= MINUTE_MS;
    const minute = over ? { since: now, told: 0, untold: before?.untold ?? 0 } : before;
    this.#minutes.set(found.uri, minute);
    const silent = minute.told >= TOLD_MAX;
    const letter = { ...found, monotonicMs: now, untold: silent ? 0 : minute.untold };
    this.#kept.push(letter);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    if (silent) {
      minute.untold += 1;
      return;
    }
    minute.told += 1;
    minute.untold = 0;
    this.#tell(letter);
  }
}
