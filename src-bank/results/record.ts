/** Match results, recorded in one unbroken chain per terminal. */
import { decodeJwt } from 'jose';
import type { ResultsAnswer } from '../../src-contract/bank-api.ts';
import { MatchResult } from '../../src-contract/match-result.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { sha256Base64Url } from '../digest.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { retireOlder } from '../people/retirement.ts';
import { ProblemError } from '../problem.ts';
import { type ChainHead, verifyLink, verifyResult } from './verify.ts';

/** All or nothing; batches of one terminal wait for each other. */
export async function recordResults(
  context: BankContext,
  terminal: Terminal,
  results: readonly string[],
): Promise<ResultsAnswer> {
  const answer = await context.database.transact((tx) => recordBatch(context, tx, terminal, results));
  if (answer.recorded > 0) await retireOlder(context, new Map(results.flatMap(decidedBy)));
  return answer;
}

/** Who was matched, and under which embedder. */
function decidedBy(jws: string): [string, string | null][] {
  // Verified a moment ago.
  const { outcome, personId, comparison } = MatchResult.parse(decodeJwt(jws));
  return outcome === 'accepted' && personId !== null ? [[personId, comparison.model]] : [];
}

/** As part of a larger db transaction (an enrolment carries its result with it). */
export async function recordBatch(
  { clock }: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  results: readonly string[],
): Promise<ResultsAnswer> {
  let head = await lockHead(tx, terminal);
  let alreadyKnown = 0;
  for (const jws of results) {
    const hash = sha256Base64Url(jws);
    if (await isKnown(tx, terminal, jws, hash)) {
      alreadyKnown += 1;
      continue;
    }
    const result = await verifyResult(jws, terminal);
    await refuseReplay(tx, result, jws);
    verifyLink(result, jws, head);
    await insert(tx, terminal, { result, jws, hash, recordedAt: clock.now() });
    head = { sequence: result.sequence, hash };
  }
  await tx
    .updateTable('terminals')
    .set({ head_sequence: head.sequence, head_hash: head.hash })
    .where('terminal_id', '=', terminal.terminalId)
    .execute();
  return { recorded: results.length - alreadyKnown, alreadyKnown, headSequence: head.sequence };
}

async function lockHead(tx: DbTransaction, terminal: Terminal): Promise<ChainHead> {
  const row = await tx
    .selectFrom('terminals')
    .select(['head_sequence', 'head_hash'])
    .where('terminal_id', '=', terminal.terminalId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return { sequence: row.head_sequence, hash: row.head_hash };
}

async function isKnown(tx: DbTransaction, terminal: Terminal, jws: string, hash: string): Promise<boolean> {
  const known = await tx.selectFrom('match_results').select('terminal_id').where('hash', '=', hash).executeTakeFirst();
  if (known && known.terminal_id !== terminal.terminalId) {
    throw new ProblemError('result-replay', 'a match result was recorded before, for another terminal', {
      incident: { evidence: jws },
    });
  }
  return known !== undefined;
}

async function refuseReplay(tx: DbTransaction, result: MatchResult, jws: string): Promise<void> {
  const other = await tx
    .selectFrom('match_results')
    .select(['terminal_id', 'sequence'])
    .where('result_id', '=', result.resultId)
    .executeTakeFirst();
  // The same id at the same place of the chain is a changed history, which verifyLink names.
  if (!other || (other.terminal_id === result.terminalId && other.sequence === result.sequence)) return;
  throw new ProblemError('result-replay', `the resultId at sequence ${result.sequence} was used before`, {
    incident: { evidence: jws },
  });
}

async function insert(
  tx: DbTransaction,
  terminal: Terminal,
  { result, jws, hash, recordedAt }: { result: MatchResult; jws: string; hash: string; recordedAt: number },
): Promise<void> {
  await tx
    .insertInto('match_results')
    .values({
      result_id: result.resultId,
      terminal_id: terminal.terminalId,
      sequence: result.sequence,
      jws,
      hash,
      service: result.service,
      outcome: result.outcome,
      person_id: result.personId,
      transaction_id: result.transactionId,
      used_by: null,
      recorded_at: recordedAt,
      made_at: result.at,
      clock_offset_ms: terminal.clockOffsetMs,
      model_sha256: result.comparison.model,
    })
    .execute();
}
