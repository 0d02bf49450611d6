/** What was refused as a sign of tampering or of a broken terminal, kept for people to look at. */
import { type Kysely, sql } from 'kysely';
import type { ProblemCode } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import type { Tables } from '../database/tables.ts';
import { sha256Base64Url } from '../digest.ts';

export type IncidentCode =
  | ProblemCode
  | 'pin-block-replayed'
  | 'stand-in-without-evidence'
  /** More than the policy in force let a terminal decide alone: per transaction, person or terminal, by amount or count. */
  | 'stand-in-over-limit'
  /** More often than it let. */
  | 'stand-in-too-often'
  /** On evidence that stands in for nothing. */
  | 'stand-in-weak-evidence'
  /** Without the bank for longer than it let. */
  | 'stand-in-too-late'
  | 'stand-in-policy-expired'
  /** Decided by a policy that was never issued to this terminal. */
  | 'stand-in-policy-unknown'
  /** The limits were renewed before the bank had heard of everything. */
  | 'stand-in-period-renewed'
  | 'deposit-over-limit'
  /** More questions after payees than anybody who pays has. */
  | 'payee-limit'
  /** More account numbers were keyed in than anybody has: by one face at a terminal, or at one terminal. */
  | 'claim-limit'
  /** A face was charged after its person had withdrawn consent; the bank bears it. */
  | 'charge-after-withdrawal'
  /** A technician's count came without a code of the bank's staff that is good for it. */
  | 'count-without-code'
  /** A technician counted something else than what the books were settled by, or than the evidence supports. */
  | 'count-contradicted'
  /** A dispenser's nonce came twice. */
  | 'dispense-nonce-reused'
  /** A withdrawal with a grant was reported without a valid proof of the dispenser. */
  | 'dispense-unproven'
  /** The dispenser proves something else than the terminal says. */
  | 'dispense-contradicted'
  /** Only some of a token was used, and the dispenser does not say how often. */
  | 'dispense-partial'
  /** Notes came back that the dispenser did not count. */
  | 'dispense-uncounted'
  /** A grant whose proof was overwritten by a later one, or cannot be told from a forgery in time. */
  | 'dispense-evidence-lost'
  /** A close of a terminal's day does not agree with the books, or its cash with its transactions. */
  | 'day-close-differs'
  /** A close was left out. */
  | 'day-close-gap'
  /** The dispenser's last token is none of this bank's. */
  | 'dispense-foreign-token';

export interface Incident {
  readonly code: IncidentCode;
  readonly terminalId: string | null;
  readonly detail: string;
  /** What was presented, or its name. Never a PIN block or a template. */
  readonly evidence: string;
}

/**
 * The same evidence again counts up: a terminal that repeats a bad batch for a week leaves one row.
 * @param db the db transaction of what was done nevertheless; by default one of its own, for what was rolled back.
 */
export async function recordIncident(
  { database, clock, chance }: BankContext,
  incident: Incident,
  db: Kysely<Tables> = database.db,
): Promise<void> {
  const now = clock.now();
  await db
    .insertInto('incidents')
    .values({
      incident_id: chance.id(),
      terminal_id: incident.terminalId,
      code: incident.code,
      detail: incident.detail,
      evidence: incident.evidence,
      evidence_hash: sha256Base64Url(incident.evidence),
      first_at: now,
      last_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['terminal_id', 'code', 'evidence_hash']).doUpdateSet({
        occurrences: sql<number>`incidents.occurrences + 1`,
        last_at: now,
      }),
    )
    .execute();
}
