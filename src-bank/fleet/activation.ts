/** How a terminal becomes known: a technician types a one-time code, the terminal proves that it holds its signing key. */
import { compactVerify, importJWK } from 'jose';
import type { ActivateAnswer, ActivateRequest } from '../../src-contract/bank-api.ts';
import type { Profile } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import { isUniqueViolation } from '../database/failures.ts';
import { ProblemError } from '../problem.ts';
import { sealSeed } from '../protection/change.ts';
import { currentOf, headNumber, type LiveGeneration, liveGenerations } from '../protection/generations.ts';
import { oneTimeCode } from './one-time-code.ts';
import { issuePolicy } from './policy-issue.ts';

/** Makes a code, like ABCD-EFGH-2345. Only its keyed hash is stored: this is the only time it can be read. */
export async function makeActivationCode(
  context: BankContext,
  options: { profile: Profile | null; expiresInS: number },
): Promise<{ code: string; expiresAt: number }> {
  const { database, clock, chance, vault } = context;
  const code = oneTimeCode(chance);
  const now = clock.now();
  const expiresAt = now + options.expiresInS * 1000;
  await database.db
    .insertInto('activation_codes')
    .values({
      code_hash: vault.mac('activation-code', code),
      profile: options.profile,
      created_at: now,
      expires_at: expiresAt,
      used_at: null,
      terminal_id: null,
    })
    .execute();
  return { code, expiresAt };
}

export async function activate(context: BankContext, request: ActivateRequest): Promise<ActivateAnswer> {
  const { database, clock, chance, platform, vault } = context;
  await verifyProof(request);
  const terminalId = chance.id();
  const now = clock.now();
  let protection: LiveGeneration;
  let protectionSeed: string;
  try {
    ({ protection, protectionSeed } = await database.transact(async (tx) => {
      const codeHash = context.vault.mac('activation-code', request.activationCode);
      const code = await tx
        .selectFrom('activation_codes')
        .selectAll()
        .where('code_hash', '=', codeHash)
        .forUpdate()
        .executeTakeFirst();
      if (!code) throw refuseCode('activation-code-unknown', 'no such activation code was ever made');
      if (code.used_at !== null) throw refuseCode('activation-code-used', 'the activation code was used before');
      if (code.expires_at <= now) throw refuseCode('activation-code-expired', 'the activation code has expired');
      if (code.profile !== null && code.profile !== request.profile) {
        throw new ProblemError('conflict', `the activation code is for a terminal of profile ${code.profile}`, {
          field: 'profile',
        });
      }
      // No other one becomes current before this terminal is known to have it.
      await headNumber(tx, 'share');
      const current = currentOf(await liveGenerations(vault, tx));
      const sealed = await sealSeed(current.seed, request.encryptionKey);
      await tx
        .insertInto('terminals')
        .values({
          terminal_id: terminalId,
          name: request.name,
          profile: request.profile,
          signing_key: request.signingKey.x,
          encryption_key: JSON.stringify(request.encryptionKey),
          activated_at: now,
          head_hash: null,
          protection: current.number,
          revoked_at: null,
          embedders: null,
        })
        .execute();
      await tx
        .updateTable('activation_codes')
        .set({ used_at: now, terminal_id: terminalId })
        .where('code_hash', '=', codeHash)
        .execute();
      return { protection: current, protectionSeed: sealed };
    }));
  } catch (error) {
    if (isUniqueViolation(error, 'terminals_signing_key_key')) {
      throw new ProblemError('conflict', 'a terminal with this signing key is registered already', {
        field: 'signingKey',
      });
    }
    throw error;
  }
  return {
    terminalId,
    policy: await issuePolicy(context, terminalId, null),
    policyKey: platform.policyKey.publicKey,
    pinKey: platform.pinPublicKey,
    protectionSeed,
    protectionVersion: protection.version,
    protectionGeneration: protection.number,
  };
}

function refuseCode(
  code: 'activation-code-unknown' | 'activation-code-used' | 'activation-code-expired',
  detail: string,
): ProblemError {
  return new ProblemError(code, detail, { field: 'activationCode' });
}

async function verifyProof(request: ActivateRequest): Promise<void> {
  const refuse = (detail: string) => new ProblemError('invalid-request', `proof: ${detail}`, { field: 'proof' });
  let payload: Uint8Array;
  try {
    const key = await importJWK(request.signingKey, 'EdDSA');
    ({ payload } = await compactVerify(request.proof, key, { algorithms: ['EdDSA'] }));
  } catch {
    throw refuse('is not signed by signingKey');
  }
  if (new TextDecoder().decode(payload) !== request.activationCode) throw refuse('does not sign this activation code');
}
