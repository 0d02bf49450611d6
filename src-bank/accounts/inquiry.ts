/** A terminal's question what became of a request whose answer it never read. */
import type { InquiryAnswer, InquiryRequest } from '../../src-contract/inquiry.ts';
import type { BankContext } from '../context.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { claimKey, firstUse, once } from './idempotency.ts';

/** Barring claims the key as the request itself would: of the two that arrive at once, one is first and the other finds it. */
export async function inquire(
  context: BankContext,
  terminal: Terminal,
  request: InquiryRequest,
): Promise<InquiryAnswer> {
  const { about, bar } = request;
  if (about === request.idempotencyKey) {
    throw new ProblemError('invalid-request', 'about: must be the key of another request', { field: 'about' });
  }
  return await once(context, terminal, 'inquiry', request, async (tx): Promise<InquiryAnswer> => {
    if (bar && (await claimKey(context, tx, terminal, { operation: 'barred', key: about, requestHash: '' }))) {
      return { outcome: 'barred' };
    }
    const first = await firstUse(tx, terminal, about);
    if (!first) return { outcome: 'unknown' };
    if (first.operation === 'barred') return { outcome: 'barred' };
    return { outcome: 'done', operation: first.operation, answer: JSON.parse(first.answer ?? 'null') };
  });
}
