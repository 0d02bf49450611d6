/** What becomes of a message the bank did not take. Data, so that it can be read at a glance and changed in one place. */
import type { ProblemCode } from '../../src-contract/bank-api.ts';
import type { Chance } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { BankRefusal } from './bank-client.ts';

export type Verdict =
  /** Nothing gets through: stop, and begin again with this message once the bank answers. Has no last attempt: the
   *  message is about money that moved. */
  | 'unreachable'
  /** Try this one later, others meanwhile; set it aside after ATTEMPTS_MAX. */
  | 'later'
  /** Set it aside now: it would be refused for ever. */
  | 'never';

/** Refusals that pass: a wrong clock, a bank in trouble, a match result that is still on its way. */
const PASSING: ReadonlySet<ProblemCode> = new Set(['unauthenticated', 'unavailable', 'internal', 'result-missing']);

export function verdictOn(error: unknown): Verdict {
  if (error instanceof BankRefusal) return PASSING.has(error.problem.code) ? 'later' : 'never';
  if (error instanceof TerminalError && error.code === 'BANK_ANSWER_INVALID') return 'later';
  if (error instanceof TerminalError && error.code === 'BANK_UNREACHABLE') return 'unreachable';
  throw error;
}

/** It is the terminal that is refused, mostly for its clock, and not the message: that has no last attempt. */
export function isNotBelieved(error: unknown): boolean {
  return error instanceof BankRefusal && error.problem.code === 'unauthenticated';
}

/** With the delays below, the last attempt comes about two and a half hours after the first. */
export const ATTEMPTS_MAX = 40;
const DELAY_MS_FIRST = 1_000;
export const DELAY_MS_MAX = 300_000;
const GROWTH = 2;
/** Share of a delay that is left to chance, so that a thousand terminals do not come back in step. */
const JITTER = 0.3;

/** Wait before attempt number `attempts` + 1, ms. */
export function retryDelayMs(attempts: number, chance: Pick<Chance, 'fraction'>): number {
  return jittered(Math.min(DELAY_MS_MAX, DELAY_MS_FIRST * GROWTH ** Math.min(attempts, 30)), chance);
}

export function jittered(delayMs: number, chance: Pick<Chance, 'fraction'>): number {
  return Math.round(delayMs * (1 - JITTER * chance.fraction()));
}
