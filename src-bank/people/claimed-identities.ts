/**
 * Whom does the person at a terminal say to be? The one template of the account number they keyed in, for a terminal that does not hold it.
 * Whoever could ask this freely would learn which numbers there are and gather faces to them. So a question needs a look at somebody
 * living that led to nobody, signed by the terminal; each is written down; and there are so many for one look, for one presented face
 * and for one terminal. Of the person who is claimed none are counted: strangers must not be able to use them up.
 */
import {
  type ClaimedIdentityAnswer,
  type ClaimedIdentityRequest,
  NUMBERS_PER_LOOK,
} from '../../src-contract/claimed-identity.ts';
import type { RefusalReason } from '../../src-contract/match-result.ts';
import { CURRENCY } from '../accounts/ledger.ts';
import { isStale } from '../accounts/transfer-rules.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { liveGenerations, named } from '../protection/generations.ts';
import { findResult, type Recorded } from '../results/evidence.ts';
import { recordIncident } from '../results/incidents.ts';
import { presentedIn } from './pin-check.ts';

/** Different numbers one presented face may key in at one terminal within `attempts.windowMs`: their own, however often, and some that were
 *  mistyped. */
const NUMBERS_PER_FACE_MAX = 10;
/** Questions at one terminal within {@link WINDOW_MS}: somebody new every half minute. */
const PER_TERMINAL_MAX = 120;
const WINDOW_MS = 60 * 60 * 1000;

/** Looks after which somebody may say who they are. */
const ASKED_AFTER: ReadonlySet<RefusalReason> = new Set(['nobody', 'look-alikes']);

type Refused = Extract<ClaimedIdentityAnswer, { outcome: 'refused' }>;
type Reason = Refused['reason'];

export async function answerClaim(
  context: BankContext,
  terminal: Terminal,
  request: ClaimedIdentityRequest,
): Promise<ClaimedIdentityAnswer> {
  const asked = await context.database.transact(async (tx): Promise<Reason | { personId: string | null }> => {
    const recorded = await findResult(tx, request.resultId);
    if (unsupported(recorded, terminal, context)) return 'result-not-accepted';
    const before = await sameQuestion(tx, terminal, request);
    if (before) return before;
    const { face } = presentedIn(terminal, recorded);
    const limit = await limitReached(context, tx, terminal, { request, face });
    if (limit) return limit;
    const personId = await personWith(tx, request);
    await tx
      .insertInto('claimed_identities')
      .values({
        terminal_id: terminal.terminalId,
        question_id: request.questionId,
        result_id: request.resultId,
        face,
        account_number: request.accountNumber,
        person_id: personId,
        at: context.clock.now(),
      })
      .execute();
    return { personId };
  });
  if (typeof asked === 'string') return { outcome: 'refused', reason: asked };
  const template = asked.personId === null ? null : await templateOf(context, request, asked.personId);
  return template ?? { outcome: 'not-known' };
}

/** Whether the look does not support the question, by what the policy says now. */
function unsupported(recorded: Recorded, terminal: Terminal, { policy, clock }: BankContext): boolean {
  const { result } = recorded;
  return (
    result.terminalId !== terminal.terminalId ||
    result.reason === null ||
    !ASKED_AFTER.has(result.reason) ||
    result.liveness.decision !== 'live' ||
    policy.services[result.service].claimed === null ||
    isStale(recorded, clock.now())
  );
}

/** Asked before under this id. Throws where that was another question. */
async function sameQuestion(
  tx: DbTransaction,
  { terminalId }: Terminal,
  { questionId, resultId, accountNumber }: ClaimedIdentityRequest,
): Promise<{ personId: string | null } | null> {
  const before = await tx
    .selectFrom('claimed_identities')
    .select(['result_id', 'account_number', 'person_id'])
    .where('terminal_id', '=', terminalId)
    .where('question_id', '=', questionId)
    .executeTakeFirst();
  if (!before) return null;
  if (before.result_id !== resultId || before.account_number !== accountNumber) {
    throw new ProblemError('idempotency-key-reused', 'questionId: another question was asked under it', {
      field: 'questionId',
    });
  }
  return { personId: before.person_id };
}

/** Exact for a look, which is locked; of one terminal a question or two more may pass at the same moment. */
async function limitReached(
  context: BankContext,
  tx: DbTransaction,
  { terminalId }: Terminal,
  { request, face }: { request: ClaimedIdentityRequest; face: string },
): Promise<Reason | null> {
  const now = context.clock.now();
  const questions = () =>
    tx
      .selectFrom('claimed_identities')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('terminal_id', '=', terminalId);
  const ofLook = await questions().where('result_id', '=', request.resultId).executeTakeFirstOrThrow();
  if (ofLook.count >= NUMBERS_PER_LOOK) return 'face-limit';
  const tell = async (reason: Reason, who: string, evidence: string) => {
    const detail = `more account numbers were claimed ${who} than anybody has`;
    await recordIncident(context, { code: 'claim-limit', terminalId, detail, evidence }, tx);
    return reason;
  };
  const ofFace = await tx
    .selectFrom('claimed_identities')
    .select('account_number')
    .distinct()
    .where('terminal_id', '=', terminalId)
    .where('face', '=', face)
    .where('account_number', '!=', request.accountNumber)
    .where('at', '>', now - context.policy.attempts.windowMs)
    .limit(NUMBERS_PER_FACE_MAX)
    .execute();
  if (ofFace.length >= NUMBERS_PER_FACE_MAX) return await tell('face-limit', 'by one face', `face ${face}`);
  const ofTerminal = await questions()
    .where('at', '>', now - WINDOW_MS)
    .executeTakeFirstOrThrow();
  if (ofTerminal.count < PER_TERMINAL_MAX) return null;
  return await tell('terminal-limit', 'at one terminal', `terminal ${terminalId}`);
}

/** The enrolled person with this open account and a template the terminal can compare with. */
async function personWith(
  tx: DbTransaction,
  { accountNumber, modelSha256, modelBefore = modelSha256 }: ClaimedIdentityRequest,
): Promise<string | null> {
  const row = await tx
    .selectFrom('accounts')
    .innerJoin('people', 'people.person_id', 'accounts.owner_id')
    .innerJoin('templates', 'templates.person_id', 'people.person_id')
    .select('people.person_id')
    .where('accounts.kind', '=', 'customer')
    .where('accounts.number', '=', accountNumber)
    .where('accounts.currency', '=', CURRENCY)
    .where('accounts.status', '=', 'open')
    .where('people.status', '=', 'enrolled')
    .where('templates.model_sha256', 'in', [modelSha256, modelBefore])
    .executeTakeFirst();
  return row?.person_id ?? null;
}

/** As it is now: null once consent was withdrawn. Throws invalid-request where the bank has no such matrix. */
async function templateOf(
  { database, vault, matrices }: BankContext,
  { modelSha256, modelBefore = modelSha256, protectionVersion }: ClaimedIdentityRequest,
  personId: string,
): Promise<Extract<ClaimedIdentityAnswer, { outcome: 'known' }> | null> {
  const rows = await database.db
    .selectFrom('templates')
    .innerJoin('people', 'people.person_id', 'templates.person_id')
    .select(['templates.sealed', 'templates.dimensions', 'templates.protection_version', 'templates.model_sha256'])
    .where('templates.person_id', '=', personId)
    .where('templates.model_sha256', 'in', [modelSha256, modelBefore])
    .where('people.status', '=', 'enrolled')
    .execute();
  const row = rows.find(({ model_sha256 }) => model_sha256 === modelSha256) ?? rows[0];
  if (!row) return null;
  const live = await liveGenerations(vault, database.db);
  const wanted = named(live, protectionVersion, 'protectionVersion');
  const from = live.find(({ version }) => version === row.protection_version);
  if (!from) throw new ProblemError('unavailable', 'a change of the protecting matrix has just ended: ask again');
  const convert = await matrices.converter(from, wanted, row.dimensions);
  return {
    outcome: 'known',
    personId,
    template: {
      values: Buffer.from(convert(vault.open('template', personId, row.sealed))).toString('base64url'),
      dimensions: row.dimensions,
      modelSha256: row.model_sha256,
      protectionVersion: wanted.version,
    },
  };
}
