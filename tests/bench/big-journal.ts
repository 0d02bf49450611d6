/** A journal of many transactions, written in bulk: three events, a match result and its place in the outbox, and a capture each. */
import { createHash, randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import { v7 as uuidv7 } from 'uuid';
import { money, type Uuid } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { exampleResult, fakeSigner } from '../../src-main/journal/journal.fixture.ts';
import { openJournal } from '../../src-main/journal/journal.ts';

/** Of the terminal whose journal it is. */
export const BENCH_TERMINAL = '0199aaaa-0000-7000-8000-000000000001' as Uuid;
/** Left open at the end, as a power cut leaves them. */
const OPEN = 2;

/** Writes all of it in one transaction, without waiting for the disk. */
export function buildJournal(path: string, transactions: number): void {
  openJournal({
    path,
    clock: systemClock,
    chance: systemChance,
    signer: fakeSigner(BENCH_TERMINAL),
    onAlarm: () => {},
  }).close();
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -400000');
  const transaction = db.prepare('INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)');
  const event = db.prepare('INSERT INTO transaction_events VALUES (?, ?, ?, ?, ?, ?)');
  const result = db.prepare('INSERT INTO match_results VALUES (?, ?, ?, ?, ?)');
  const outbox = db.prepare(
    `INSERT INTO outbox (kind, idempotency_key, body, queued_at, next_attempt_at, state, settled_at, transaction_id)
     VALUES (?, ?, ?, ?, ?, 'delivered', ?, ?)`,
  );
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'kaopass-match+jws', kid: BENCH_TERMINAL })).toString(
    'base64url',
  );
  // Nobody verifies these; what they weigh is what counts.
  const signature = randomBytes(64).toString('base64url');
  const personId = uuidv7();
  let previousHash: string | null = null;
  const startMs = 1_700_000_000_000;
  db.transaction(() => {
    for (let n = 1; n <= transactions; n++) {
      const at = startMs + n * 30_000;
      const transactionId = uuidv7({ msecs: at });
      const resultId = uuidv7({ msecs: at });
      const authorisationKey = uuidv7({ msecs: at });
      const said = exampleResult({ service: 'withdraw', amount: money(10_000), transactionId: transactionId as Uuid });
      const full = { version: 1, resultId, terminalId: BENCH_TERMINAL, sequence: n, previousHash, at, ...said };
      const jws = `${header}.${Buffer.from(JSON.stringify(full)).toString('base64url')}.${signature}`;
      const hash = createHash('sha256').update(jws, 'ascii').digest('base64url');
      result.run(n, resultId, jws, hash, at);
      outbox.run('result', resultId, JSON.stringify({ resultId, sequence: n, jws }), at, at, at, transactionId);
      transaction.run(transactionId, 'withdraw', personId, 10_000, 'JPY', '{"mix":[]}', at);
      event.run(transactionId, 1, 'begun', '{}', 0, at);
      event.run(transactionId, 2, 'authorising', JSON.stringify({ authorisationKey }), 0, at);
      if (n <= transactions - OPEN) {
        event.run(transactionId, 3, 'paid', '{"status":{"presented":[],"retracted":[],"rejected":[]}}', 1, at);
        const key = uuidv7({ msecs: at });
        const body = { idempotencyKey: key, authorisationKey, amount: money(10_000), proof: null, priorProof: null };
        outbox.run('capture', key, JSON.stringify(body), at, at, at, transactionId);
      }
      previousHash = hash;
    }
  })();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
