/**
 * The bank, as the terminal calls it: one method per request of src-contract/bank-api.ts. Every call has a deadline, is
 * signed, and its answer parsed. What comes back is the bank's answer or a TerminalError: BANK_UNREACHABLE (nothing is
 * known: repeat with the same idempotency key), BANK_ANSWER_INVALID (it answered garbage; names the field), or a
 * BankRefusal (code BANK_REFUSED: it understood and said no).
 */
import type { z } from 'zod';
import {
  ActivateAnswer,
  type ActivateRequest,
  AuthoriseAnswer,
  type AuthoriseRequest,
  type CaptureRequest,
  type DepositRequest,
  EnrolAnswer,
  type EnrolRequest,
  GalleryAnswer,
  HealthAnswer,
  PolicyAnswer,
  PostingAnswer,
  Problem,
  ResultsAnswer,
  type ResultsRequest,
  type ReversalRequest,
  type StandInRequest,
} from '../../src-contract/bank-api.ts';
import { ClaimedIdentityAnswer, type ClaimedIdentityRequest } from '../../src-contract/claimed-identity.ts';
import type { CountRequest } from '../../src-contract/count.ts';
import { DayCloseAnswer, type DayCloseRequest } from '../../src-contract/day-close.ts';
import {
  ErasureAnswer,
  ErasureReceiptAnswer,
  type ErasureReceiptRequest,
  type ErasureRequest,
} from '../../src-contract/erasure.ts';
import { InquiryAnswer, type InquiryRequest } from '../../src-contract/inquiry.ts';
import {
  ProtectionAnswer,
  ProtectionReceiptAnswer,
  type ProtectionReceiptRequest,
} from '../../src-contract/protection-change.ts';
import { RenewalAnswer, type RenewalRequest } from '../../src-contract/renewal.ts';
import { PayeeAnswer, type PayeeRequest, TransferAnswer, type TransferRequest } from '../../src-contract/transfer.ts';
import { type Clock, deadline } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Identity } from '../identity/identity.ts';

/** The bank understood the request and refused it (4xx); repeating it unchanged would be refused again. */
export class BankRefusal extends TerminalError {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super('BANK_REFUSED', `the bank refused: ${problem.detail} (${problem.code})`);
    this.problem = problem;
  }
}

/** The part of fetch (WHATWG Fetch) that is used: one function is the whole port. */
export type FetchPort = (
  url: string,
  init: {
    readonly method: 'GET' | 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
    /** A redirect would carry the request to somebody else: it is an error. */
    readonly redirect: 'error';
    readonly signal: AbortSignal;
  },
) => Promise<Pick<Response, 'status' | 'body'>>;

export interface BankClient {
  health(signal: AbortSignal): Promise<HealthAnswer>;
  activate(request: ActivateRequest, signal: AbortSignal): Promise<ActivateAnswer>;
  /** Issued for this request: the nonce, 16 random bytes as base64url, comes back in it. Not verified here. */
  policy(nonce: string, signal: AbortSignal): Promise<PolicyAnswer>;
  /** `protection` and `model`: under which matrix and embedder templates are wanted. `embedders`: all that this terminal has. */
  gallery(
    query: {
      readonly after: number;
      readonly limit: number;
      readonly protection: string;
      readonly model: string;
      readonly embedders: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<GalleryAnswer>;
  /** Which protecting matrix is current; `held` is the one this terminal has. Not verified here. */
  protection(held: string, signal: AbortSignal): Promise<ProtectionAnswer>;
  enrol(request: EnrolRequest, signal: AbortSignal): Promise<EnrolAnswer>;
  /** Of whom somebody before the camera says to be, who is not in the gallery. */
  claimedIdentity(request: ClaimedIdentityRequest, signal: AbortSignal): Promise<ClaimedIdentityAnswer>;
  sendResults(request: ResultsRequest, signal: AbortSignal): Promise<ResultsAnswer>;
  authorise(request: AuthoriseRequest, signal: AbortSignal): Promise<AuthoriseAnswer>;
  capture(request: CaptureRequest, signal: AbortSignal): Promise<PostingAnswer>;
  reverse(request: ReversalRequest, signal: AbortSignal): Promise<PostingAnswer>;
  deposit(request: DepositRequest, signal: AbortSignal): Promise<PostingAnswer>;
  standIn(request: StandInRequest, signal: AbortSignal): Promise<PostingAnswer>;
  count(request: CountRequest, signal: AbortSignal): Promise<PostingAnswer>;
  payee(request: PayeeRequest, signal: AbortSignal): Promise<PayeeAnswer>;
  transfer(request: TransferRequest, signal: AbortSignal): Promise<TransferAnswer>;
  /** What became of a request whose answer was never read. */
  inquire(request: InquiryRequest, signal: AbortSignal): Promise<InquiryAnswer>;
  erase(request: ErasureRequest, signal: AbortSignal): Promise<ErasureAnswer>;
  acknowledgeErasure(request: ErasureReceiptRequest, signal: AbortSignal): Promise<ErasureReceiptAnswer>;
  /** A template under a newer embedder, of somebody recognised under an older one. */
  renew(request: RenewalRequest, signal: AbortSignal): Promise<RenewalAnswer>;
  acknowledgeProtection(request: ProtectionReceiptRequest, signal: AbortSignal): Promise<ProtectionReceiptAnswer>;
  closeDay(request: DayCloseRequest, signal: AbortSignal): Promise<DayCloseAnswer>;
  /** Told after every call whether the bank could be reached. Returns how to stop. */
  onReached(listener: (reached: boolean) => void): () => void;
}

export interface BankClientOptions {
  /** Scheme and authority, e.g. "https://bank.example"; a path before /v1 is kept. */
  readonly bankUrl: string;
  readonly identity: Pick<Identity, 'assertRequest'>;
  readonly fetch: FetchPort;
  readonly clock: Clock;
  /** Longest wait for one answer, ms. */
  readonly callTimeoutMs?: number;
}

/** Above what a bank's slowest answer takes on a bad line; below what a customer waits for. */
const CALL_TIMEOUT_MS_DEFAULT = 8_000;
/** A full page of the gallery is about 1.5 million characters. */
const ANSWER_LENGTH_MAX = 8_000_000;
/** Statuses by which a bank, or a proxy before it, says "not now" (RFC 9110, 15.5.9; RFC 6585, 4; RFC 8470, 5.2). */
const NOT_NOW: ReadonlySet<number> = new Set([408, 425, 429]);

const HEALTH = '/v1/health';

interface Call<Answer> {
  readonly method: 'GET' | 'POST';
  /** Below the bank's URL, beginning with a slash. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<Answer>;
  /** False where the terminal has no name yet, or needs none. */
  readonly signed?: boolean;
}

export function createBankClient(options: BankClientOptions): BankClient {
  const { identity, fetch, clock, callTimeoutMs = CALL_TIMEOUT_MS_DEFAULT } = options;
  const base = new URL(options.bankUrl);
  const prefix = base.pathname.replace(/\/$/, '');
  const listeners = new Set<(reached: boolean) => void>();

  const headersOf = async (call: Call<unknown>, pathAndQuery: string, body: string | undefined) => ({
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(call.signed === false
      ? {}
      : {
          authorization: `Bearer ${await identity.assertRequest({
            method: call.method,
            pathAndQuery,
            body: new TextEncoder().encode(body ?? ''),
          })}`,
        }),
  });

  /** Status and text of the answer, or BANK_UNREACHABLE. The caller's own abort stays an abort. */
  const exchange = async (call: Call<unknown>, signal: AbortSignal) => {
    signal.throwIfAborted();
    const pathAndQuery = prefix + call.path;
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = await headersOf(call, pathAndQuery, body);
    using limit = deadline(clock, callTimeoutMs, signal);
    try {
      const answer = await fetch(base.origin + pathAndQuery, {
        method: call.method,
        headers,
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal: limit.signal,
      });
      return { status: answer.status, text: await textOf(answer) };
    } catch (cause) {
      signal.throwIfAborted();
      const why = limit.signal.aborted ? `no answer within ${callTimeoutMs} ms` : reasonOf(cause);
      throw unreachable(call, why, cause);
    }
  };

  const attempt = async <Answer>(call: Call<Answer>, signal: AbortSignal): Promise<Answer> => {
    const { status, text } = await exchange(call, signal);
    if (status >= 500 || NOT_NOW.has(status)) throw unreachable(call, `status ${status}`);
    const json = parseJson(text);
    if (status >= 400) throw new BankRefusal(parsed(Problem, json, call, status));
    return parsed(call.answer, json, call, status);
  };

  const send = async <Answer>(call: Call<Answer>, signal: AbortSignal): Promise<Answer> => {
    const tell = (reached: boolean) => {
      for (const listener of listeners) listener(reached);
    };
    try {
      const answer = await attempt(call, signal);
      tell(true);
      return answer;
    } catch (error) {
      if (error instanceof BankRefusal) tell(true);
      else if (error instanceof TerminalError && error.code === 'BANK_UNREACHABLE') tell(false);
      // One endpoint that answers garbage is a fault of it alone; when health does, something else sits on the line.
      else if (error instanceof TerminalError && call.path === HEALTH) tell(false);
      throw error;
    }
  };

  const post = <Answer>(path: string, body: unknown, answer: z.ZodType<Answer>, signal: AbortSignal) =>
    send({ method: 'POST', path, body, answer }, signal);

  return {
    health: (signal) => send({ method: 'GET', path: HEALTH, answer: HealthAnswer, signed: false }, signal),
    activate: (request: ActivateRequest, signal) =>
      send({ method: 'POST', path: '/v1/terminals', body: request, answer: ActivateAnswer, signed: false }, signal),
    policy: (nonce, signal) => send({ method: 'GET', path: `/v1/policy?nonce=${nonce}`, answer: PolicyAnswer }, signal),
    gallery: ({ after, limit, protection, model, embedders }, signal) => {
      const wanted = `protection=${encodeURIComponent(protection)}&model=${model}&embedders=${embedders.join()}`;
      const path = `/v1/gallery?after=${after}&limit=${limit}&${wanted}`;
      return send({ method: 'GET', path, answer: GalleryAnswer }, signal);
    },
    protection: (held, signal) => {
      const path = `/v1/protection?held=${encodeURIComponent(held)}`;
      return send({ method: 'GET', path, answer: ProtectionAnswer }, signal);
    },
    enrol: (request: EnrolRequest, signal) => post('/v1/enrolments', request, EnrolAnswer, signal),
    claimedIdentity: (request: ClaimedIdentityRequest, signal) =>
      post('/v1/claimed-identities', request, ClaimedIdentityAnswer, signal),
    sendResults: (request: ResultsRequest, signal) => post('/v1/results', request, ResultsAnswer, signal),
    authorise: (request: AuthoriseRequest, signal) => post('/v1/authorisations', request, AuthoriseAnswer, signal),
    capture: (request: CaptureRequest, signal) => post('/v1/captures', request, PostingAnswer, signal),
    reverse: (request: ReversalRequest, signal) => post('/v1/reversals', request, PostingAnswer, signal),
    deposit: (request: DepositRequest, signal) => post('/v1/deposits', request, PostingAnswer, signal),
    standIn: (request: StandInRequest, signal) => post('/v1/stand-ins', request, PostingAnswer, signal),
    count: (request: CountRequest, signal) => post('/v1/counts', request, PostingAnswer, signal),
    payee: (request: PayeeRequest, signal) => post('/v1/payees', request, PayeeAnswer, signal),
    transfer: (request: TransferRequest, signal) => post('/v1/transfers', request, TransferAnswer, signal),
    inquire: (request: InquiryRequest, signal) => post('/v1/inquiries', request, InquiryAnswer, signal),
    erase: (request: ErasureRequest, signal) => post('/v1/erasures', request, ErasureAnswer, signal),
    acknowledgeErasure: (request: ErasureReceiptRequest, signal) =>
      post('/v1/erasure-receipts', request, ErasureReceiptAnswer, signal),
    renew: (request: RenewalRequest, signal) => post('/v1/renewals', request, RenewalAnswer, signal),
    acknowledgeProtection: (request: ProtectionReceiptRequest, signal) =>
      post('/v1/protection-receipts', request, ProtectionReceiptAnswer, signal),
    closeDay: (request: DayCloseRequest, signal) => post('/v1/day-closes', request, DayCloseAnswer, signal),
    onReached: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function parsed<Answer>(schema: z.ZodType<Answer>, json: unknown, call: Call<unknown>, status: number): Answer {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue && issue.path.length > 0 ? `field "${issue.path.join('.')}"` : 'the whole answer';
  throw new TerminalError(
    'BANK_ANSWER_INVALID',
    `the bank's answer to ${nameOf(call)} (status ${status}) does not fit: ${field}: ${issue?.message ?? 'unknown'}`,
  );
}

/** No more of it is read than an answer can be long; one cut off there is no JSON. */
async function textOf({ body }: Pick<Response, 'body'>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_LENGTH_MAX) return '';
  }
  return text + decoder.decode();
}

/** Undefined, which fits no schema, when it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(call: Call<unknown>, why: string, cause?: unknown): TerminalError {
  return new TerminalError('BANK_UNREACHABLE', `the bank cannot be reached for ${nameOf(call)}: ${why}`, { cause });
}

/** Method and path, without the query. */
function nameOf(call: Call<unknown>): string {
  return `${call.method} ${call.path.split('?')[0]}`;
}

/** undici wraps what the socket said: its code is what a technician looks for. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (inner instanceof Error) return 'code' in inner ? String(inner.code) : inner.message;
  return String(inner);
}
