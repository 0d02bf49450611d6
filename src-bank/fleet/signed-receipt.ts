/** What a terminal states about itself under its signature: a receipt, of an erasure or of a protecting matrix. */
import type { z } from 'zod';
import { ProblemError } from '../problem.ts';
import type { Terminal } from './request-assertion.ts';
import { verifySigned } from './terminal-signature.ts';

/** The statement in `receipt`. Throws invalid-request, an incident with the JWS, when it is not this terminal's or does not fit. */
export async function verifyReceipt<Receipt extends { readonly terminalId: string }>(
  jws: string,
  terminal: Terminal,
  { typ, schema }: { readonly typ: string; readonly schema: z.ZodType<Receipt> },
): Promise<Receipt> {
  const refuse = (detail: string) =>
    new ProblemError('invalid-request', `receipt: ${detail}`, { field: 'receipt', incident: { evidence: jws } });
  let verified: Awaited<ReturnType<typeof verifySigned>>;
  try {
    verified = await verifySigned(jws, terminal);
  } catch {
    throw refuse("its signature does not verify with the terminal's key");
  }
  if (verified.protectedHeader.typ !== typ) throw refuse(`its typ is not ${typ}`);
  const parsed = schema.safeParse(jsonOf(verified.payload));
  if (!parsed.success)
    throw refuse(`it does not fit its schema at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`);
  if (parsed.data.terminalId !== terminal.terminalId) throw refuse("its terminalId is another terminal's");
  return parsed.data;
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
