/**
 * How often somebody may try: wrong PINs and looks that led to nobody. Both count against who tried and not against who was claimed,
 * so that a stranger's tries never lock the owner out. Who tried is a pair: a presented face at one terminal and the person it was
 * taken for. The bank gets no template of a presented face, only the terminal's pseudonym for it.
 *
 * A pair is *proven* once the right PIN was entered with it. What a person's own face presents, sure enough (`sameFaceFmr`), has the
 * same pseudonym at every terminal and is proven from the enrolment on. The caps below count the pairs that are not, and stop only them.
 */
import { z } from 'zod';
import { Rate } from './primitives.ts';

const DurationMs = z.int().positive();

export const AttemptRules = z.strictObject({
  /** How long a pair rests after `pin.attempts` wrong PINs, ms; twice as long each time after, up to 32 times. A face that nobody
   *  has proven rests for everybody it is taken for. */
  pairLockMs: DurationMs,
  /** What the two caps below count, ms into the past. */
  windowMs: DurationMs,
  /** Wrong PINs for one person by unproven pairs, over all terminals, within the window. */
  perPersonInWindow: z.int().positive(),
  /** The same since the enrolment or staff's last unlocking. */
  perPersonEver: z.int().positive(),
  /** Wrong PINs at one terminal by unproven pairs, for anybody, within the window. */
  perTerminalInWindow: z.int().positive(),
  /** Two presentations, or one and a person's template, are one face when strangers are as alike with this rate at most. Below what a
   *  match needs: who only passes for somebody is another face. */
  sameFaceFmr: Rate,
  /** Looks of one face that led to nobody before it has to rest, within `refusedLooksMs`. */
  refusedLooks: z.int().positive(),
  refusedLooksMs: DurationMs,
  /** How long it rests, ms; twice as long each time after, up to 64 times. Only that face: the next person is looked at at once. */
  refusedPauseMs: DurationMs,
  /** After this a terminal has forgotten a presented face, ms. */
  forgetAfterMs: DurationMs,
});
export type AttemptRules = z.infer<typeof AttemptRules>;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** With a PIN of four digits an unproven face finds it with a chance of 0.1 % a day, and of 0.3 % in all. */
export const ATTEMPTS_DEFAULT: AttemptRules = {
  pairLockMs: DAY_MS,
  windowMs: DAY_MS,
  perPersonInWindow: 10,
  perPersonEver: 30,
  perTerminalInWindow: 50,
  sameFaceFmr: 1e-6,
  refusedLooks: 5,
  refusedLooksMs: 10 * MINUTE_MS,
  refusedPauseMs: MINUTE_MS,
  forgetAfterMs: DAY_MS,
};

/** A terminal's pseudonym for a presented face: 128 bits that say nothing of it, base64url. */
export const PresentedFace = z.string().regex(/^[\w-]{22}$/, '128 bits as base64url');

/** Bytes of a pseudonym. */
export const PSEUDONYM_BYTES = 16;
/**
 * The pseudonym of a person's own face is the first of these bytes of HMAC-SHA-256 of this text, under the seed of the matrix that the
 * terminal protects by. The bank, which has the seeds, knows it as the same face before and after a change of the matrix.
 */
export function ownFaceText(personId: string): string {
  return `kaopass-own-face:${personId}`;
}
