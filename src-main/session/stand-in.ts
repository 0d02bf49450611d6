/**
 * Deciding alone, because the bank cannot be asked. What may be decided is the policy's; it is reserved in the commit that begins it,
 * spent in the commit that records the outcome, and given back by the journal when the transaction ends without one.
 */
import type { Comparison, LivenessEvidence } from '../../src-contract/match-result.ts';
import type { Money, Uuid } from '../../src-contract/primitives.ts';
import { type StandInService, standInBreaches } from '../../src-contract/stand-in.ts';
import type { PortsOf } from './ports.ts';

export interface StandInOrder {
  readonly transactionId: Uuid;
  readonly service: StandInService;
  readonly personId: Uuid;
  readonly amount: Money;
  readonly evidence: Pick<Comparison, 'estimatedFmr'> & Pick<LivenessEvidence, 'decision' | 'passive'>;
}

/** True when the limits allow it and it is reserved; else nothing was written. Decides and reserves without a pause between. */
export function beginStandIn(ports: PortsOf<'purchase'>, order: StandInOrder): boolean {
  const { transactionId, service, personId, amount, evidence } = order;
  // The bank can be asked, and has said that it believes this terminal no more.
  if (ports.sync.resultsRefused) return false;
  const { time, journal } = ports;
  const policy = ports.policy();
  const runMs = time.runMs();
  const breaches = standInBreaches({
    policy: policy.standIn,
    service,
    amountMinor: amount.amountMinor,
    evidence,
    totals: journal.standIn.totals(service, personId, runMs),
    offlineMs: time.offlineMs(),
    validForMs: policy.expiresAt - time.now(),
  });
  if (breaches.length > 0) return false;
  journal.record(transactionId, {
    state: 'standing-in',
    standIn: { service, personId, amountMinor: amount.amountMinor, runMs },
  });
  return true;
}

/** What the bank hears of it; with it the reservation is spent. */
export function standInMessage(
  ports: PortsOf<'purchase'>,
  {
    transactionId,
    personId,
    amount,
    resultId,
  }: Omit<StandInOrder, 'service' | 'evidence'> & { readonly resultId: Uuid },
) {
  const { chance, time, journal } = ports;
  return {
    kind: 'stand-in' as const,
    body: {
      idempotencyKey: chance.id(),
      transactionId,
      personId,
      amount,
      at: time.now(),
      resultId,
      period: { number: journal.standIn.periodNumber(), since: time.heardAt() },
    },
  };
}
