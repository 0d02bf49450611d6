/**
 * What became of a dispense, from what the device says: GetPresentStatus, the sensors of Status and the ledger of Storage (XFS4IoT
 * 2024-3, CashDispenser). Pure. The rules, in this order:
 *
 * 1. Did the device execute it at all? Its own id for the last dispense says so (DISPENSEID of its response token), or the
 *    ledger does. An answer never received says nothing.
 * 2. Where the witnesses contradict one another, or one is missing that is needed, the outcome is "unknown". It is never rounded
 *    to "not paid", nor to "paid".
 * 3. Notes that lie in the path are "remaining": nothing is concluded while they do.
 */
import { isEmpty, NOTHING, plus, sameNotes, type Tally } from '../tally.ts';
import { above, type Movement, stoodStill, within } from './storage-ledger.ts';

export interface DispenseEvidence {
  readonly presentState: 'presented' | 'notPresented' | 'unknown';
  /** What the device says it dispensed; null where it does not say. */
  readonly dispensed: Tally | null;
  /** DISPENSEID of the response token; null without one. */
  readonly dispenseId: string | null;
  /** Since just before the order was sent; null when the counts can't be compared. */
  readonly movement: Movement | null;
  readonly path: Path;
}

/** The sensors between units and customer. `reached`: the customer had access to what lies there. */
export interface Path {
  readonly stacker: 'empty' | 'notEmpty' | 'reached' | 'unknown';
  readonly transport: 'empty' | 'notEmpty' | 'reached' | 'unknown';
  readonly output: 'empty' | 'notEmpty' | 'unknown';
}

export interface DispenseMemory {
  /** HMAC of the dispense token, upper-case hex; null without one. */
  readonly tokenId: string | null;
  /** The device completed the command and said that notes moved. */
  readonly acknowledged: boolean;
  /** What GetPresentStatus said before the order. */
  readonly before: { readonly presentState: DispenseEvidence['presentState']; readonly dispensed: Tally | null };
  /** Retracts told to the device for this dispense. */
  readonly retracts: number;
}

export interface DispenseOutcome {
  readonly state: 'notPresented' | 'presented' | 'unknown';
  readonly presented: Tally;
  readonly retracted: Tally;
  readonly rejected: Tally;
  readonly remaining: 'none' | 'stacker' | 'outputPosition' | 'unknown';
}

const NOTHING_HAPPENED: DispenseOutcome = {
  state: 'notPresented',
  presented: NOTHING,
  retracted: NOTHING,
  rejected: NOTHING,
  remaining: 'none',
};

export function dispenseOutcome(memory: DispenseMemory, evidence: DispenseEvidence): DispenseOutcome {
  const remaining = remainingIn(evidence);
  const executed = wasExecuted(memory, evidence);
  if (executed === 'no') return NOTHING_HAPPENED;
  const unknown: DispenseOutcome = {
    state: 'unknown',
    presented: NOTHING,
    retracted: NOTHING,
    rejected: evidence.movement?.rejectedOut ?? NOTHING,
    remaining,
  };
  if (executed === 'unknown' || evidence.presentState === 'unknown') return unknown;
  const known = evidence.presentState === 'presented' ? presented(memory, evidence) : notPresented(evidence);
  return known ? { ...known, remaining } : unknown;
}

/** Whether the order moved anything or the device knows it as its last dispense. */
export function wasExecuted(memory: DispenseMemory, evidence: DispenseEvidence): 'yes' | 'no' | 'unknown' {
  const { movement, dispenseId, path, presentState, dispensed } = evidence;
  if (memory.acknowledged) return 'yes';
  if (memory.tokenId !== null && dispenseId === memory.tokenId) return 'yes';
  const clear = path.stacker === 'empty' && path.output === 'empty';
  if (movement) {
    if (!stoodStill(movement)) return 'yes';
    return clear ? 'no' : 'unknown';
  }
  const { before } = memory;
  const unchanged =
    before.presentState === presentState && sameNotes(before.dispensed ?? NOTHING, dispensed ?? NOTHING);
  // Without counts a second payout of equal notes looks like the first one.
  return clear && unchanged && presentState === 'notPresented' ? 'no' : unchanged ? 'unknown' : 'yes';
}

function notPresented({ movement }: DispenseEvidence): Omit<DispenseOutcome, 'remaining'> | null {
  if (movement && !isEmpty(movement.presented)) return null;
  const kept = movement ? plus(movement.rejectedIn, movement.retracted) : NOTHING;
  return {
    state: 'notPresented',
    presented: NOTHING,
    retracted: NOTHING,
    rejected: isEmpty(kept) ? (movement?.rejectedOut ?? NOTHING) : kept,
  };
}

function presented(memory: DispenseMemory, evidence: DispenseEvidence): Omit<DispenseOutcome, 'remaining'> | null {
  const { movement, dispensed, path } = evidence;
  if (!movement) {
    // One bunch, all of it in reach, none retracted: the device's word alone is enough. Otherwise it is not.
    const whole = path.stacker === 'empty' && memory.retracts === 0;
    return dispensed && !isEmpty(dispensed) && whole
      ? { state: 'presented', presented: dispensed, retracted: NOTHING, rejected: NOTHING }
      : null;
  }
  // Notes that nobody can find may have been in reach as well.
  if (isEmpty(movement.presented) || movement.others > 0 || !isEmpty(movement.lost)) return null;
  if (dispensed && !isEmpty(dispensed) && !sameNotes(dispensed, movement.presented)) {
    // Several bunches: what is missing from the presented ones waits on the stacker, or was rejected since.
    const elsewhere = plus(movement.stacked, movement.rejectedOut);
    if (!within(above(movement.presented, dispensed), elsewhere)) return null;
    if (!within(movement.presented, dispensed)) return null;
  }
  // What the reject bin got beyond what the units say they rejected came from the customer's reach: a reset put it there.
  const swept = above(movement.rejectedOut, movement.rejectedIn);
  const retracted = plus(movement.retracted, swept);
  const uncounted = movement.retractOperations > 0 && isEmpty(movement.retracted);
  if (uncounted || !within(retracted, movement.presented)) return null;
  return { state: 'presented', presented: movement.presented, retracted, rejected: movement.rejectedOut };
}

/** The place to clear first, and how: what the customer could reach is retracted, the rest is rejected. */
function remainingIn({ path, movement }: DispenseEvidence): DispenseOutcome['remaining'] {
  if (path.output === 'notEmpty' || path.stacker === 'reached' || path.transport === 'reached') return 'outputPosition';
  if (path.stacker === 'notEmpty' || path.transport === 'notEmpty') return 'stacker';
  if (path.output === 'unknown' || path.stacker === 'unknown' || path.transport === 'unknown') return 'unknown';
  return movement && !isEmpty(movement.stacked) ? 'unknown' : 'none';
}
