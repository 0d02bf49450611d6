/** Whether one match result is what it claims to be. Pure but for the signature's mathematics. */
import { MATCH_RESULT_TYP, MatchResult } from '../../src-contract/match-result.ts';
import { verifySigned } from '../fleet/terminal-signature.ts';
import { ProblemError } from '../problem.ts';

export interface ChainHead {
  /** 0 before the first result. */
  readonly sequence: number;
  /** SHA-256 of the head's compact JWS, base64url; null before the first. */
  readonly hash: string | null;
}

/**
 * The match result inside. Throws result-bad-signature when it is not signed by this key as a match result, or does not
 * fit the schema, or speaks for another terminal; the JWS is kept as evidence.
 */
export async function verifyResult(
  jws: string,
  terminal: { terminalId: string; signingKey: string },
): Promise<MatchResult> {
  const refuse = (detail: string) => new ProblemError('result-bad-signature', detail, { incident: { evidence: jws } });
  let verified: Awaited<ReturnType<typeof verifySigned>>;
  try {
    verified = await verifySigned(jws, terminal);
  } catch {
    throw refuse("a match result's signature does not verify with the terminal's key");
  }
  const { typ, kid } = verified.protectedHeader;
  if (typ !== MATCH_RESULT_TYP) throw refuse(`a match result's typ is not ${MATCH_RESULT_TYP}`);
  if (kid !== undefined && kid !== terminal.terminalId) throw refuse("a match result's kid is not the terminal's id");
  const result = parse(verified.payload, refuse);
  if (result.terminalId !== terminal.terminalId) throw refuse("a match result's terminalId is another terminal's");
  return result;
}

function parse(payload: Uint8Array, refuse: (detail: string) => ProblemError): MatchResult {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw refuse("a match result's payload is not JSON");
  }
  const parsed = MatchResult.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refuse(`a match result does not fit its schema at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`);
}

/** Whether the result continues the chain. Throws result-gap or result-fork. */
export function verifyLink(result: MatchResult, jws: string, head: ChainHead): void {
  const incident = { evidence: jws };
  if (result.sequence > head.sequence + 1) {
    throw new ProblemError('result-gap', `after sequence ${head.sequence} comes ${result.sequence}`, { incident });
  }
  if (result.sequence <= head.sequence) {
    throw new ProblemError('result-fork', `sequence ${result.sequence} is recorded already with other content`, {
      incident,
    });
  }
  if (result.previousHash !== head.hash) {
    throw new ProblemError(
      'result-fork',
      `sequence ${result.sequence} names another predecessor than the recorded ${head.sequence}`,
      { incident },
    );
  }
}
