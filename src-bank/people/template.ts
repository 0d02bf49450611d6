/** Templates at the bank: checked for shape (they arrive protected, the bank cannot see a face in them), sealed at rest. */
import type { ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { ProblemError } from '../problem.ts';
import { currentOf, headNumber, type LiveGeneration, liveGenerations, named } from '../protection/generations.ts';
import { appendToFeed } from './gallery-feed.ts';

const FLOAT_BYTES = 4;
/** How far from 1 the length may be: float32 rounding over 4,096 dimensions stays below a tenth of this. */
const LENGTH_TOLERANCE = 1e-3;

/** The template's bytes. Throws invalid-request when they are not a unit vector. */
export function templateBytes(template: ProtectedTemplate): Uint8Array {
  const refuse = (field: string, detail: string) =>
    new ProblemError('invalid-request', `template.${field}: ${detail}`, { field: `template.${field}` });
  const bytes = Buffer.from(template.values, 'base64url');
  if (bytes.length !== template.dimensions * FLOAT_BYTES) {
    throw refuse('values', `${bytes.length} bytes are not ${template.dimensions} float32`);
  }
  let squares = 0;
  for (let offset = 0; offset < bytes.length; offset += FLOAT_BYTES) squares += bytes.readFloatLE(offset) ** 2;
  // Written so that NaN, which compares false with everything, is refused.
  if (!(Math.abs(Math.sqrt(squares) - 1) <= LENGTH_TOLERANCE))
    throw refuse('values', 'the vector is not of unit length');
  return new Uint8Array(bytes);
}

/** Beside those the person has under other embedders; terminals hear of it with the commit. */
export async function storeTemplate(
  context: BankContext,
  tx: DbTransaction,
  personId: string,
  template: Pick<ProtectedTemplate, 'dimensions' | 'modelSha256' | 'protectionVersion'>,
  bytes: Uint8Array,
): Promise<void> {
  const cursor = await appendToFeed(context, tx, 'put', { personId, modelSha256: template.modelSha256 });
  await tx
    .insertInto('templates')
    .values({
      person_id: personId,
      sealed: context.vault.seal('template', personId, bytes),
      dimensions: template.dimensions,
      model_sha256: template.modelSha256,
      protection_version: template.protectionVersion,
      cursor,
    })
    .execute();
}

type Given = readonly { readonly template: ProtectedTemplate; readonly bytes: Uint8Array }[];

/** As they are to be stored; or why not, which a repeat of a request that was answered must not hear. */
export type Converted = { readonly generation: LiveGeneration; readonly templates: Given } | ProblemError;

/** Another matrix became current between the conversion and the db transaction. */
class ChangeBegan extends Error {}
/** A change begins minutes after the one before it at the earliest. */
const ATTEMPTS = 3;

/** Does what stores templates, with them under the current matrix. A change that begins just now has it done once more. */
export async function underCurrentMatrix<Answer>(
  context: BankContext,
  given: Given,
  store: (converted: Converted) => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const converted = await convertAll(context, given);
    try {
      return await store(converted);
    } catch (error) {
      if (!(error instanceof ChangeBegan) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function convertAll({ database, vault, matrices }: BankContext, given: Given): Promise<Converted> {
  const live = await liveGenerations(vault, database.db);
  const generation = currentOf(live);
  try {
    const templates: Given[number][] = [];
    for (const { template, bytes } of given) {
      const from = named(live, template.protectionVersion, 'template.protectionVersion');
      const convert = await matrices.converter(from, generation, template.dimensions);
      templates.push({ template: { ...template, protectionVersion: generation.version }, bytes: convert(bytes) });
    }
    return { generation, templates };
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
}

/** The templates, under the matrix that stays current until the db transaction ends. */
export async function holdMatrix(tx: DbTransaction, converted: Converted): Promise<Given> {
  if (converted instanceof ProblemError) throw converted;
  if ((await headNumber(tx, 'share')) !== converted.generation.number) throw new ChangeBegan();
  return converted.templates;
}

/** The embedders that the person has a template under, oldest template first. */
export async function modelsOf(tx: DbTransaction, personId: string): Promise<readonly string[]> {
  const rows = await tx
    .selectFrom('templates')
    .select('model_sha256')
    .where('person_id', '=', personId)
    .orderBy('cursor')
    .execute();
  return rows.map(({ model_sha256 }) => model_sha256);
}
