/**
 * What became of a cash-in transaction, from what the device says: GetCashInStatus, the escrow's sensor and the storage ledger
 * (XFS4IoT 2024-3, CashAcceptor). Pure. GetCashInStatus says how a transaction ended, not that the ending succeeded: "ok" after
 * a jam in CashInEnd is known. So an "ok" counts as far as the units got the notes, and a "rollback" only when nothing stayed.
 */
import { isEmpty, NOTHING, sameNotes, type Tally } from '../tally.ts';
import { type Movement, stoodStill } from './storage-ledger.ts';

export interface CashInEvidence {
  readonly status: 'active' | 'ok' | 'rollback' | 'retract' | 'reset' | 'unknown';
  /** Genuine notes identified and accepted in the current or last transaction. */
  readonly identified: Tally;
  /** Since just before CashInStart; null when the counts can't be compared. */
  readonly movement: Movement | null;
  /** Escrow and transport together. */
  readonly inside: 'empty' | 'notEmpty' | 'unknown';
}

export interface CashInMemory {
  /** The last thing told to the device. */
  readonly phase: 'starting' | 'active' | 'ending' | 'returning' | 'resetting';
  /** Whether it answered that with success. */
  readonly succeeded: boolean;
  /** What the device said before CashInStart. */
  readonly before: { readonly status: CashInEvidence['status']; readonly identified: Tally };
}

export interface CashInOutcome {
  readonly state: 'none' | 'active' | 'ok' | 'rollback' | 'retract' | 'unknown';
  readonly notes: Tally;
}

export function cashInOutcome(memory: CashInMemory, evidence: CashInEvidence): CashInOutcome {
  const { status, identified, movement, inside } = evidence;
  const unknown: CashInOutcome = { state: 'unknown', notes: identified };
  if (status === 'active') return { state: 'active', notes: identified };
  if (memory.phase === 'starting' && !memory.succeeded) {
    const unchanged = status === memory.before.status && sameNotes(identified, memory.before.identified);
    return unchanged && (!movement || stoodStill(movement)) ? { state: 'none', notes: NOTHING } : unknown;
  }
  switch (status) {
    case 'ok': {
      if (!movement)
        return memory.phase === 'ending' && memory.succeeded ? { state: 'ok', notes: identified } : unknown;
      return sameNotes(movement.deposited, identified) ? { state: 'ok', notes: identified } : unknown;
    }
    case 'rollback': {
      const kept = movement !== null && (!isEmpty(movement.deposited) || !isEmpty(movement.arriving));
      return inside === 'empty' && !kept ? { state: 'rollback', notes: identified } : unknown;
    }
    case 'retract':
    case 'reset':
      return { state: 'retract', notes: identified };
    case 'unknown':
      return unknown;
  }
}
