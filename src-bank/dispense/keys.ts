/**
 * A dispenser's two keys, shared by its secure element and the bank alone (XFS4IoT: XFSAuthenticateHost for command tokens,
 * XFSAuthenticateDevice for response tokens). They come in through the admin API, are sealed under the bank key, and never
 * leave again: no answer, log or terminal carries them. Setting them anew keeps the older ones for proofs still under way.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { ProofsCover } from '../database/tables.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';

const KEY_BYTES = 32;

export interface DispenserKeys {
  readonly version: number;
  /** Makes command tokens. */
  readonly hostKey: Uint8Array;
  /** Checks response tokens. */
  readonly deviceKey: Uint8Array;
}

/** From now on this terminal's withdrawals need a token. @param keys 32 bytes each, as 64 hex digits. */
export async function setDispenserKeys(
  context: BankContext,
  terminalId: string,
  keys: { readonly hostKey: string; readonly deviceKey: string; readonly proofsCover: ProofsCover },
): Promise<{ version: number }> {
  const plain = Buffer.from(keys.hostKey + keys.deviceKey, 'hex');
  if (keys.hostKey.toUpperCase() === keys.deviceKey.toUpperCase()) {
    throw new ProblemError('invalid-request', 'deviceKey: must be another key than hostKey', { field: 'deviceKey' });
  }
  return await context.database.transact(async (tx) => {
    const terminal = await tx
      .selectFrom('terminals')
      .select('terminal_id')
      .where('terminal_id', '=', terminalId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!terminal) throw new ProblemError('not-found', 'no terminal with this id is registered');
    const version = ((await lockDispenser(context, tx, { terminalId }))?.version ?? 0) + 1;
    await tx
      .insertInto('dispenser_keys')
      .values({
        terminal_id: terminalId,
        version,
        sealed: context.vault.seal('dispenser-keys', nameOf(terminalId, version), plain),
        proofs_cover: keys.proofsCover,
        created_at: context.clock.now(),
      })
      .execute();
    return { version };
  });
}

/**
 * The keys that tokens are made with, null for a terminal without. Locks them: what is granted to one dispenser and proven by it
 * happens one after the other.
 */
export async function lockDispenser(
  context: BankContext,
  tx: DbTransaction,
  { terminalId }: Pick<Terminal, 'terminalId'>,
): Promise<DispenserKeys | null> {
  const rows = await tx
    .selectFrom('dispenser_keys')
    .select(['version', 'sealed'])
    .where('terminal_id', '=', terminalId)
    .orderBy('version')
    .forNoKeyUpdate()
    .execute();
  const newest = rows.at(-1);
  return newest ? opened(context, terminalId, newest) : null;
}

export interface ProofRules {
  /** What a proof may be made with, newest first. */
  readonly deviceKeys: readonly Uint8Array[];
  readonly proofsCover: ProofsCover;
}

/** How a proof for a grant of this version is to be read. */
export async function proofRulesSince(
  context: BankContext,
  tx: DbTransaction,
  terminalId: string,
  version: number,
): Promise<ProofRules> {
  const rows = await tx
    .selectFrom('dispenser_keys')
    .select(['version', 'sealed', 'proofs_cover'])
    .where('terminal_id', '=', terminalId)
    .where('version', '>=', version)
    .orderBy('version', 'desc')
    .execute();
  return {
    deviceKeys: rows.map((row) => opened(context, terminalId, row).deviceKey),
    // Where a change of keys changed the device, the more careful reading.
    proofsCover: rows.every((row) => row.proofs_cover === 'whole-token') ? 'whole-token' : 'last-stack',
  };
}

function opened(
  { vault }: BankContext,
  terminalId: string,
  { version, sealed }: { version: number; sealed: Uint8Array },
): DispenserKeys {
  const plain = vault.open('dispenser-keys', nameOf(terminalId, version), sealed);
  return { version, hostKey: plain.subarray(0, KEY_BYTES), deviceKey: plain.subarray(KEY_BYTES) };
}

function nameOf(terminalId: string, version: number): string {
  return `${terminalId}/${version}`;
}
