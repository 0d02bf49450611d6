/**
 * What the bank answers when it does not do what was asked: RFC 9457 problem details with one of the contract's codes.
 * Throwing one inside a db transaction rolls it back, so a refused request changes nothing.
 */
import type { Problem, ProblemCode } from '../src-contract/bank-api.ts';

/** RFC 9110, section 15. 409 says: as things stand, no; 422: understood, but what it carries proves false. */
export const PROBLEM_STATUS = {
  'invalid-request': 400,
  unauthenticated: 401,
  'activation-code-unknown': 404,
  'activation-code-used': 409,
  'activation-code-expired': 410,
  'idempotency-key-reused': 409,
  'result-gap': 409,
  'result-fork': 409,
  'result-replay': 409,
  'result-bad-signature': 422,
  'result-missing': 409,
  'not-found': 404,
  conflict: 409,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ProblemCode, number>;

const TITLES: Record<ProblemCode, string> = {
  'invalid-request': 'The request does not fit its schema',
  unauthenticated: 'The request is not proven to come from a registered terminal',
  'activation-code-unknown': 'No such activation code',
  'activation-code-used': 'The activation code was used before',
  'activation-code-expired': 'The activation code has expired',
  'idempotency-key-reused': 'The idempotency key belongs to another request',
  'result-gap': 'A match result is missing before this one',
  'result-fork': 'The match result contradicts the recorded chain',
  'result-replay': 'The match result was seen elsewhere',
  'result-bad-signature': 'The match result is not signed by this terminal',
  'result-missing': 'The match result has not reached the bank',
  'not-found': 'Not found',
  conflict: 'The request contradicts what is recorded',
  unavailable: 'The bank cannot answer now',
  internal: 'The bank failed',
};

export interface IncidentEvidence {
  /** What was presented: a compact JWS, or a digest of what must not be kept. Never a PIN block or a template. */
  readonly evidence: string;
}

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;
  readonly field: string | undefined;
  /** Set where the refusal is to be kept in the incidents table. */
  readonly incident: IncidentEvidence | undefined;

  /** @param detail one sentence that names what was wrong: no PIN, name, account number or template. */
  constructor(
    code: ProblemCode,
    detail: string,
    options: { field?: string; incident?: IncidentEvidence; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.incident = options.incident;
  }
}

/** @param status differs from the code's own only where HTTP has a nearer one (413, 415). */
export function problem(
  code: ProblemCode,
  detail: string,
  field?: string,
  status: number = PROBLEM_STATUS[code],
): Problem {
  return {
    type: `urn:kaopass:problem:${code}`,
    title: TITLES[code],
    status,
    code,
    detail,
    ...(field === undefined ? {} : { field }),
  };
}

/** The bank cannot start. The message is the one sentence an operator reads. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
