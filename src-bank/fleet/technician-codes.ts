/**
 * What lets a technician's count move money: a code for one count at one terminal, made by the bank's staff and told to the
 * technician. Malware on a terminal can make it sign any count, and has no such code.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { ProblemError } from '../problem.ts';
import { oneTimeCode } from './one-time-code.ts';

export type CodeState = 'valid' | 'missing' | 'unknown' | 'used' | 'expired';

/** Only its keyed hash is stored: this is the only time it can be read. Throws not-found for a terminal that is not registered. */
export async function makeTechnicianCode(
  { database, clock, chance, vault }: BankContext,
  { terminalId, expiresInS }: { terminalId: string; expiresInS: number },
): Promise<{ code: string; expiresAt: number }> {
  const terminal = await database.db
    .selectFrom('terminals')
    .select('terminal_id')
    .where('terminal_id', '=', terminalId)
    .executeTakeFirst();
  if (!terminal) {
    throw new ProblemError('not-found', 'no terminal with this id is registered', { field: 'terminalId' });
  }
  const code = oneTimeCode(chance);
  const now = clock.now();
  const expiresAt = now + expiresInS * 1000;
  await database.db
    .insertInto('technician_codes')
    .values({
      code_hash: vault.mac('technician-code', code),
      terminal_id: terminalId,
      created_at: now,
      expires_at: expiresAt,
      used_at: null,
      used_by: null,
    })
    .execute();
  return { code, expiresAt };
}

/** Uses the code up when it is valid. Another terminal's code is unknown here. */
export async function spendTechnicianCode(
  { vault, clock }: BankContext,
  tx: DbTransaction,
  { code, terminalId, countId }: { code: string | null; terminalId: string; countId: string },
): Promise<CodeState> {
  if (code === null) return 'missing';
  const hash = vault.mac('technician-code', code);
  const row = await tx
    .selectFrom('technician_codes')
    .select(['expires_at', 'used_at'])
    .where('code_hash', '=', hash)
    .where('terminal_id', '=', terminalId)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return 'unknown';
  if (row.used_at !== null) return 'used';
  const now = clock.now();
  if (row.expires_at <= now) return 'expired';
  await tx
    .updateTable('technician_codes')
    .set({ used_at: now, used_by: countId })
    .where('code_hash', '=', hash)
    .execute();
  return 'valid';
}
