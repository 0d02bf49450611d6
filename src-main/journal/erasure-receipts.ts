/** What this terminal signed about people it has forgotten: one receipt a person, ever. */
import type { Database } from 'better-sqlite3';
import { ErasureReceipt } from '../../src-contract/erasure.ts';
import { Uuid } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { ResultSigner } from './journal.ts';
import type { SqliteOutbox } from './sqlite-outbox.ts';
import type { CommittingStorage } from './storage.ts';

export function erasureReceipts(
  db: Database,
  options: {
    clock: Clock;
    chance: Chance;
    signer: ResultSigner;
    outbox: SqliteOutbox;
    commit: CommittingStorage['commit'];
  },
) {
  const { clock, chance, signer, outbox, commit } = options;
  const known = db.prepare<[string], number>('SELECT 1 FROM erasure_receipts WHERE person_id = ?').pluck();
  const people = db.prepare<[], string>('SELECT person_id FROM erasure_receipts ORDER BY rowid').pluck();
  const insert = db.prepare<[string, string, string, number]>(
    'INSERT OR IGNORE INTO erasure_receipts (person_id, receipt_id, jws, at) VALUES (?, ?, ?, ?)',
  );

  return {
    people: (): Uuid[] => people.all().map((personId) => Uuid.parse(personId)),
    record: async ({ personId, cursor }: { personId: Uuid; cursor: number | null }): Promise<void> => {
      if (known.get(personId) !== undefined) return;
      if (signer.terminalId === null) {
        throw new TerminalError('NOT_ACTIVATED', 'no receipt can be signed before this terminal is activated');
      }
      const receipt = ErasureReceipt.parse({
        version: 1,
        receiptId: chance.id(),
        terminalId: signer.terminalId,
        personId,
        cursor,
        at: clock.now(),
        templateGone: true,
        pendingAuthorityGone: true,
      });
      const jws = await signer.signErasureReceipt(receipt);
      const { receiptId, at } = receipt;
      commit('keeps-books', () => {
        // Signing took a moment, in which another may have been stored.
        if (insert.run(personId, receiptId, jws, at).changes === 0) return;
        outbox.enqueue({ kind: 'erasure-receipt', body: { idempotencyKey: receiptId, receipt: jws } }, null);
      });
    },
  };
}
