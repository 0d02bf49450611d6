/**
 * Generations of the protecting matrix. Each seed is sealed under the bank key in a row of its own until nobody needs it: no template is
 * under it, and every terminal in service has said that it went over to a newer one. Then the row keeps number and name, and no seed.
 */
import { createHmac } from 'node:crypto';
import { ownFaceText, PSEUDONYM_BYTES } from '../../src-contract/attempts.ts';
import type { BankContext } from '../context.ts';
import type { Database, DbTransaction } from '../database/database.ts';
import { sha256Base64Url } from '../digest.ts';
import { ProblemError } from '../problem.ts';
import type { Vault } from '../vault.ts';

export type ChangeReason = 'planned' | 'leak';

export interface Generation {
  readonly number: number;
  /** Says which seed without telling it. */
  readonly version: string;
  /** 32 bytes; null once destroyed. */
  readonly seed: Uint8Array | null;
  readonly reason: 'first' | ChangeReason;
  readonly begunAt: number;
  /** Since when no template is under an older one; null while there may be some. */
  readonly convertedAt: number | null;
  readonly destroyedAt: number | null;
}

export type LiveGeneration = Generation & { readonly seed: Uint8Array };

type Reader = Pick<Database['db'], 'selectFrom'>;

/** All there ever were, oldest first; the last is the current one. */
export async function allGenerations(vault: Vault, db: Reader): Promise<readonly Generation[]> {
  const rows = await db.selectFrom('protection_generations').selectAll().orderBy('number').execute();
  return rows.map((row) => ({
    number: row.number,
    version: row.version,
    seed: row.sealed && vault.open('platform-secret', sealName(row.number), row.sealed),
    reason: row.reason,
    begunAt: row.begun_at,
    convertedAt: row.converted_at,
    destroyedAt: row.destroyed_at,
  }));
}

/** Those whose seed the bank has, oldest first; the last is the current one. */
export async function liveGenerations(vault: Vault, db: Reader): Promise<readonly LiveGeneration[]> {
  return (await allGenerations(vault, db)).filter((one): one is LiveGeneration => one.seed !== null);
}

export function currentOf<One extends Generation>(generations: readonly One[]): One {
  const current = generations.at(-1);
  if (!current) throw new Error('a platform without a protecting matrix');
  return current;
}

/** Throws invalid-request naming the version where the bank has no such matrix, or not any more. */
export function named(live: readonly LiveGeneration[], version: string, field: string): LiveGeneration {
  const found = live.find((one) => one.version === version);
  if (found) return found;
  throw new ProblemError(
    'invalid-request',
    `${field}: the platform has no protection ${version}; its current one is ${currentOf(live).version}`,
    { field },
  );
}

/** The current number. "share": none begins before the db transaction ends; "change": for who begins one. */
export async function headNumber(tx: DbTransaction, lock: 'share' | 'change'): Promise<number> {
  const head = tx.selectFrom('protection_head').select('number');
  const { number } = await (lock === 'share' ? head.forShare() : head.forUpdate()).executeTakeFirstOrThrow();
  return number;
}

/** For a new database, or one from before there were generations. Where there is a first one nothing happens. */
export async function keepFirstGeneration(
  tx: DbTransaction,
  vault: Vault,
  { seed, at }: { seed: Uint8Array; at: number },
): Promise<void> {
  const made = await insertGeneration(tx, vault, { number: 1, seed, reason: 'first', at, convertedAt: at });
  if (made) await tx.insertInto('protection_head').values({ number: 1 }).execute();
}

/** False where the number is taken. */
export async function insertGeneration(
  tx: DbTransaction,
  vault: Vault,
  made: {
    readonly number: number;
    readonly seed: Uint8Array;
    readonly reason: Generation['reason'];
    readonly at: number;
    readonly convertedAt: number | null;
  },
): Promise<boolean> {
  const inserted = await tx
    .insertInto('protection_generations')
    .values({
      number: made.number,
      version: `p${made.number}-${sha256Base64Url(made.seed).slice(0, 8)}`,
      sealed: vault.seal('platform-secret', sealName(made.number), made.seed),
      reason: made.reason,
      begun_at: made.at,
      converted_at: made.convertedAt,
      destroyed_at: null,
    })
    .onConflict((conflict) => conflict.column('number').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** Destroys every seed that nobody needs any more: for which no template is left, and no terminal in service. */
export async function destroyUnneeded({ clock }: Pick<BankContext, 'clock'>, tx: DbTransaction): Promise<void> {
  const { oldest } = await tx
    .selectFrom('terminals')
    .select(({ fn }) => fn.min('protection').as('oldest'))
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  const { number: head } = await tx.selectFrom('protection_head').select('number').executeTakeFirstOrThrow();
  await tx
    .updateTable('protection_generations')
    .set({ sealed: null, destroyed_at: clock.now() })
    .where('number', '<', Math.min(head, oldest ?? head))
    .where('sealed', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('templates')
            .select('person_id')
            .whereRef('templates.protection_version', '=', 'protection_generations.version'),
        ),
      ),
    )
    .execute();
}

/** The pseudonym of a person's own face, as a terminal with this matrix makes it. */
export function ownFace({ seed }: LiveGeneration, personId: string): string {
  const hash = createHmac('sha256', seed).update(ownFaceText(personId)).digest();
  return hash.subarray(0, PSEUDONYM_BYTES).toString('base64url');
}

/**
 * A presented face as the books have it. A person's own face has another pseudonym under each matrix; the books have the one of the
 * newest matrix that a template of the person's is under, and keep in step with it (convert.ts). So what was proven, or locked, before a change is
 * so after it, whichever matrix the terminal has. Within the db transaction that has the person locked.
 */
export async function faceInBooks(
  { vault }: Pick<BankContext, 'vault'>,
  tx: DbTransaction,
  personId: string,
  face: string,
): Promise<string> {
  if (face === '') return face;
  const live = await liveGenerations(vault, tx);
  if (live.length === 1 || !live.some((one) => ownFace(one, personId) === face)) return face;
  const templates = await tx
    .selectFrom('templates')
    .select('protection_version')
    .where('person_id', '=', personId)
    .execute();
  const home =
    live.findLast(({ version }) => templates.some(({ protection_version }) => protection_version === version)) ??
    currentOf(live);
  return ownFace(home, personId);
}

function sealName(number: number): string {
  return `protection-${number}`;
}
