/** The feed that keeps every terminal's gallery the same as the bank's: templates put and erased, by cursor. */
import type { ExpressionBuilder } from 'kysely';
import type { GalleryAnswer, GalleryEntry } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { ProblemError } from '../problem.ts';
import { currentOf, liveGenerations, named } from '../protection/generations.ts';

export const GALLERY_LIMIT_MAX = 500;
/** Templates converted for an answer before others are answered. */
const CONVERTED_AT_ONCE = 20;

/** Appends a change; keeps other changes waiting until the db transaction ends (see gallery_head). Answers its cursor.
 *  @param modelSha256 whose template it is; null for an erasure, which takes all of a person's. */
export async function appendToFeed(
  { clock }: Pick<BankContext, 'clock'>,
  tx: DbTransaction,
  kind: 'put' | 'erase' | 'retire',
  { personId, modelSha256 }: { readonly personId: string; readonly modelSha256: string | null },
): Promise<number> {
  const { cursor } = await tx
    .updateTable('gallery_head')
    .set((set) => ({ cursor: set('cursor', '+', 1) }))
    .returning('cursor')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('gallery_feed')
    .values({ cursor, kind, person_id: personId, at: clock.now(), model_sha256: modelSha256 })
    .execute();
  return cursor;
}

export interface FeedQuery {
  readonly after: number;
  readonly limit: number;
  readonly protection?: string | undefined;
  readonly model?: string | undefined;
}

/**
 * @param after cursor of the last entry already seen, 0 for none.
 * @param protection the matrix that templates are wanted under; the current one by default. Throws invalid-request where the bank has
 *   no such one: the terminal asks which there is, and comes again.
 * @param model whose templates are wanted; everybody's oldest by default.
 */
export async function readFeed(
  { database, vault, matrices, converter, clock }: BankContext,
  { after, limit, protection, model }: FeedQuery,
): Promise<GalleryAnswer> {
  // Before the rows: whatever was appended up to here is among them.
  const head = await database.db.selectFrom('gallery_head').select('cursor').executeTakeFirstOrThrow();
  const rows = await database.db
    .selectFrom('gallery_feed as feed')
    .innerJoin('people', 'people.person_id', 'feed.person_id')
    .leftJoin('templates', (join) =>
      join
        .onRef('templates.person_id', '=', 'feed.person_id')
        .onRef('templates.model_sha256', '=', 'feed.model_sha256'),
    )
    .select(['feed.cursor', 'feed.kind', 'feed.person_id', 'people.look_alike_of'])
    .select(['templates.sealed', 'templates.dimensions', 'templates.model_sha256', 'templates.protection_version'])
    .where('feed.cursor', '>', after)
    .where((where) =>
      model === undefined
        ? where.or([where('feed.kind', '=', 'erase'), where.and([where('feed.kind', '=', 'put'), isOldest(where)])])
        : where.or([where('feed.kind', '=', 'erase'), where('feed.model_sha256', '=', model)]),
    )
    .orderBy('feed.cursor')
    .limit(limit + 1)
    .execute();
  // After the rows: a generation that begins in between is known, and none of theirs has begun since.
  const live = await liveGenerations(vault, database.db);
  matrices.keepOnly(live);
  const current = currentOf(live);
  // Whichever bank process is asked goes on with what another one left.
  if (current.convertedAt === null) converter.wake();
  const wanted = protection === undefined ? current : named(live, protection, 'protection');
  const entries: GalleryEntry[] = [];
  for (const row of rows.slice(0, limit)) {
    if (row.kind !== 'put') {
      entries.push({ kind: row.kind, cursor: row.cursor, personId: row.person_id });
      continue;
    }
    const { sealed, dimensions, model_sha256, protection_version } = row;
    if (!sealed || dimensions === null || model_sha256 === null || protection_version === null) {
      throw new Error(`the gallery feed puts a person without a template at cursor ${row.cursor}`);
    }
    const from = live.find(({ version }) => version === protection_version);
    if (!from) throw new ProblemError('unavailable', 'a change of the protecting matrix has just ended: ask again');
    const convert = await matrices.converter(from, wanted, dimensions);
    if (from !== wanted && entries.length % CONVERTED_AT_ONCE === 0) await clock.sleep(0);
    entries.push({
      kind: 'put',
      cursor: row.cursor,
      personId: row.person_id,
      template: {
        values: Buffer.from(convert(vault.open('template', row.person_id, sealed))).toString('base64url'),
        dimensions,
        modelSha256: model_sha256,
        protectionVersion: wanted.version,
      },
      lookAlikeOf: row.look_alike_of,
    });
  }
  const last = entries.at(-1)?.cursor ?? after;
  const more = rows.length > limit;
  return { entries, next: more ? last : Math.max(last, head.cursor), more, protectionVersion: current.version };
}

/** Whether the feed's row puts the first template of those that its person has: what a terminal gets that names no embedder. */
function isOldest(where: ExpressionBuilder<Tables & { feed: Tables['gallery_feed'] }, 'feed'>) {
  return where.not(
    where.exists(
      where
        .selectFrom('templates as older')
        .select('older.person_id')
        .whereRef('older.person_id', '=', 'feed.person_id')
        .whereRef('older.cursor', '<', 'feed.cursor'),
    ),
  );
}
