/**
 * Time and chance of the bank, as parameters; the system's own are at the end. Lint fences the globals everywhere else.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Uuid, WallTimeMs } from '../src-contract/primitives.ts';

export interface Clock {
  /** UTC, ms since 1970. May jump. */
  now(): WallTimeMs;
  sleep(ms: number): Promise<void>;
}

export interface Chance {
  /** UUIDv7 (RFC 9562, 5.7). */
  id(): Uuid;
  /** Fit for keys and codes: from the operating system's generator outside simulations. */
  bytes(length: number): Uint8Array;
}

export const systemClock: Clock = {
  now: () => Date.now() as WallTimeMs,
  sleep: async (ms) => {
    await delay(ms);
  },
};

export const systemChance: Chance = {
  id: () => uuidv7() as Uuid,
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
