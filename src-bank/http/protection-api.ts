/** What the bank's staff ask about the protecting matrix and its changes. */
import { z } from 'zod';
import { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { ProtectionGeneration, ProtectionVersion } from '../../src-contract/protection-change.ts';

export const BeginRequest = z.strictObject({
  /** The current generation, as staff see it: whoever asks twice begins one change. */
  from: ProtectionGeneration,
  /** For the record. */
  reason: z.enum(['planned', 'leak']),
});
export const BegunAnswer = z.strictObject({ generation: ProtectionGeneration, protectionVersion: ProtectionVersion });

export const ProtectionReportAnswer = z.strictObject({
  /** The current one. */
  generation: ProtectionGeneration,
  protectionVersion: ProtectionVersion,
  generations: z.array(
    z.strictObject({
      generation: ProtectionGeneration,
      protectionVersion: ProtectionVersion,
      reason: z.enum(['first', 'planned', 'leak']),
      begunAt: WallTimeMs,
      /** Since when every template is under it or a newer one; null while some are not. */
      convertedAt: WallTimeMs.nullable(),
      /** When its seed was destroyed; null while the bank has it. */
      destroyedAt: WallTimeMs.nullable(),
      /** Under it now. */
      templates: z.int().nonnegative(),
    }),
  ),
  /** Terminals in service that have not said yet that they went over; seeds back to theirs are kept until they do, or are revoked. */
  waitingFor: z.array(
    z.strictObject({
      terminalId: Uuid,
      name: z.string(),
      /** The oldest it may still use. */
      generation: ProtectionGeneration,
    }),
  ),
});

export const RevocationAnswer = z.strictObject({ revokedAt: WallTimeMs });
