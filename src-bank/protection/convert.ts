/**
 * Brings the stored templates under the current matrix, in batches of one db transaction each: whatever ends the bank leaves every
 * template under one matrix or the other, with its name, and whichever bank process is next goes on. People who are being erased, or
 * whose PIN is being checked, are passed over and come later; nobody waits for a batch.
 */
import { sql } from 'kysely';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { currentOf, destroyUnneeded, type LiveGeneration, liveGenerations, ownFace } from './generations.ts';

/** A fifth of a second's work for 512 dimensions. */
const CONVERTED_IN_A_BATCH = 200;
/** Between two batches, ms: half of the bank is for others. */
const PAUSE_MS = 200;
/** Before whoever was passed over is tried again, ms, and how often before the next asking terminal starts it anew. */
const BUSY_PAUSE_MS = 1_000;
const BUSY_MAX = 30;
/** Templates converted before others are answered. */
const AT_ONCE = 20;

export interface Converter {
  /** Begins, or goes on, unless it is at work. Costs nothing where there is nothing to do. */
  wake(): void;
  /** Ends after the batch under way. */
  close(): Promise<void>;
}

/** @param size templates in one db transaction. */
export function createConverter(context: Omit<BankContext, 'converter'>, size = CONVERTED_IN_A_BATCH): Converter {
  const { clock, logger } = context;
  let closing = false;
  let awake = false;
  let batch: Promise<unknown> = Promise.resolve();

  const run = async (): Promise<void> => {
    for (let busy = 0; !closing && busy < BUSY_MAX; ) {
      const work = convertBatch(context, size);
      batch = work.catch(() => undefined);
      const came = await work;
      if (came === 'done' || closing) return;
      busy = came === 'busy' ? busy + 1 : 0;
      await clock.sleep(came === 'busy' ? BUSY_PAUSE_MS : PAUSE_MS);
    }
  };

  return {
    wake: () => {
      if (awake || closing) return;
      awake = true;
      run()
        .catch((error: unknown) => logger.error({ err: error }, 'templates could not be converted; tried again soon'))
        .finally(() => {
          awake = false;
        });
    },
    close: async () => {
      closing = true;
      await batch;
    },
  };
}

/** 'done': no template is under an older matrix any more. 'busy': all that are left are in use. */
async function convertBatch(context: Omit<BankContext, 'converter'>, size: number): Promise<'more' | 'busy' | 'done'> {
  const { database, vault, matrices } = context;
  const current = currentOf(await liveGenerations(vault, database.db));
  if (current.convertedAt !== null) return 'done';
  // Grown before anything is locked.
  const kinds = await database.db
    .selectFrom('templates')
    .select(['protection_version', 'dimensions'])
    .distinct()
    .where('protection_version', '<>', current.version)
    .execute();
  const live = await liveGenerations(vault, database.db);
  for (const { protection_version, dimensions } of kinds) {
    const from = live.find(({ version }) => version === protection_version);
    if (from) await matrices.converter(from, current, dimensions);
  }
  return await database.transact(async (tx) => {
    const rows = await tx
      .selectFrom('templates')
      .innerJoin('people', 'people.person_id', 'templates.person_id')
      .select(['templates.person_id', 'model_sha256', 'sealed', 'dimensions', 'protection_version'])
      .where('protection_version', '<>', current.version)
      .orderBy('protection_version')
      .orderBy('templates.person_id')
      .limit(size)
      .forNoKeyUpdate('people')
      .skipLocked()
      .execute();
    if (rows.length === 0) return await finish(context, tx, current);
    await store(context, tx, { rows, live, current });
    return 'more';
  });
}

/** Brings one person's templates under the current matrix. Within a db transaction that has the person locked, and shares the head. */
export async function convertPerson(
  context: Pick<BankContext, 'vault' | 'matrices' | 'clock'>,
  tx: DbTransaction,
  personId: string,
): Promise<void> {
  const live = await liveGenerations(context.vault, tx);
  const current = currentOf(live);
  const rows = await tx
    .selectFrom('templates')
    .select(['person_id', 'model_sha256', 'sealed', 'dimensions', 'protection_version'])
    .where('person_id', '=', personId)
    .where('protection_version', '<>', current.version)
    .execute();
  if (rows.length > 0) await store(context, tx, { rows, live, current });
}

interface Row {
  readonly person_id: string;
  readonly model_sha256: string;
  readonly sealed: Uint8Array;
  readonly dimensions: number;
  readonly protection_version: string;
}

async function store(
  { vault, matrices, clock }: Pick<BankContext, 'vault' | 'matrices' | 'clock'>,
  tx: DbTransaction,
  { rows, live, current }: { rows: readonly Row[]; live: readonly LiveGeneration[]; current: LiveGeneration },
): Promise<void> {
  const templates: { person_id: string; model: string; sealed: string }[] = [];
  const faces: { person_id: string; old: string; fresh: string }[] = [];
  for (const { person_id, model_sha256: model, sealed, dimensions, protection_version } of rows) {
    const from = live.find(({ version }) => version === protection_version);
    if (!from) throw new Error(`a template is under protection ${protection_version}, whose seed is gone`);
    const convert = await matrices.converter(from, current, dimensions);
    const converted = convert(vault.open('template', person_id, sealed));
    const resealed = Buffer.from(vault.seal('template', person_id, converted)).toString('base64');
    templates.push({ person_id, model, sealed: resealed });
    faces.push({ person_id, old: ownFace(from, person_id), fresh: ownFace(current, person_id) });
    if (templates.length % AT_ONCE === 0) await clock.sleep(0);
  }
  await sql`update templates set sealed = decode(fresh.sealed, 'base64'), protection_version = ${current.version}
    from jsonb_to_recordset(${JSON.stringify(templates)}::jsonb) as fresh (person_id uuid, model text, sealed text)
    where templates.person_id = fresh.person_id and templates.model_sha256 = fresh.model`.execute(tx);
  // What a person's own face proved or missed stays with it.
  for (const table of ['pin_pairs', 'pin_misses'] as const) {
    await sql`update ${sql.table(table)} set face = own.fresh
      from jsonb_to_recordset(${JSON.stringify(faces)}::jsonb) as own (person_id uuid, old text, fresh text)
      where ${sql.table(table)}.person_id = own.person_id and ${sql.table(table)}.face = own.old`.execute(tx);
  }
}

/** Nobody was found: either nobody is left, or all who are left are locked. */
async function finish(
  { clock }: Pick<BankContext, 'clock'>,
  tx: DbTransaction,
  current: LiveGeneration,
): Promise<'busy' | 'done'> {
  const left = await tx
    .selectFrom('templates')
    .select('person_id')
    .where('protection_version', '<>', current.version)
    .limit(1)
    .executeTakeFirst();
  if (left) return 'busy';
  await tx
    .updateTable('protection_generations')
    .set({ converted_at: clock.now() })
    .where('number', '=', current.number)
    .where('converted_at', 'is', null)
    .execute();
  await destroyUnneeded({ clock }, tx);
  return 'done';
}
