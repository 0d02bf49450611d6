/**
 * Working keys of encrypting PIN pads: AES keys that the pad and the bank share, and the terminal between them does not have. They
 * come in through the admin API, are sealed under the bank key, and never leave again. And PIN blocks, of either kind, opened.
 */
import { createHash } from 'node:crypto';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { accountDigits, openIso4 } from '../iso4.ts';
import { type OpenPin, readPinBlock } from '../pin.ts';
import { ProblemError } from '../problem.ts';

/** From now on blocks of this terminal's pad under this key are opened. A name set again has the new key alone. */
export async function setPadKey(
  { database, vault, clock }: BankContext,
  terminalId: string,
  { name, key }: { readonly name: string; readonly key: string },
): Promise<{ name: string }> {
  const sealed = vault.seal('pad-key', `${terminalId}/${name}`, Buffer.from(key, 'hex'));
  return await database.transact(async (tx) => {
    const terminal = await tx
      .selectFrom('terminals')
      .select('terminal_id')
      .where('terminal_id', '=', terminalId)
      .executeTakeFirst();
    if (!terminal) throw new ProblemError('not-found', 'no terminal with this id is registered');
    await tx
      .insertInto('pad_keys')
      .values({ terminal_id: terminalId, name, sealed, created_at: clock.now() })
      .onConflict((conflict) =>
        conflict.columns(['terminal_id', 'name']).doUpdateSet({ sealed, created_at: clock.now() }),
      )
      .execute();
    return { name };
  });
}

/**
 * Opens a PIN block: a JWE for the bank's PIN key, or `iso4.<key name>.<block>` (both base64url) under a working key of the
 * terminal's pad. Throws invalid-request, naming the field; the message never says what was inside.
 */
export async function openPinBlock(
  context: BankContext,
  tx: DbTransaction,
  { terminalId }: Pick<Terminal, 'terminalId'>,
  { block, boundTo, field }: { readonly block: string; readonly boundTo: string; readonly field: string },
): Promise<OpenPin> {
  const [format, name64, block64, ...more] = block.split('.');
  if (format !== 'iso4' || name64 === undefined || block64 === undefined || more.length > 0) {
    return await readPinBlock(block, boundTo, context.platform.pinKey, field);
  }
  const refuse = (detail: string) => new ProblemError('invalid-request', `${field}: ${detail}`, { field });
  const name = Buffer.from(name64, 'base64url').toString('utf8');
  const row = await tx
    .selectFrom('pad_keys')
    .select('sealed')
    .where('terminal_id', '=', terminalId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (!row) throw refuse('the PIN block is under a key of this terminal’s PIN pad that the bank does not have');
  const key = context.vault.open('pad-key', `${terminalId}/${name}`, row.sealed);
  const bytes = Buffer.from(block64, 'base64url');
  const digits = openIso4(bytes, key, accountDigits(boundTo));
  if (digits === null) throw refuse('the PIN block is not well-formed, or was made for another transaction');
  return { digits, nonce: blockId(terminalId, bytes) };
}

/** A block is used once; its random fill makes it one of its kind (UUIDv8, RFC 9562, 5.8). */
function blockId(terminalId: string, block: Uint8Array): string {
  const id = createHash('sha256').update(terminalId).update(block).digest().subarray(0, 16);
  id[6] = (id[6]! & 0x0f) | 0x80;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
