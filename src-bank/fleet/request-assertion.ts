/**
 * Who sends a request: a JWS in the Authorization header, made by the terminal's key for this very request. It names
 * method, path, body and time, and is good once, so that nothing overheard can be sent again.
 */
import { decodeProtectedHeader } from 'jose';
import { REQUEST_ASSERTION_TYP, RequestAssertion } from '../../src-contract/bank-api.ts';
import { Uuid } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import { sha256Base64Url } from '../digest.ts';
import { ProblemError } from '../problem.ts';
import { verifySigned } from './terminal-signature.ts';

/** RequestAssertion.iat of the contract: seconds either way. */
const ASSERTION_WINDOW_S = 120;
/** Between two times that a bank process forgets what has expired, ms. */
const FORGET_MS = 60_000;

/** A registered terminal, as authenticated. */
export interface Terminal {
  readonly terminalId: string;
  readonly profile: string;
  /** Ed25519 public key, the JWK's x. */
  readonly signingKey: string;
  /** Its clock less the bank's, ms, at least: `iat` is the second the request was made in, and it was under way for a while. */
  readonly clockOffsetMs: number;
}

export interface SentRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** The bytes as received; none for a GET. */
  readonly body: Uint8Array;
  readonly authorization: string | undefined;
}

/** The terminal that sent the request. Throws unauthenticated with a detail that names what was wrong. */
export async function authenticate(context: BankContext, request: SentRequest): Promise<Terminal> {
  const jws = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(request.authorization ?? '')?.[1];
  if (!jws) throw refuse('the Authorization header carries no "Bearer <JWS>"');
  const { revokedAt, ...terminal } = await findTerminal(context, kidOf(jws));
  const assertion = await verify(jws, terminal);
  // Only after the signature: nobody else learns of it.
  if (revokedAt !== null) throw refuse('the terminal was taken out of service');
  const ageS = context.clock.now() / 1000 - assertion.iat;
  if (assertion.iss !== terminal.terminalId) throw refuse('iss is not the terminal that signed');
  if (assertion.htm !== request.method) throw refuse(`htm is ${assertion.htm}, the request is a ${request.method}`);
  if (assertion.htu !== request.url) throw refuse('htu is not the path and query of this request');
  if (assertion.bodySha256 !== sha256Base64Url(request.body)) throw refuse('bodySha256 is not of this body');
  if (Math.abs(ageS) > ASSERTION_WINDOW_S) {
    const direction = ageS > 0 ? 'before' : 'after';
    throw refuse(
      `iat is ${Math.round(Math.abs(ageS))} s ${direction} the bank's clock, more than ${ASSERTION_WINDOW_S}`,
    );
  }
  await spendAssertion(context, terminal, assertion);
  return { ...terminal, clockOffsetMs: Math.round(-ageS * 1000) };
}

function refuse(detail: string): ProblemError {
  return new ProblemError('unauthenticated', detail);
}

function kidOf(jws: string): string {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(jws);
  } catch {
    throw refuse("the assertion's header cannot be read");
  }
  if (header.typ !== REQUEST_ASSERTION_TYP) throw refuse(`the assertion's typ is not ${REQUEST_ASSERTION_TYP}`);
  const kid = Uuid.safeParse(header.kid);
  if (!kid.success) throw refuse("the assertion's kid is not a terminal id");
  return kid.data;
}

interface RegisteredTerminal extends Omit<Terminal, 'clockOffsetMs'> {
  readonly revokedAt: number | null;
}

async function findTerminal({ database }: BankContext, terminalId: string): Promise<RegisteredTerminal> {
  const row = await database.db
    .selectFrom('terminals')
    .select(['terminal_id', 'profile', 'signing_key', 'revoked_at'])
    .where('terminal_id', '=', terminalId)
    .executeTakeFirst();
  if (!row) throw refuse("the assertion's kid names no registered terminal");
  return {
    terminalId: row.terminal_id,
    profile: row.profile,
    signingKey: row.signing_key,
    revokedAt: row.revoked_at,
  };
}

async function verify(jws: string, terminal: Pick<Terminal, 'signingKey'>): Promise<RequestAssertion> {
  let payload: Uint8Array;
  try {
    ({ payload } = await verifySigned(jws, terminal));
  } catch {
    throw refuse("the assertion's signature does not verify with the terminal's key");
  }
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw refuse("the assertion's payload is not JSON");
  }
  const parsed = RequestAssertion.safeParse(claims);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(`the assertion's ${issue?.path.join('.') || 'payload'}: ${issue?.message}`);
  }
  return parsed.data;
}

/** When each bank of this process last forgot. */
const forgotAt = new WeakMap<BankContext, number>();

/** What has expired is refused without being remembered: a minute more or less of it is a matter of space alone. */
async function forgetExpired(context: BankContext): Promise<void> {
  const now = context.clock.now();
  // Either way: a clock that was set back must not keep everything for as long.
  if (Math.abs(now - (forgotAt.get(context) ?? 0)) < FORGET_MS) return;
  forgotAt.set(context, now);
  await context.database.db.deleteFrom('request_ids').where('expires_at', '<', now).execute();
}

/** Remembers the jti until its iat alone would refuse it, in the database: a repeat may go to another bank process. */
async function spendAssertion(
  context: BankContext,
  terminal: Pick<Terminal, 'terminalId'>,
  assertion: RequestAssertion,
): Promise<void> {
  await forgetExpired(context);
  const inserted = await context.database.db
    .insertInto('request_ids')
    .values({
      terminal_id: terminal.terminalId,
      jti: assertion.jti,
      expires_at: (assertion.iat + ASSERTION_WINDOW_S + 1) * 1000,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw refuse('jti was used before');
}
