/**
 * What time it is, for what must not be renewed by turning a clock. Three sources, none of them enough alone:
 *
 * - the machine's clock: may be unset, wrong, or stepped by anybody at any moment;
 * - the highest time ever seen, journaled: real time is never before it, unless the clock once was ahead;
 * - the bank's time, in a policy that it signed in answer to this terminal's own nonce: right to within the exchange. It alone
 *   may take back what a clock that was ahead has left behind.
 *
 * Between two looks at any of them the monotonic clock counts. Whether something has expired is judged by `now`, which errs to
 * late; whether a limit is renewed by `runMs`, which errs to early: it counts only while the terminal runs, and no clock steps it.
 * A machine that sleeps stops the monotonic clock: it then takes its own clock for ahead until the bank has answered.
 */
import { z } from 'zod';
import { WallTimeMs } from '../../src-contract/primitives.ts';
import type { Clock } from '../clock.ts';
import type { Memory } from '../journal/journal.ts';

/** 2026-11-22T00:00:00Z. No terminal with this program ever ran before: a clock that says so was never set. */
export const EARLIEST_MS = 1_795_305_600_000;
/** From this difference on the technician is told, ms. */
export const CLOCK_OFF_MS = 30_000;
/** From this one on nobody is served, ms: the bank refuses every request at 120 s (RequestAssertion). */
export const CLOCK_WRONG_MS = 110_000;

const Times = z.strictObject({
  /** Highest time seen, UTC ms. */
  seenAt: WallTimeMs,
  /** How long the terminal had been running, over all runs, ms. */
  runMs: z.number().nonnegative(),
  /** When the bank had last heard of everything: by `now`, and by `runMs`. Null before the first time. */
  heard: z.strictObject({ at: WallTimeMs, runMs: z.number().nonnegative() }).nullable(),
});
type Times = z.infer<typeof Times>;

/** How far the machine's clock is off, ms; negative when it is behind. */
export interface ClockError {
  readonly byMs: number;
  /** Who says so: the bank signed it, the bank said it unsigned, or this terminal saw a later time before. */
  readonly by: 'bank' | 'bank-unsigned' | 'highest-seen';
}

export interface TrustedTime {
  /** UTC ms; never earlier than any time ever seen, but for what the bank took back. */
  now(): WallTimeMs;
  /** How long this terminal has been running in all, ms; less than five minutes may be lost with the power. */
  runMs(): number;
  /** Since the bank last heard of everything, ms; since its policy was issued, when it never did. */
  offlineMs(): number;
  /** When that was. */
  heardAt(): WallTimeMs;
  /** Null as long as nothing speaks against the clock, to within CLOCK_OFF_MS. */
  clockError(): ClockError | null;
  /** Real time is not before this: the bank signed it once. */
  notBefore(at: WallTimeMs): void;
  /** The bank signed this time after `askedMs` and before now (monotonic ms). */
  bankSigned(at: WallTimeMs, askedMs: number): void;
  /** The bank said so without signing: enough to say that the clock is off, and for nothing else. */
  bankSaid(at: WallTimeMs, askedMs: number): void;
  /** The outbox is empty, and the bank has what was in it. */
  bankHeardEverything(): void;
  /** Writes down what must survive the loss of power. */
  save(): void;
}

/** @param memory where the times are kept. Throws what it throws. */
export function createTrustedTime(memory: Memory, clock: Clock): TrustedTime {
  const kept = read(memory);
  const startedMs = clock.monotonicMs();
  const runMsBefore = kept?.runMs ?? 0;
  /** A time, and when on the monotonic clock it was. */
  let anchor = { at: Math.max(kept?.seenAt ?? 0, EARLIEST_MS), ms: startedMs, signed: false };
  let said: { at: number; ms: number } | null = null;
  let heard: Times['heard'] = kept?.heard ?? null;
  let firstAt = anchor.at;

  const sinceMs = (ms: number) => clock.monotonicMs() - ms;
  const runMs = () => runMsBefore + sinceMs(startedMs);
  const now = (): WallTimeMs => {
    const counted = anchor.at + sinceMs(anchor.ms);
    const wall = clock.now();
    // What the bank signed in this run is better than the machine's clock, whichever way that is off.
    if (!anchor.signed && wall > counted) {
      anchor = { at: wall, ms: clock.monotonicMs(), signed: false };
      return wall;
    }
    return Math.round(counted) as WallTimeMs;
  };
  /** The middle of an exchange is when the bank looked at its clock, to within half of it. */
  const middle = (askedMs: number) => (askedMs + clock.monotonicMs()) / 2;

  const clockError = (): ClockError | null => {
    const wall = clock.now();
    const trusted: ClockError = { byMs: wall - now(), by: anchor.signed ? 'bank' : 'highest-seen' };
    if (Math.abs(trusted.byMs) >= CLOCK_OFF_MS) return trusted;
    if (said === null) return null;
    const byMs = Math.round(wall - (said.at + sinceMs(said.ms)));
    return Math.abs(byMs) >= CLOCK_OFF_MS ? { byMs, by: 'bank-unsigned' } : null;
  };
  const save = () => {
    const times: Times = { seenAt: now(), runMs: runMs(), heard };
    memory.put('times', JSON.stringify(times));
  };

  return {
    now,
    runMs,
    offlineMs: () => (heard ? Math.max(now() - heard.at, runMs() - heard.runMs) : now() - firstAt),
    heardAt: () => heard?.at ?? (Math.round(firstAt) as WallTimeMs),
    clockError,
    notBefore: (at) => {
      if (heard === null) firstAt = Math.max(firstAt, at);
      if (at > now()) anchor = { at, ms: clock.monotonicMs(), signed: false };
    },
    bankSigned: (at, askedMs) => {
      anchor = { at, ms: middle(askedMs), signed: true };
      said = null;
      // Written by a clock that was ahead.
      if (heard && heard.at > at) heard = { ...heard, at };
    },
    bankSaid: (at, askedMs) => {
      said = { at, ms: middle(askedMs) };
    },
    bankHeardEverything: () => {
      heard = { at: now(), runMs: runMs() };
    },
    save,
  };
}

function read(memory: Memory): Times | null {
  const text = memory.get('times');
  return text === null ? null : Times.parse(JSON.parse(text));
}
