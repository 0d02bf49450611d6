/** A new person: consent, face, PIN and account in one db transaction, or none of them. */
import type { EnrolAnswer, EnrolRequest } from '../../src-contract/bank-api.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import { once } from '../accounts/idempotency.ts';
import { openCustomerAccount } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { hashPin, isWeakPin, type OpenPin, samePin } from '../pin.ts';
import { ProblemError } from '../problem.ts';
import {
  currentOf,
  faceInBooks,
  headNumber,
  type LiveGeneration,
  liveGenerations,
  named,
} from '../protection/generations.ts';
import { challengeMissing } from '../results/evidence.ts';
import { recordBatch } from '../results/record.ts';
import { verifyResult } from '../results/verify.ts';
import { appendToFeed } from './gallery-feed.ts';
import { openPinBlock } from './pad-keys.ts';
import { proveFace, spendPinNonce } from './pin-check.ts';
import { storeTemplate, templateBytes } from './template.ts';

export async function enrol(context: BankContext, terminal: Terminal, request: EnrolRequest): Promise<EnrolAnswer> {
  const bytes = templateBytes(request.template);
  // A change that begins just now has the template converted once more.
  for (let attempt = 1; ; attempt++) {
    const template = await underCurrentMatrix(context, request.template, bytes);
    try {
      return await enrolWith(context, terminal, request, template);
    } catch (error) {
      if (!(error instanceof ChangeBegan) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Another matrix became current between the conversion and the db transaction. */
class ChangeBegan extends Error {}
/** A change begins minutes after the one before it at the earliest. */
const ATTEMPTS = 3;

interface CurrentTemplate {
  readonly generation: LiveGeneration;
  readonly bytes: Uint8Array;
}

/** As it is to be stored; or why not, which a repeat of an enrolment that was answered must not hear. */
async function underCurrentMatrix(
  { database, vault, matrices }: BankContext,
  { protectionVersion, dimensions }: EnrolRequest['template'],
  bytes: Uint8Array,
): Promise<CurrentTemplate | ProblemError> {
  const live = await liveGenerations(vault, database.db);
  const generation = currentOf(live);
  try {
    const from = named(live, protectionVersion, 'template.protectionVersion');
    const convert = await matrices.converter(from, generation, dimensions);
    return { generation, bytes: convert(bytes) };
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
}

async function enrolWith(
  context: BankContext,
  terminal: Terminal,
  request: EnrolRequest,
  template: CurrentTemplate | ProblemError,
): Promise<EnrolAnswer> {
  return await once(context, terminal, 'enrol', request, async (tx) => {
    if (template instanceof ProblemError) throw template;
    const { generation, bytes } = template;
    if ((await headNumber(tx, 'share')) !== generation.number) throw new ChangeBegan();
    const { presentedFace } = await recordEnrolResult(context, tx, terminal, request);
    const [first, second] = await readPins(context, tx, terminal, request);
    const refused = await refusal(context, tx, request, first, second);
    if (refused) return { outcome: 'refused', reason: refused };
    await insertPerson(context, tx, terminal, { request, pin: first });
    const stored = { ...request.template, protectionVersion: generation.version };
    await storeTemplate(context, tx, request.personId, stored, bytes);
    const face = await faceInBooks(context, tx, request.personId, presentedFace ?? '');
    const by = { terminalId: terminal.terminalId, face };
    await proveFace(tx, { personId: request.personId, by, at: context.clock.now() });
    await appendToFeed(context, tx, 'put', request.personId);
    const account = await openCustomerAccount(context, tx, request.personId);
    return {
      outcome: 'enrolled',
      personId: request.personId,
      accountId: account.accountId,
      accountEnding: account.number.slice(-4),
    };
  });
}

/** The enrolment's result is a link of the terminal's chain whatever becomes of the enrolment. */
async function recordEnrolResult(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  request: EnrolRequest,
): Promise<MatchResult> {
  await recordBatch(context, tx, terminal, [request.result]);
  const result = await verifyResult(request.result, terminal);
  if (result.outcome !== 'enrolled' || result.service !== 'enrol' || result.personId !== request.personId) {
    throw new ProblemError('conflict', 'the match result is not of the enrolment of this person', { field: 'result' });
  }
  const against = challengeMissing(result, context.policy);
  if (against) throw new ProblemError('conflict', `the match result does not do: ${against}`, { field: 'result' });
  return result;
}

async function readPins(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  request: EnrolRequest,
): Promise<[OpenPin, OpenPin]> {
  const read = async (index: 0 | 1): Promise<OpenPin> => {
    const field = `pinBlocks.${index}`;
    const pin = await openPinBlock(context, tx, terminal, {
      block: request.pinBlocks[index],
      boundTo: request.personId,
      field,
    });
    await spendPinNonce(context, tx, pin, field);
    return pin;
  };
  return [await read(0), await read(1)];
}

type EnrolRefusal = Extract<EnrolAnswer, { outcome: 'refused' }>['reason'];

async function refusal(
  { policy }: BankContext,
  tx: DbTransaction,
  request: EnrolRequest,
  first: OpenPin,
  second: OpenPin,
): Promise<EnrolRefusal | null> {
  if (request.consent.version !== policy.consent.version) return 'consent-outdated';
  const known = await tx
    .selectFrom('people')
    .select('person_id')
    .where('person_id', '=', request.personId)
    .executeTakeFirst();
  if (known) return 'already-enrolled';
  if (!samePin(first.digits, second.digits)) return 'pin-mismatch';
  const { digitsMin, digitsMax } = policy.pin;
  if (first.digits.length > digitsMax) {
    throw new ProblemError('invalid-request', `pinBlocks: a PIN has at most ${digitsMax} digits`, {
      field: 'pinBlocks',
    });
  }
  return first.digits.length < digitsMin || isWeakPin(first.digits) ? 'pin-too-simple' : null;
}

async function insertPerson(
  { clock, chance, vault, pinCost }: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { request, pin }: { request: EnrolRequest; pin: OpenPin },
): Promise<void> {
  const now = clock.now();
  if (request.lookAlikeOf !== null) {
    const other = await tx
      .selectFrom('people')
      .select('person_id')
      .where('person_id', '=', request.lookAlikeOf)
      .executeTakeFirst();
    if (!other) {
      throw new ProblemError('invalid-request', 'lookAlikeOf: names nobody who was ever enrolled', {
        field: 'lookAlikeOf',
      });
    }
  }
  await tx
    .insertInto('people')
    .values({
      person_id: request.personId,
      status: 'enrolled',
      enrolled_at: now,
      enrolled_by: terminal.terminalId,
      look_alike_of: request.lookAlikeOf,
      pin_hash: await hashPin(pin.digits, vault, chance, pinCost),
      pin_forgiven_at: null,
    })
    .execute();
  await tx
    .insertInto('consents')
    .values({
      consent_id: chance.id(),
      person_id: request.personId,
      version: request.consent.version,
      language: request.consent.language,
      agreed_at: request.consent.agreedAt,
      recorded_at: now,
      withdrawn_at: null,
    })
    .execute();
}
