/** Whether a recorded match result supports what a terminal asks for. */
import { decodeJwt } from 'jose';
import { challengeObjection, wantsChallenge } from '../../src-contract/challenge.ts';
import { MatchResult } from '../../src-contract/match-result.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import type { Money, Service } from '../../src-contract/primitives.ts';
import type { DbTransaction } from '../database/database.ts';
import { policyInForce } from '../fleet/policy-issue.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';

export interface Recorded {
  readonly result: MatchResult;
  /** The transaction that relied on it; null when none did. */
  readonly usedBy: string | null;
  /** When it reached the bank. */
  readonly recordedAt: number;
  /** Whom the bank named to the terminal when it was asked after the claimed identity of this result; null where it was not, or nobody. */
  readonly toldOf: string | null;
  /** The policy that the result names, as its terminal had it; null when it was never issued to that terminal. */
  readonly named: PolicyTerms | null;
}

/** The named result, locked until the db transaction ends. Throws result-missing when the bank has not got it. */
export async function findResult(tx: DbTransaction, resultId: string): Promise<Recorded> {
  const row = await tx
    .selectFrom('match_results')
    .select(['jws', 'used_by', 'recorded_at'])
    .where('result_id', '=', resultId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) {
    throw new ProblemError('result-missing', 'the match result named has not reached the bank: send it first', {
      field: 'resultId',
    });
  }
  // Its signature was verified when it was recorded; the database is the bank's own.
  const result = MatchResult.parse(decodeJwt(row.jws));
  const inForce = await policyInForce(tx, result.terminalId, result.policyVersion);
  const toldOf = await toldOfIn(tx, result);
  return { result, usedBy: row.used_by, recordedAt: row.recorded_at, toldOf, named: inForce?.terms ?? null };
}

async function toldOfIn(tx: DbTransaction, { terminalId, claimed }: MatchResult): Promise<string | null> {
  if (!claimed?.questionId) return null;
  const question = await tx
    .selectFrom('claimed_identities')
    .select('person_id')
    .where('terminal_id', '=', terminalId)
    .where('question_id', '=', claimed.questionId)
    .executeTakeFirst();
  return question?.person_id ?? null;
}

/** @param pinRight whether the right PIN came with the transaction. */
export async function markUsed(
  tx: DbTransaction,
  resultId: string,
  transactionId: string,
  { pinRight = false }: { readonly pinRight?: boolean } = {},
): Promise<void> {
  await tx
    .updateTable('match_results')
    .set({ used_by: transactionId, pin_right: pinRight })
    .where('result_id', '=', resultId)
    .execute();
}

export interface Claim {
  readonly service: Service;
  readonly personId: string;
  readonly transactionId: string;
  /** Null where the service moves no money. */
  readonly amount: Money | null;
}

/** Null when the result supports the claim, else what speaks against it. */
export function objection(recorded: Recorded, claim: Claim, terminal: Terminal, policy: PolicyTerms): string | null {
  const { result, usedBy, named } = recorded;
  if (result.terminalId !== terminal.terminalId) return 'it is of another terminal';
  if (result.outcome !== 'accepted') return `its outcome is ${result.outcome}`;
  if (result.service !== claim.service) return `it is for the service ${result.service}`;
  if (result.personId !== claim.personId) return 'it is of another person';
  if (usedBy !== null && usedBy !== claim.transactionId) return 'another transaction relied on it';
  // A balance begins no transaction; notes of a deposit are counted after the face was seen.
  const mayLackTransaction = claim.service === 'balance';
  if (result.transactionId !== claim.transactionId && !(mayLackTransaction && result.transactionId === null)) {
    return 'it is for another transaction';
  }
  const mayLackAmount = claim.service === 'deposit' || claim.amount === null;
  const sameAmount =
    result.amount?.amountMinor === claim.amount?.amountMinor && result.amount?.currency === claim.amount?.currency;
  if (!sameAmount && !(mayLackAmount && result.amount === null)) return 'it is for another amount';
  if (result.liveness.decision !== 'live') return `its liveness decision is ${result.liveness.decision}`;
  // By the policy it is judged by, and by the one that its own terminal had to follow.
  return (
    tooUnsure(recorded, policy) ??
    (result.claimed && named && tooUnsure(recorded, named)) ??
    challengeMissing(result, policy) ??
    (named && challengeMissing(result, named))
  );
}

/** Among everybody, or as the one comparison with whom the person claimed to be. */
function tooUnsure({ result, toldOf }: Recorded, terms: PolicyTerms): string | null {
  const { claimed } = result;
  const { maxFmr } = claimed
    ? (terms.services[result.service].claimed ?? { maxFmr: null })
    : terms.services[result.service];
  if (maxFmr === null) return `policy ${terms.version} allows no claimed identity for it`;
  const { estimatedFmr } = result.comparison;
  if (estimatedFmr === null || estimatedFmr > maxFmr) return 'its estimated false-match rate is above the policy';
  if (claimed?.questionId && toldOf !== result.personId)
    return 'the bank named somebody else, or nobody, when it was asked';
  return claimed?.template === 'bank' && !claimed.questionId ? 'the bank was not asked for its template' : null;
}

/** What the policy wants of the person before the camera and the result does not show; null when nothing. */
export function challengeMissing({ service, amount, challenge }: MatchResult, terms: PolicyTerms): string | null {
  if (!wantsChallenge(terms.services[service].challenge, amount?.amountMinor ?? null)) return null;
  const against = challengeObjection(challenge, terms.challenges);
  return against && `policy ${terms.version} wants a challenge: ${against}`;
}
