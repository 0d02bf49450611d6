/**
 * Policies, issued: signed for one terminal at one moment, and kept, so that years later it can be said what a terminal was
 * allowed when it decided.
 */
import { CompactSign } from 'jose';
import { sql } from 'kysely';
import { POLICY_TYP, Policy, PolicyTerms } from '../../src-contract/policy.ts';
import type { Clock } from '../clock.ts';
import type { BankContext } from '../context.ts';
import type { Database, DbTransaction } from '../database/database.ts';
import { sha256OfValue } from '../digest.ts';
import { StartError } from '../problem.ts';

/** A terminal asks every few seconds, and its last issue is written down this often, ms. */
const NOTE_MS = 60_000;

/** Keeps the terms under their version for ever. Throws a StartError when the version is another set of terms' already. */
export async function keepTerms(database: Database, terms: PolicyTerms, clock: Clock): Promise<void> {
  await database.db
    .insertInto('policy_versions')
    .values({ version: terms.version, terms: JSON.stringify(terms), first_used_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { terms: kept } = await database.db
    .selectFrom('policy_versions')
    .select('terms')
    .where('version', '=', terms.version)
    .executeTakeFirstOrThrow();
  if (sha256OfValue(JSON.parse(kept)) === sha256OfValue(terms)) return;
  throw new StartError(
    `the policy version ${terms.version} was issued with other terms before: give it another version`,
  );
}

/** A compact JWS for this terminal, good from now on. `nonce` is the terminal's, null where it sent none. */
export async function issuePolicy(context: BankContext, terminalId: string, nonce: string | null): Promise<string> {
  const { clock, platform, policy: terms, policyValidForMs } = context;
  const issuedAt = clock.now();
  const policy = Policy.parse({ ...terms, issuedAt, expiresAt: issuedAt + policyValidForMs, nonce });
  await noteIssue(context, terminalId, policy);
  const { privateKey, publicKey } = platform.policyKey;
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(policy)))
    .setProtectedHeader({ alg: 'EdDSA', typ: POLICY_TYP, kid: publicKey.kid })
    .sign(privateKey);
}

async function noteIssue({ database }: BankContext, terminalId: string, policy: Policy): Promise<void> {
  const { version, issuedAt, expiresAt } = policy;
  await database.db
    .insertInto('policy_issues')
    .values({
      terminal_id: terminalId,
      version,
      first_issued_at: issuedAt,
      last_issued_at: issuedAt,
      expires_at: expiresAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['terminal_id', 'version'])
        .doUpdateSet({
          last_issued_at: sql<number>`excluded.last_issued_at`,
          expires_at: sql<number>`greatest(policy_issues.expires_at, excluded.expires_at)`,
        })
        .where('policy_issues.last_issued_at', '<', issuedAt - NOTE_MS),
    )
    .execute();
}

export interface PolicyInForce {
  readonly terms: PolicyTerms;
  /** Until when this terminal may have gone on with it, UTC ms. */
  readonly expiresAt: number;
}

/** The policy of that version as this terminal had it; null when it was never issued to it, or can no longer be read. */
export async function policyInForce(
  tx: DbTransaction,
  terminalId: string,
  version: string,
): Promise<PolicyInForce | null> {
  const row = await tx
    .selectFrom('policy_issues')
    .innerJoin('policy_versions', 'policy_versions.version', 'policy_issues.version')
    .select(['policy_versions.terms', 'policy_issues.expires_at'])
    .where('policy_issues.terminal_id', '=', terminalId)
    .where('policy_issues.version', '=', version)
    .executeTakeFirst();
  if (!row) return null;
  const terms = PolicyTerms.safeParse(JSON.parse(row.terms));
  // The end of an issue that was not written down is at most so much later.
  return terms.success ? { terms: terms.data, expiresAt: row.expires_at + NOTE_MS } : null;
}
