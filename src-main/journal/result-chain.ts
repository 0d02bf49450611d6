/** The terminal's match results: numbered without gaps, each naming the hash of the one before, each signed. */
import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { MatchResult } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { RecordedResult, ResultSigner, UnsignedResult } from './journal.ts';
import type { SqliteOutbox } from './sqlite-outbox.ts';

/** SHA-256 of a compact JWS's ASCII bytes, base64url: how the next result names it. */
export function resultHash(jws: string): string {
  return createHash('sha256').update(jws, 'ascii').digest('base64url');
}

interface Head {
  readonly sequence: number;
  readonly resultId: Uuid;
  readonly jws: string;
  readonly hash: string;
}

export interface ResultChain {
  head(): Head | null;
  record(unsigned: UnsignedResult): Promise<RecordedResult>;
}

export function resultChain(
  db: Database,
  path: string,
  options: { clock: Clock; chance: Chance; signer: ResultSigner; outbox: SqliteOutbox },
): ResultChain {
  const { clock, chance, signer, outbox } = options;
  const last = db.prepare<[], Head>(
    'SELECT sequence, result_id AS resultId, jws, hash FROM match_results ORDER BY sequence DESC LIMIT 1',
  );
  const insert = db.prepare<[number, string, string, string, number]>(
    'INSERT INTO match_results VALUES (?, ?, ?, ?, ?)',
  );
  const count = db.prepare<[], number>('SELECT count(*) FROM match_results').pluck();
  const head = (): Head | null => last.get() ?? null;

  const atOpening = head();
  if (atOpening && (count.get() !== atOpening.sequence || resultHash(atOpening.jws) !== atOpening.hash)) {
    throw new TerminalError(
      'DATABASE_CORRUPT',
      `the database ${path}: the chain of match results is broken; nothing was changed`,
    );
  }

  const recordNext = async (unsigned: UnsignedResult): Promise<RecordedResult> => {
    if (signer.terminalId === null) {
      throw new TerminalError('NOT_ACTIVATED', 'no match result can be recorded before this terminal is activated');
    }
    const previous = head();
    const result = MatchResult.parse({
      ...unsigned,
      version: 1,
      resultId: chance.id(),
      terminalId: signer.terminalId,
      sequence: (previous?.sequence ?? 0) + 1,
      previousHash: previous?.hash ?? null,
      at: clock.now(),
    });
    const jws = await signer.signResult(result);
    const { resultId, sequence, at } = result;
    db.transaction(() => {
      insert.run(sequence, resultId, jws, resultHash(jws), at);
      outbox.enqueue({ kind: 'result', body: { resultId, sequence, jws } });
    }).immediate();
    return { resultId, sequence, jws };
  };

  // One after the other: two results signed at once would name the same predecessor, which a bank takes for a fork.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    head,
    record: (unsigned) => {
      const recorded = turn.then(() => recordNext(unsigned));
      turn = recorded.catch(() => undefined);
      return recorded;
    },
  };
}
