/** What is known of terminals, their results, and the people they enrolled, for the bank's staff. */
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import type { z } from 'zod';
import { MatchResult } from '../../src-contract/match-result.ts';
import { Language, Profile } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import type { IncidentsAnswer, PeopleAnswer, ResultsListAnswer, TerminalsAnswer } from '../http/admin-api.ts';

interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

export async function listTerminals({ database }: BankContext, page: Page): Promise<z.input<typeof TerminalsAnswer>> {
  const count = (outcome: string) =>
    sql<number>`(count(*) filter (where match_results.outcome = ${sql.lit(outcome)}))::bigint`;
  const rows = await database.db
    .selectFrom('terminals')
    .leftJoin('match_results', 'match_results.terminal_id', 'terminals.terminal_id')
    .select(['terminals.terminal_id', 'name', 'profile', 'activated_at', 'head_sequence', 'revoked_at'])
    .select([count('accepted').as('accepted'), count('refused').as('refused'), count('enrolled').as('enrolled')])
    .$if(page.after !== undefined, (query) => query.where('terminals.terminal_id', '>', page.after ?? ''))
    .groupBy('terminals.terminal_id')
    .orderBy('terminals.terminal_id')
    .limit(page.limit)
    .execute();
  return {
    terminals: rows.map((row) => ({
      terminalId: row.terminal_id,
      name: row.name,
      profile: Profile.parse(row.profile),
      activatedAt: row.activated_at,
      headSequence: row.head_sequence,
      revokedAt: row.revoked_at,
      results: { accepted: row.accepted, refused: row.refused, enrolled: row.enrolled },
    })),
  };
}

export async function listResults(
  { database }: BankContext,
  { terminalId, limit, after }: { terminalId: string; limit: number; after: number },
): Promise<z.input<typeof ResultsListAnswer>> {
  const rows = await database.db
    .selectFrom('match_results')
    .select(['jws', 'recorded_at', 'used_by'])
    .where('terminal_id', '=', terminalId)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
    .execute();
  return {
    results: rows.map((row) => {
      const result = MatchResult.parse(decodeJwt(row.jws));
      const { sequence, resultId, at, service, outcome, reason, personId, transactionId, amount, liveness, challenge } =
        result;
      return {
        ...{ sequence, resultId, at, service, outcome, reason, personId, transactionId, amount, liveness, challenge },
        mode: result.mode,
        recordedAt: row.recorded_at,
        estimatedFmr: result.comparison.estimatedFmr,
        usedBy: row.used_by,
        jws: row.jws,
      };
    }),
  };
}

export async function listIncidents({ database }: BankContext, page: Page): Promise<z.input<typeof IncidentsAnswer>> {
  const rows = await database.db
    .selectFrom('incidents')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('incident_id', '>', page.after ?? ''))
    .orderBy('incident_id')
    .limit(page.limit)
    .execute();
  return {
    incidents: rows.map((row) => ({
      incidentId: row.incident_id,
      terminalId: row.terminal_id,
      code: row.code,
      detail: row.detail,
      evidence: row.evidence,
      firstAt: row.first_at,
      lastAt: row.last_at,
      occurrences: row.occurrences,
    })),
  };
}

export async function listPeople(
  { database, policy, clock }: BankContext,
  page: Page,
): Promise<z.input<typeof PeopleAnswer>> {
  const rows = await database.db
    .selectFrom('people')
    .select(['people.person_id', 'status', 'enrolled_at', 'enrolled_by', 'look_alike_of'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('templates').select('templates.person_id').whereRef('templates.person_id', '=', 'people.person_id'),
      ).as('has_template'),
    )
    .select([
      unprovenMisses(clock.now() - policy.attempts.windowMs).as('misses'),
      unprovenMisses(0).as('misses_ever'),
      sql<number>`(select count(*) from pin_pairs where pin_pairs.person_id = people.person_id
        and locked_until > ${clock.now()})::bigint`.as('locked_pairs'),
    ])
    .$if(page.after !== undefined, (query) => query.where('people.person_id', '>', page.after ?? ''))
    .orderBy('people.person_id')
    .limit(page.limit)
    .execute();
  if (rows.length === 0) return { people: [] };
  const consents = await database.db
    .selectFrom('consents')
    .selectAll()
    .where(
      'person_id',
      'in',
      rows.map((row) => row.person_id),
    )
    .orderBy('recorded_at')
    .execute();
  const byPerson = Map.groupBy(consents, (consent) => consent.person_id);
  return {
    people: rows.map((row) => ({
      personId: row.person_id,
      status: row.status,
      enrolledAt: row.enrolled_at,
      enrolledBy: row.enrolled_by,
      lookAlikeOf: row.look_alike_of,
      hasTemplate: Boolean(row.has_template),
      pin: {
        failures: row.misses,
        lockedPairs: row.locked_pairs,
        onlyProven: row.misses >= policy.attempts.perPersonInWindow || row.misses_ever >= policy.attempts.perPersonEver,
      },
      consents: (byPerson.get(row.person_id) ?? []).map((consent) => ({
        version: consent.version,
        language: Language.parse(consent.language),
        agreedAt: consent.agreed_at,
        recordedAt: consent.recorded_at,
        withdrawnAt: consent.withdrawn_at,
      })),
    })),
  };
}

/** Wrong PINs by pairs that were never proven, after this time and after staff last unlocked. */
function unprovenMisses(since: number) {
  return sql<number>`(select count(*) from pin_misses where pin_misses.person_id = people.person_id and not proven
    and at > greatest(${since}::bigint, coalesce(people.pin_forgiven_at, 0)))::bigint`;
}
