/**
 * Keeps terminal and bank in step: the outbox goes up, gallery and policy come down, and it is known at any moment whether
 * the bank can be asked.
 */
import type { Logger } from 'pino';
import type { Chance, Clock } from '../clock.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { Alarm, Journal } from '../journal/journal.ts';
import type { BankClient } from './bank-client.ts';

export interface Sync {
  /** True once the bank has answered, false from the first call that did not reach it. */
  readonly online: boolean;
  /** Why match results no longer go up, null while they do. Only a person can mend a refused chain. */
  readonly resultsRefused: string | null;
  /** Called with each change of `online`. Returns how to stop. */
  onOnline(listener: (online: boolean) => void): () => void;
  /** Sends everything that waits, now, in order; before an authorisation, so that the bank knows the match result.
   *  'refused': the bank does not accept this terminal's results any more. Rejects with the signal's reason. */
  flush(signal: AbortSignal): Promise<'drained' | 'offline' | 'refused'>;
  /** Pulls gallery and policy once, now. Throws what the bank client throws. */
  pull(signal: AbortSignal): Promise<void>;
  /** Begins the periodic work. */
  start(): void;
  /** Ends it, and waits for what is under way. */
  close(): Promise<void>;
}

export interface SyncTimes {
  /** Between two rounds while the bank answers, ms. */
  readonly roundMs: number;
  /** Between two questions after the bank's health while it does not, ms. */
  readonly probeMs: number;
}

export interface SyncOptions {
  readonly journal: Journal;
  readonly bank: BankClient;
  readonly gallery: Pick<Gallery, 'applyFeed' | 'cursor'>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly onAlarm: (alarm: Alarm) => void;
  readonly times?: Partial<SyncTimes>;
}

/** Does nothing until start(), flush() or pull(). */
export declare function createSync(options: SyncOptions): Sync;
