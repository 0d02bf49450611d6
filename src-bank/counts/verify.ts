/** Whether a count is what it claims to be. Pure but for the signature's mathematics. */
import { COUNT_TYP, Count, type CountRequest } from '../../src-contract/count.ts';
import { CURRENCY } from '../accounts/ledger.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { verifySigned } from '../fleet/terminal-signature.ts';
import { ProblemError } from '../problem.ts';

/** The count inside. Throws invalid-request that names the field, with the JWS as evidence. */
export async function verifyCount(request: CountRequest, terminal: Terminal): Promise<Count> {
  const refuse = (field: string, why: string) =>
    new ProblemError('invalid-request', `${field}: ${why}`, { field, incident: { evidence: request.count } });
  let verified: Awaited<ReturnType<typeof verifySigned>>;
  try {
    verified = await verifySigned(request.count, terminal);
  } catch {
    throw refuse('count', "its signature does not verify with the terminal's key");
  }
  const { typ, kid } = verified.protectedHeader;
  if (typ !== COUNT_TYP) throw refuse('count', `its typ is not ${COUNT_TYP}`);
  if (kid !== terminal.terminalId) throw refuse('count', "its kid is not the terminal's id");
  const parsed = Count.safeParse(jsonOf(verified.payload));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(`count.${issue?.path.join('.') ?? ''}`, issue?.message ?? 'does not fit');
  }
  const count = parsed.data;
  if (count.terminalId !== terminal.terminalId) throw refuse('count.terminalId', "is another terminal's");
  if (count.transactionId !== request.transactionId) throw refuse('transactionId', 'is not the one that was counted');
  if (count.counted.currency !== CURRENCY) throw refuse('count.counted.currency', `must be ${CURRENCY}`);
  if (request.amount.amountMinor !== count.counted.amountMinor) throw refuse('amount', 'is not what was counted');
  const sum = count.notes?.reduce((total, note) => total + note.denominationMinor * note.count, 0);
  if (sum !== undefined && sum !== count.counted.amountMinor) throw refuse('count.notes', 'do not add up to counted');
  return count;
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return null;
  }
}
