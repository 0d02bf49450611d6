/** Templates at the bank: checked for shape (they arrive protected, the bank cannot see a face in them), sealed at rest. */
import type { ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { ProblemError } from '../problem.ts';

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

export async function storeTemplate(
  { vault }: BankContext,
  tx: DbTransaction,
  personId: string,
  template: Pick<ProtectedTemplate, 'dimensions' | 'modelSha256' | 'protectionVersion'>,
  bytes: Uint8Array,
): Promise<void> {
  await tx
    .insertInto('templates')
    .values({
      person_id: personId,
      sealed: vault.seal('template', personId, bytes),
      dimensions: template.dimensions,
      model_sha256: template.modelSha256,
      protection_version: template.protectionVersion,
    })
    .execute();
}
