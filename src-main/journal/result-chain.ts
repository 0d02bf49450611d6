/** The terminal's match results: numbered without gaps, each naming the hash of the one before, each signed. */
import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { MatchResult } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { RecordedResult, ResultSigner, UnsignedResult } from './journal.ts';
import type { SqliteOutbox } from './sqlite-outbox.ts';
import type { CommittingStorage } from './storage.ts';

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

interface Link {
  readonly sequence: number;
  readonly jws: string;
  readonly hash: string;
}

/** Results looked at, from the newest back, when a journal is opened without being read whole. */
const TAIL = 200;

/**
 * What is wrong with the chain, or null: a number missing, a hash that is not its result's, a result that names another predecessor.
 * Looks at the newest results, or at every one. Signatures are `kaopass journal verify`'s to check: they need the key.
 */
export function chainProblem(db: Database, which: 'newest' | 'all'): string | null {
  const newest = db.prepare<[], number>('SELECT max(sequence) FROM match_results').pluck().get() ?? 0;
  if (newest === 0) return null;
  const from = which === 'all' ? 1 : Math.max(1, newest - TAIL + 1);
  const links = db.prepare<[number], Link>(
    'SELECT sequence, jws, hash FROM match_results WHERE sequence >= ? ORDER BY sequence',
  );
  let expected = from;
  let before: string | null = from === 1 ? null : hashAt(db, from - 1);
  for (const { sequence, jws, hash } of links.iterate(from)) {
    if (sequence !== expected) return `match result ${expected} is missing`;
    if (resultHash(jws) !== hash) return `match result ${sequence} is not the one its hash was taken of`;
    if (previousHashIn(jws) !== before) return `match result ${sequence} does not name the one before it`;
    before = hash;
    expected += 1;
  }
  return null;
}

function hashAt(db: Database, sequence: number): string | null {
  return (
    db.prepare<[number], string>('SELECT hash FROM match_results WHERE sequence = ?').pluck().get(sequence) ?? null
  );
}

/** Undefined, which no hash is, when it cannot be read. */
function previousHashIn(jws: string): unknown {
  try {
    return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')).previousHash;
  } catch {
    return undefined;
  }
}

export interface ResultChain {
  head(): Head | null;
  record(unsigned: UnsignedResult): Promise<RecordedResult>;
}

export function resultChain(
  db: Database,
  options: {
    clock: Clock;
    chance: Chance;
    signer: ResultSigner;
    outbox: SqliteOutbox;
    commit: CommittingStorage['commit'];
  },
): ResultChain {
  const { clock, chance, signer, outbox, commit } = options;
  const last = db.prepare<[], Head>(
    'SELECT sequence, result_id AS resultId, jws, hash FROM match_results ORDER BY sequence DESC LIMIT 1',
  );
  const insert = db.prepare<[number, string, string, string, number]>(
    'INSERT INTO match_results VALUES (?, ?, ?, ?, ?)',
  );
  const head = (): Head | null => last.get() ?? null;

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
    commit('begins', () => {
      insert.run(sequence, resultId, jws, resultHash(jws), at);
      outbox.enqueue({ kind: 'result', body: { resultId, sequence, jws } }, result.transactionId);
    });
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
