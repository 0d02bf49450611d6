/**
 * What a stand-in should not have been, found when the bank hears of it: by the policy that was in force at the terminal, and by
 * everything else the bank has heard of it, in whatever order it came. Each breach is an incident; none keeps a stand-in from
 * being recorded. A terminal that lies about its clock or its periods can still only be caught in what contradicts itself.
 */
import { sql } from 'kysely';
import type { StandInRequest } from '../../src-contract/bank-api.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import { type StandInBreach, type StandInTotals, standInBreaches } from '../../src-contract/stand-in.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { PolicyInForce } from '../fleet/policy-issue.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import type { IncidentCode } from '../results/incidents.ts';

const SERVICE = 'purchase';

/** A stand-in is dated by the terminal, its policy by the bank: as much as their clocks may differ without an incident, ms. */
const CLOCKS_DIFFER_MS = 120_000;

export interface Breach {
  readonly code: IncidentCode;
  /** Short and stable: the same breach of the same transaction is one incident. */
  readonly name: StandInBreach | 'policy-unknown' | 'period-renewed';
  readonly detail: string;
}

const CODE_OF: Readonly<Record<StandInBreach, IncidentCode>> = {
  'not-live': 'stand-in-weak-evidence',
  'weak-evidence': 'stand-in-weak-evidence',
  'per-transaction': 'stand-in-over-limit',
  'person-amount': 'stand-in-over-limit',
  'person-count': 'stand-in-over-limit',
  'terminal-amount': 'stand-in-over-limit',
  'terminal-count': 'stand-in-over-limit',
  'person-velocity': 'stand-in-too-often',
  'terminal-velocity': 'stand-in-too-often',
  'offline-too-long': 'stand-in-too-late',
  'policy-expired': 'stand-in-policy-expired',
};

const DETAIL_OF: Readonly<Record<StandInBreach, string>> = {
  'not-live': 'nobody living was seen',
  'weak-evidence': 'the match was too weak to stand in for anything',
  'per-transaction': 'the amount is above what a match of this certainty stands in for',
  'person-amount': 'the person has spent more than may be stood in for in one offline period',
  'person-count': 'the person has bought more often than may be stood in for in one offline period',
  'terminal-amount': 'the terminal has stood in for more than it may in one offline period',
  'terminal-count': 'the terminal has stood in more often than it may in one offline period',
  'person-velocity': 'the person bought too often in too short a time',
  'terminal-velocity': 'the terminal stood in too often in too short a time',
  'offline-too-long': 'the terminal had been without the bank for longer than it may stand in',
  'policy-expired': 'the policy it was decided by had expired',
};

/** All that is wrong with one stand-in. `inForce` is null where the version it names was never issued to this terminal. */
export async function breachesOf(
  { policy }: Pick<BankContext, 'policy'>,
  tx: DbTransaction,
  terminal: Terminal,
  { request, result, inForce }: { request: StandInRequest; result: MatchResult; inForce: PolicyInForce | null },
): Promise<readonly Breach[]> {
  const breaches: Breach[] = [];
  if (inForce === null) {
    const detail = `the policy it names, ${result.policyVersion}, was never issued to this terminal; it was judged by the present one`;
    breaches.push({ code: 'stand-in-policy-unknown', name: 'policy-unknown', detail });
  }
  const terms = inForce?.terms ?? policy;
  const expiresAt = inForce?.expiresAt ?? request.at;
  const others = await othersOf(tx, terminal, { request, terms });
  for (const name of standInBreaches({
    policy: terms.standIn,
    service: SERVICE,
    amountMinor: request.amount.amountMinor,
    evidence: { ...result.liveness, estimatedFmr: result.comparison.estimatedFmr },
    totals: others,
    offlineMs: request.period ? request.at - request.period.since : 0,
    validForMs: inForce ? expiresAt + CLOCKS_DIFFER_MS - request.at : 1,
  })) {
    breaches.push({ code: CODE_OF[name], name, detail: `${DETAIL_OF[name]} (policy ${terms.version})` });
  }
  if (await periodWasRenewed(tx, terminal, request)) {
    const detail = 'the terminal began a later offline period before the bank had heard of all of this one';
    breaches.push({ code: 'stand-in-period-renewed', name: 'period-renewed', detail });
  }
  return breaches;
}

/** What the bank has heard of besides this one. Without a period there are no sums, only the pace. */
async function othersOf(
  tx: DbTransaction,
  terminal: Terminal,
  { request, terms }: { request: StandInRequest; terms: PolicyTerms },
): Promise<StandInTotals> {
  const ofTerminal = tx
    .selectFrom('stand_ins')
    .where('terminal_id', '=', terminal.terminalId)
    .where('service', '=', SERVICE)
    .where('transaction_id', '!=', request.transactionId);
  const sums = await ofTerminal
    .where('period', '=', request.period?.number ?? 0)
    .select((of) => [
      sql<number>`coalesce(sum(amount_minor), 0)::bigint`.as('terminalMinor'),
      of.fn.countAll<number>().as('terminalCount'),
      sql<number>`coalesce(sum(amount_minor) filter (where person_id = ${request.personId}), 0)::bigint`.as(
        'personMinor',
      ),
      sql<number>`(count(*) filter (where person_id = ${request.personId}))::bigint`.as('personCount'),
    ])
    .executeTakeFirstOrThrow();
  const windowMsMax = Math.max(0, ...terms.standIn.services[SERVICE].velocity.map(({ windowMs }) => windowMs));
  const near = await ofTerminal
    .where('at', '>', request.at - windowMsMax)
    .where('at', '<', request.at + windowMsMax)
    .select(['person_id', 'at'])
    .execute();
  return {
    terminal: { amountMinor: sums.terminalMinor, count: sums.terminalCount },
    person: { amountMinor: sums.personMinor, count: sums.personCount },
    recent: (of, windowMs) =>
      mostWithAnother(
        request.at,
        near.filter((other) => of === 'terminal' || other.person_id === request.personId).map(({ at }) => at),
        windowMs,
      ),
  };
}

/** How many of `times`, at most, share a window of this length with `at`: late arrivals fall between what is known already. */
export function mostWithAnother(at: number, times: readonly number[], windowMs: number): number {
  const ends = [at, ...times.filter((time) => time >= at && time < at + windowMs)];
  return Math.max(...ends.map((end) => times.filter((time) => time <= end && time > end - windowMs).length));
}

/** A period ends when the bank has heard of everything in it: then nothing of it can come after something of a later one. */
async function periodWasRenewed(tx: DbTransaction, terminal: Terminal, { period }: StandInRequest): Promise<boolean> {
  if (!period) return false;
  const later = await tx
    .selectFrom('stand_ins')
    .select('transaction_id')
    .where('terminal_id', '=', terminal.terminalId)
    .where('period', '>', period.number)
    .limit(1)
    .executeTakeFirst();
  return later !== undefined;
}
