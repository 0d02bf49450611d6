/** What this terminal signed about protecting matrices it went over to: one receipt a matrix, ever. */
import type { Database } from 'better-sqlite3';
import { ProtectionReceipt } from '../../src-contract/protection-change.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { ResultSigner } from './journal.ts';
import type { SqliteOutbox } from './sqlite-outbox.ts';
import type { CommittingStorage } from './storage.ts';

export function protectionReceipts(
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
  const known = db.prepare<[string], number>('SELECT 1 FROM protection_receipts WHERE protection_version = ?').pluck();
  const insert = db.prepare<[string, string, string, number]>(
    'INSERT OR IGNORE INTO protection_receipts (protection_version, receipt_id, jws, at) VALUES (?, ?, ?, ?)',
  );

  return async (over: Pick<ProtectionReceipt, 'generation' | 'protectionVersion'>): Promise<void> => {
    const { protectionVersion } = over;
    if (known.get(protectionVersion) !== undefined) return;
    if (signer.terminalId === null) {
      throw new TerminalError('NOT_ACTIVATED', 'no receipt can be signed before this terminal is activated');
    }
    const receipt = ProtectionReceipt.parse({
      version: 1,
      receiptId: chance.id(),
      terminalId: signer.terminalId,
      ...over,
      at: clock.now(),
      olderGone: true,
    });
    const jws = await signer.signProtectionReceipt(receipt);
    const { receiptId, at } = receipt;
    commit('keeps-books', () => {
      // Signing took a moment, in which another may have been stored.
      if (insert.run(protectionVersion, receiptId, jws, at).changes === 0) return;
      outbox.enqueue({ kind: 'protection-receipt', body: { idempotencyKey: receiptId, receipt: jws } }, null);
    });
  };
}
