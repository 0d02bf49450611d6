/** Whether a policy is the bank's. */
import { compactVerify, importJWK } from 'jose';
import type { PolicyKey } from '../../src-contract/bank-api.ts';
import { POLICY_TYP, Policy } from '../../src-contract/policy.ts';

export type VerifiedPolicy =
  | { readonly verified: true; readonly policy: Policy }
  /** Why not, for the technician. */
  | { readonly verified: false; readonly why: string };

/** Never throws: what does not verify is an answer. */
export async function verifyPolicy(jws: string, key: PolicyKey): Promise<VerifiedPolicy> {
  const refused = (why: string): VerifiedPolicy => ({ verified: false, why });
  let verified: Awaited<ReturnType<typeof compactVerify>>;
  try {
    const { kty, crv, x } = key;
    verified = await compactVerify(jws, await importJWK({ kty, crv, x }, 'EdDSA'), { algorithms: ['EdDSA'] });
  } catch {
    return refused("its signature does not verify with the bank's policy key");
  }
  const { typ } = verified.protectedHeader;
  if (typ !== POLICY_TYP) return refused(`its typ is not ${POLICY_TYP}`);
  const parsed = Policy.safeParse(json(verified.payload));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refused(`it does not fit at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown'}`);
  }
  if (parsed.data.expiresAt <= parsed.data.issuedAt) return refused('it expires before it was issued');
  return { verified: true, policy: parsed.data };
}

/** Undefined, which fits no schema, when it is no JSON. */
function json(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
