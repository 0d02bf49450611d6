/**
 * The bank, as the terminal calls it: one method per request of src-contract/bank-api.ts. Every call has a deadline, is
 * signed, and its answer parsed. What comes back is the bank's answer or a TerminalError: BANK_UNREACHABLE (nothing is
 * known: repeat with the same idempotency key), BANK_ANSWER_INVALID (it answered garbage; names the field), or a
 * BankRefusal (code BANK_REFUSED: it understood and said no).
 */
import type {
  ActivateAnswer,
  ActivateRequest,
  AuthoriseAnswer,
  AuthoriseRequest,
  CaptureRequest,
  DepositRequest,
  EnrolAnswer,
  EnrolRequest,
  GalleryAnswer,
  HealthAnswer,
  PostingAnswer,
  Problem,
  ResultsAnswer,
  ResultsRequest,
  ReversalRequest,
  StandInRequest,
} from '../../src-contract/bank-api.ts';
import type { Policy } from '../../src-contract/policy.ts';
import type { Clock } from '../clock.ts';
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
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly status: number; text(): Promise<string> }>;

export interface BankClient {
  health(signal: AbortSignal): Promise<HealthAnswer>;
  activate(request: ActivateRequest, signal: AbortSignal): Promise<ActivateAnswer>;
  policy(signal: AbortSignal): Promise<Policy>;
  gallery(query: { readonly after: number; readonly limit: number }, signal: AbortSignal): Promise<GalleryAnswer>;
  enrol(request: EnrolRequest, signal: AbortSignal): Promise<EnrolAnswer>;
  sendResults(request: ResultsRequest, signal: AbortSignal): Promise<ResultsAnswer>;
  authorise(request: AuthoriseRequest, signal: AbortSignal): Promise<AuthoriseAnswer>;
  capture(request: CaptureRequest, signal: AbortSignal): Promise<PostingAnswer>;
  reverse(request: ReversalRequest, signal: AbortSignal): Promise<PostingAnswer>;
  deposit(request: DepositRequest, signal: AbortSignal): Promise<PostingAnswer>;
  standIn(request: StandInRequest, signal: AbortSignal): Promise<PostingAnswer>;
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

export declare function createBankClient(options: BankClientOptions): BankClient;
