/** A change of the protecting matrix, from the staff's word to the last terminal's receipt. */
import { CompactEncrypt, CompactSign, importJWK } from 'jose';
import type { z } from 'zod';
import type { P256PublicJwk } from '../../src-contract/bank-api.ts';
import { SEED_BYTES } from '../../src-contract/protection.ts';
import {
  PROTECTION_RECEIPT_TYP,
  PROTECTION_TYP,
  ProtectionAnnouncement,
  type ProtectionAnswer,
  ProtectionReceipt,
  type ProtectionReceiptAnswer,
  type ProtectionReceiptRequest,
} from '../../src-contract/protection-change.ts';
import type { BankContext } from '../context.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { verifyReceipt } from '../fleet/signed-receipt.ts';
import type { BegunAnswer, ProtectionReportAnswer } from '../http/protection-api.ts';
import { ProblemError } from '../problem.ts';
import {
  allGenerations,
  type ChangeReason,
  currentOf,
  destroyUnneeded,
  headNumber,
  insertGeneration,
  type LiveGeneration,
  liveGenerations,
} from './generations.ts';

/**
 * Begins the next generation. Throws a conflict unless `from` is the current number (so that one told twice begins once), and while
 * templates are still being converted for it.
 */
export async function beginChange(
  context: BankContext,
  { from, reason }: { from: number; reason: ChangeReason },
): Promise<z.input<typeof BegunAnswer>> {
  const { database, vault, clock, chance, converter } = context;
  await database.transact(async (tx) => {
    const number = await headNumber(tx, 'change');
    if (number !== from) {
      throw new ProblemError('conflict', `the current generation is ${number}, not ${from}`, { field: 'from' });
    }
    if (currentOf(await liveGenerations(vault, tx)).convertedAt === null) {
      throw new ProblemError('conflict', `templates are still being brought under generation ${number}: wait for it`);
    }
    const made = { number: number + 1, seed: chance.bytes(SEED_BYTES), reason, at: clock.now(), convertedAt: null };
    await insertGeneration(tx, vault, made);
    await tx.updateTable('protection_head').set({ number: made.number }).execute();
  });
  converter.wake();
  const { number, version } = currentOf(await liveGenerations(vault, database.db));
  return { generation: number, protectionVersion: version };
}

/** What a terminal that holds this matrix has to know. */
export async function tellProtection(
  context: BankContext,
  terminal: Terminal,
  held: string,
): Promise<ProtectionAnswer> {
  const { vault, database } = context;
  const current = currentOf(await liveGenerations(vault, database.db));
  const { number: generation, version: protectionVersion } = current;
  if (held === protectionVersion) return { generation, protectionVersion, announcement: null };
  return { generation, protectionVersion, announcement: await announce(context, terminal, current) };
}

async function announce(
  { database, clock, platform }: BankContext,
  { terminalId }: Terminal,
  { number, version, seed }: LiveGeneration,
): Promise<string> {
  const { encryption_key } = await database.db
    .selectFrom('terminals')
    .select('encryption_key')
    .where('terminal_id', '=', terminalId)
    .executeTakeFirstOrThrow();
  const announcement = ProtectionAnnouncement.parse({
    version: 1,
    terminalId,
    generation: number,
    protectionVersion: version,
    seed: await sealSeed(seed, JSON.parse(encryption_key)),
    issuedAt: clock.now(),
  });
  const { privateKey, publicKey } = platform.policyKey;
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(announcement)))
    .setProtectedHeader({ alg: 'EdDSA', typ: PROTECTION_TYP, kid: publicKey.kid })
    .sign(privateKey);
}

/** A JWE that the terminal with this key alone can open. Throws invalid-request for a key that is no point of the curve. */
export async function sealSeed(seed: Uint8Array, encryptionKey: P256PublicJwk): Promise<string> {
  let key: Awaited<ReturnType<typeof importJWK>>;
  try {
    key = await importJWK(encryptionKey, 'ECDH-ES');
  } catch {
    throw new ProblemError('invalid-request', 'encryptionKey: is not a point of P-256', { field: 'encryptionKey' });
  }
  return await new CompactEncrypt(seed).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' }).encrypt(key);
}

/** Keeps a terminal's receipt. The same one again is kept already; another of the same terminal and generation is a conflict, with
 *  an incident. The last one that was waited for ends the older seeds. */
export async function keepProtectionReceipt(
  context: BankContext,
  terminal: Terminal,
  { idempotencyKey, receipt: jws }: ProtectionReceiptRequest,
): Promise<ProtectionReceiptAnswer> {
  const { database, vault, clock } = context;
  const receipt = await verifyReceipt(jws, terminal, { typ: PROTECTION_RECEIPT_TYP, schema: ProtectionReceipt });
  if (receipt.receiptId !== idempotencyKey) {
    throw new ProblemError('invalid-request', "idempotencyKey: must be the receipt's id", { field: 'idempotencyKey' });
  }
  const { terminalId } = terminal;
  return await database.transact(async (tx) => {
    const generation = (await allGenerations(vault, tx)).find(({ number }) => number === receipt.generation);
    if (generation?.version !== receipt.protectionVersion) {
      throw new ProblemError(
        'not-found',
        `the platform never had a protection ${receipt.protectionVersion} as its generation ${receipt.generation}`,
        { field: 'receipt' },
      );
    }
    await tx
      .insertInto('protection_receipts')
      .values({
        terminal_id: terminalId,
        generation: receipt.generation,
        receipt_id: receipt.receiptId,
        at: receipt.at,
        jws,
        received_at: clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['terminal_id', 'generation']).doNothing())
      .execute();
    const kept = await tx
      .selectFrom('protection_receipts')
      .select('jws')
      .where('terminal_id', '=', terminalId)
      .where('generation', '=', receipt.generation)
      .executeTakeFirstOrThrow();
    if (kept.jws !== jws) {
      throw new ProblemError('conflict', 'this terminal has signed another receipt for this generation', {
        field: 'receipt',
        incident: { evidence: jws },
      });
    }
    await tx
      .updateTable('terminals')
      .set({ protection: receipt.generation })
      .where('terminal_id', '=', terminalId)
      .where('protection', '<', receipt.generation)
      .execute();
    await destroyUnneeded(context, tx);
    return { outcome: 'kept' };
  });
}

/** How far the change has come: templates, generations, and the terminals in service that it waits for. */
export async function protectionReport({
  database,
  vault,
  converter,
}: BankContext): Promise<z.input<typeof ProtectionReportAnswer>> {
  const generations = await allGenerations(vault, database.db);
  const current = currentOf(generations);
  if (current.convertedAt === null) converter.wake();
  const counts = await database.db
    .selectFrom('templates')
    .select(['protection_version', ({ fn }) => fn.countAll<number>().as('templates')])
    .groupBy('protection_version')
    .execute();
  const waitingFor = await database.db
    .selectFrom('terminals')
    .select(['terminal_id', 'name', 'protection'])
    .where('revoked_at', 'is', null)
    .where('protection', '<', current.number)
    .orderBy('terminal_id')
    .execute();
  return {
    generation: current.number,
    protectionVersion: current.version,
    generations: generations.map((one) => ({
      generation: one.number,
      protectionVersion: one.version,
      reason: one.reason,
      begunAt: one.begunAt,
      convertedAt: one.convertedAt,
      destroyedAt: one.destroyedAt,
      templates: counts.find(({ protection_version }) => protection_version === one.version)?.templates ?? 0,
    })),
    waitingFor: waitingFor.map((row) => ({
      terminalId: row.terminal_id,
      name: row.name,
      generation: row.protection,
    })),
  };
}

/** Takes a terminal out of service for good: it is not answered any more, and no change waits for it. A repeat changes nothing. */
export async function revokeTerminal(context: BankContext, terminalId: string): Promise<{ revokedAt: number }> {
  return await context.database.transact(async (tx) => {
    await tx
      .updateTable('terminals')
      .set({ revoked_at: context.clock.now() })
      .where('terminal_id', '=', terminalId)
      .where('revoked_at', 'is', null)
      .execute();
    const terminal = await tx
      .selectFrom('terminals')
      .select('revoked_at')
      .where('terminal_id', '=', terminalId)
      .executeTakeFirst();
    if (!terminal || terminal.revoked_at === null)
      throw new ProblemError('not-found', 'no terminal with this terminalId was ever activated');
    await destroyUnneeded(context, tx);
    return { revokedAt: terminal.revoked_at };
  });
}
