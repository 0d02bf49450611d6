/** A new person: consent, face, PIN and account in one db transaction, or none of them. */
import { EnrolAnswer, type EnrolRequest } from '../../src-contract/bank-api.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import { once } from '../accounts/idempotency.ts';
import { openCustomerAccount } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { hashPin, isWeakPin, type OpenPin, samePin } from '../pin.ts';
import { ProblemError } from '../problem.ts';
import { faceInBooks } from '../protection/generations.ts';
import { challengeMissing } from '../results/evidence.ts';
import { recordBatch } from '../results/record.ts';
import { verifyResult } from '../results/verify.ts';
import { openPinBlock } from './pad-keys.ts';
import { proveFace, spendPinNonce } from './pin-check.ts';
import { type Converted, holdMatrix, storeTemplate, templateBytes, underCurrentMatrix } from './template.ts';

export async function enrol(context: BankContext, terminal: Terminal, request: EnrolRequest): Promise<EnrolAnswer> {
  // The older embedder's first: the newer of a person's templates has the larger cursor.
  const templates = [request.templateBefore, request.template].filter((one) => one !== undefined);
  const given = templates.map((template) => ({ template, bytes: templateBytes(template) }));
  if (request.templateBefore?.modelSha256 === request.template.modelSha256) {
    throw new ProblemError('invalid-request', 'templateBefore: is of the same embedder as template', {
      field: 'templateBefore',
    });
  }
  return await underCurrentMatrix(context, given, (converted) => enrolWith(context, terminal, request, converted));
}

async function enrolWith(
  context: BankContext,
  terminal: Terminal,
  request: EnrolRequest,
  converted: Converted,
): Promise<EnrolAnswer> {
  const answer = await once<EnrolAnswer>(context, terminal, 'enrol', request, async (tx) => {
    const templates = await holdMatrix(tx, converted);
    const { presentedFace } = await recordEnrolResult(context, tx, terminal, request);
    const [first, second] = await readPins(context, tx, terminal, request);
    const refused = await refusal(context, tx, request, first, second);
    if (refused) return { outcome: 'refused', reason: refused };
    await insertPerson(context, tx, terminal, { request, pin: first });
    for (const { template, bytes } of templates) await storeTemplate(context, tx, request.personId, template, bytes);
    const face = await faceInBooks(context, tx, request.personId, presentedFace ?? '');
    const by = { terminalId: terminal.terminalId, face };
    await proveFace(tx, { personId: request.personId, by, at: context.clock.now() });
    const account = await openCustomerAccount(context, tx, request.personId);
    return {
      outcome: 'enrolled',
      personId: request.personId,
      accountId: account.accountId,
      accountEnding: account.number.slice(-4),
      accountNumber: account.number,
    };
  });
  // A first answer from before the number was told lacks it.
  return EnrolAnswer.parse(answer);
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
