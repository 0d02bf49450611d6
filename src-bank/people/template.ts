/** Templates at the bank: checked for shape (they arrive protected, the bank cannot see a face in them), sealed at rest. */
import type { ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { ProblemError } from '../problem.ts';
import type { Vault } from '../vault.ts';

const FLOAT_BYTES = 4;
/** How far from 1 the length may be: float32 rounding over 4,096 dimensions stays below a tenth of this. */
const LENGTH_TOLERANCE = 1e-3;

/** The template's bytes. Throws invalid-request when they are not a unit vector of the platform's current protection. */
export function templateBytes(template: ProtectedTemplate, protectionVersion: string): Uint8Array {
  const refuse = (field: string, detail: string) =>
    new ProblemError('invalid-request', `template.${field}: ${detail}`, { field: `template.${field}` });
  if (template.protectionVersion !== protectionVersion) {
    throw refuse('protectionVersion', `the platform's protection is ${protectionVersion}`);
  }
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
  template: ProtectedTemplate,
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

export function openTemplate(
  vault: Vault,
  row: { person_id: string; sealed: Uint8Array; dimensions: number; model_sha256: string; protection_version: string },
): ProtectedTemplate {
  return {
    values: Buffer.from(vault.open('template', row.person_id, row.sealed)).toString('base64url'),
    dimensions: row.dimensions,
    modelSha256: row.model_sha256,
    protectionVersion: row.protection_version,
  };
}
