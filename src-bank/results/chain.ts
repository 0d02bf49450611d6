/** Proof after the fact: a terminal's whole chain, verified again from what is stored. */
import type { BankContext } from '../context.ts';
import { sha256Base64Url } from '../digest.ts';
import { ProblemError } from '../problem.ts';
import { type ChainHead, verifyLink, verifyResult } from './verify.ts';

export interface ChainVerdict {
  readonly terminalId: string;
  /** Verified, from the first on. */
  readonly results: number;
  readonly verified: boolean;
  readonly problem: string | null;
}

const PAGE = 500;

/** Signatures, schema, numbering, hashes, and that the chain ends where the bank says it does. */
export async function verifyChain({ database }: BankContext, terminalId: string): Promise<ChainVerdict> {
  const row = await database.db
    .selectFrom('terminals')
    .select(['signing_key', 'head_sequence', 'head_hash'])
    .where('terminal_id', '=', terminalId)
    .executeTakeFirst();
  if (!row) throw new ProblemError('not-found', 'no terminal with this id is registered');
  const terminal = { terminalId, signingKey: row.signing_key };
  let head: ChainHead = { sequence: 0, hash: null };
  const verdict = (problem: string | null): ChainVerdict => ({
    terminalId,
    results: head.sequence,
    verified: problem === null,
    problem,
  });
  while (head.sequence < row.head_sequence) {
    const page = await database.db
      .selectFrom('match_results')
      .select('jws')
      .where('terminal_id', '=', terminalId)
      .where('sequence', '>', head.sequence)
      .where('sequence', '<=', row.head_sequence)
      .orderBy('sequence')
      .limit(PAGE)
      .execute();
    if (page.length === 0) return verdict(`the results after sequence ${head.sequence} are missing`);
    for (const { jws } of page) {
      try {
        const result = await verifyResult(jws, terminal);
        verifyLink(result, jws, head);
        head = { sequence: result.sequence, hash: sha256Base64Url(jws) };
      } catch (error) {
        if (error instanceof ProblemError)
          return verdict(`${error.code} after sequence ${head.sequence}: ${error.message}`);
        throw error;
      }
    }
  }
  return verdict(head.hash === row.head_hash ? null : 'the last result is not the one recorded as the head');
}
