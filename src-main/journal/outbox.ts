/**
 * What waits to be told to the bank. A row is written in the commit that records why, keeps its idempotency key through
 * every attempt, and leaves the queue only because the bank answered it or because it was set aside as a dead letter.
 */
import { z } from 'zod';
import { CaptureRequest, DepositRequest, ReversalRequest, StandInRequest } from '../../src-contract/bank-api.ts';
import { CountRequest } from '../../src-contract/count.ts';
import { DayCloseRequest } from '../../src-contract/day-close.ts';
import { ErasureReceiptRequest, ErasureRequest } from '../../src-contract/erasure.ts';
import { CompactJws, Uuid } from '../../src-contract/primitives.ts';
import { ProtectionReceiptRequest } from '../../src-contract/protection-change.ts';
import { Renewal } from '../../src-contract/renewal.ts';

/** A message about money or consent; its idempotency key is in the body. Parsed when it is queued and again when it is read back. */
export const OutboxMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('capture'), body: CaptureRequest }),
  z.strictObject({ kind: z.literal('reversal'), body: ReversalRequest }),
  z.strictObject({ kind: z.literal('deposit'), body: DepositRequest }),
  z.strictObject({ kind: z.literal('stand-in'), body: StandInRequest }),
  z.strictObject({ kind: z.literal('count'), body: CountRequest }),
  z.strictObject({ kind: z.literal('erasure'), body: ErasureRequest }),
  z.strictObject({ kind: z.literal('erasure-receipt'), body: ErasureReceiptRequest }),
  z.strictObject({ kind: z.literal('protection-receipt'), body: ProtectionReceiptRequest }),
  z.strictObject({ kind: z.literal('day-close'), body: DayCloseRequest }),
  z.strictObject({ kind: z.literal('renewal'), body: Renewal }),
]);
export type OutboxMessage = z.infer<typeof OutboxMessage>;

/** A signed match result, queued by the journal itself when it is recorded. */
export const ResultMessage = z.strictObject({
  kind: z.literal('result'),
  body: z.strictObject({ resultId: Uuid, sequence: z.int().positive(), jws: CompactJws }),
});
export type ResultMessage = z.infer<typeof ResultMessage>;

interface QueueState {
  /** Rises with every row: the order of the queue. */
  readonly id: number;
  readonly idempotencyKey: Uuid;
  readonly attempts: number;
  /** UTC ms; not to be tried before. */
  readonly nextAttemptAt: number;
  /** Null before the first failure. */
  readonly lastError: string | null;
}
export type QueuedResult = ResultMessage & QueueState;
export type QueuedMessage = OutboxMessage & QueueState;

interface DeadLetter {
  readonly id: number;
  readonly kind: string;
  readonly idempotencyKey: Uuid;
  readonly reason: string;
  readonly at: number;
}

export interface Outbox {
  /** Rows not yet answered by the bank, both lanes. */
  size(): number;
  /** Oldest match results first, due or not: they go in order or not at all. */
  results(limit: number): readonly QueuedResult[];
  /** Oldest messages first, match results left out. */
  messages(limit: number): readonly QueuedMessage[];
  /** Whether the message with this key (of a match result: its id) is still to be delivered. */
  isWaiting(idempotencyKey: Uuid): boolean;
  /** The bank took these. */
  delivered(ids: readonly number[]): void;
  /** An attempt failed: counts it and says when to try again. */
  failed(ids: readonly number[], failure: { readonly error: string; readonly nextAttemptAt: number }): void;
  /** Sets one message aside for a person to look at, and raises the alarm. Not for match results: their chain would break. */
  deadLetter(id: number, reason: string): void;
  deadLetters(): readonly DeadLetter[];
}
