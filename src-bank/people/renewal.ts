/**
 * People moved from one embedder to the next (src-contract/renewal.ts). What a terminal sends is taken when the match it names is under a
 * template that the person has, and the transaction that relied on it came with the right PIN. It is stored beside the old template,
 * which stays until the new one has shown itself (retirement.ts).
 */
import type { RenewalAnswer, RenewalRequest } from '../../src-contract/renewal.ts';
import { once } from '../accounts/idempotency.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { convertPerson } from '../protection/convert.ts';
import { findResult, objection, type Recorded } from '../results/evidence.ts';
import { type Converted, holdMatrix, modelsOf, storeTemplate, templateBytes, underCurrentMatrix } from './template.ts';

export async function renew(context: BankContext, terminal: Terminal, request: RenewalRequest): Promise<RenewalAnswer> {
  const given = [{ template: request.template, bytes: templateBytes(request.template) }];
  return await underCurrentMatrix(context, given, (converted) => renewWith(context, terminal, request, converted));
}

async function renewWith(
  context: BankContext,
  terminal: Terminal,
  request: RenewalRequest,
  converted: Converted,
): Promise<RenewalAnswer> {
  const { template, ...told } = request;
  // The terminal's matrix may change between two tries: what makes the request the same is what it says, not the vector's numbers.
  const claim = { ...told, modelSha256: template.modelSha256 };
  return await once<RenewalAnswer>(context, terminal, 'renew', claim, async (tx) => {
    const templates = await holdMatrix(tx, converted);
    const recorded = await findResult(tx, request.resultId);
    const person = await tx
      .selectFrom('people')
      .select('person_id')
      .where('person_id', '=', request.personId)
      .where('status', '=', 'enrolled')
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!person) return { outcome: 'refused', reason: 'unknown-person' };
    const refused = await refusal(context, tx, terminal, { request, recorded });
    if (refused) return { outcome: 'refused', reason: refused };
    const had = await modelsOf(tx, request.personId);
    if (had.includes(template.modelSha256)) return { outcome: 'had-one' };
    // All of a person's templates are under one matrix, and their face in the books with them.
    await convertPerson(context, tx, request.personId);
    for (const { template: stored, bytes } of templates) {
      await storeTemplate(context, tx, request.personId, stored, bytes);
    }
    return { outcome: 'renewed' };
  });
}

type Refusal = Extract<RenewalAnswer, { outcome: 'refused' }>['reason'];

async function refusal(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { request, recorded }: { request: RenewalRequest; recorded: Recorded },
): Promise<Refusal | null> {
  const { result, usedBy } = recorded;
  const { personId, transactionId } = request;
  const claim = { service: result.service, personId, transactionId, amount: result.amount };
  if (objection(recorded, claim, terminal, context.policy)) return 'result-not-accepted';
  const { model } = result.comparison;
  if (model === null || model === request.template.modelSha256) return 'result-not-accepted';
  if (!(await modelsOf(tx, personId)).includes(model)) return 'result-not-accepted';
  const { pin_right } = await tx
    .selectFrom('match_results')
    .select('pin_right')
    .where('result_id', '=', request.resultId)
    .executeTakeFirstOrThrow();
  return pin_right && usedBy === transactionId ? null : 'pin-not-proven';
}
