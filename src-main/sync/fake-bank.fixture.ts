/**
 * A bank in memory for tests of what reaches it, with a line that fails on demand. It keeps the contract's promises on
 * idempotency and the chain of results, and nothing else: no accounts, no signatures (src-bank has those).
 */
import type { Problem, ProblemCode } from '../../src-contract/bank-api.ts';
import { examplePolicy, examplePolicyKey, signPolicy } from '../identity/activation.fixture.ts';
import { resultHash } from '../journal/result-chain.ts';
import type { FetchPort } from './bank-client.ts';

export type Fault =
  | 'none'
  /** The request does not arrive. */
  | 'down'
  /** It arrives and has its effect; the answer is lost. */
  | 'answer-lost'
  /** It arrives twice; the second answer is the one that comes back. */
  | 'doubled'
  | 'garbage'
  | 'slow';

export interface FakeBank {
  readonly fetch: FetchPort;
  /** For the next requests; the last one stays. */
  faults: Fault[];
  /** Refuses requests to these paths. */
  readonly refusing: Map<string, ProblemCode>;
  /** Compact JWS in the order they were recorded. */
  readonly results: string[];
  /** What had an effect: path and body, once each, in order. */
  readonly effects: { path: string; body: Record<string, unknown> }[];
  /** Requests that arrived, by path. */
  readonly arrived: string[];
  policy: ReturnType<typeof examplePolicy>;
  gallery: { entries: unknown[]; next: number; more: boolean; protectionVersion?: string };
  /** Matrices under which templates are not to be had any more. */
  destroyed: string[];
  /** Under which matrix the gallery was asked for, each time. */
  readonly galleryAsked: string[];
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export function fakeBank(): FakeBank {
  const answers = new Map<string, { body: string; answer: Answer }>();

  const problem = (status: number, code: ProblemCode, detail = code as string, field?: string): Answer => ({
    status,
    body: { type: 'about:blank', title: code, status, code, detail, ...(field ? { field } : {}) } satisfies Problem,
  });

  const takeResults = (results: readonly string[]): Answer => {
    const known = results.filter((jws) => bank.results.includes(jws)).length;
    const fresh = results.slice(known);
    let head = bank.results.at(-1);
    for (const jws of fresh) {
      const { previousHash } = JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString());
      if (previousHash !== (head === undefined ? null : resultHash(head))) return problem(409, 'result-gap');
      head = jws;
    }
    bank.results.push(...fresh);
    return { status: 200, body: { recorded: fresh.length, alreadyKnown: known, headSequence: bank.results.length } };
  };

  const answer = ({ pathname: path, searchParams }: URL, text: string | undefined): Answer => {
    bank.arrived.push(path);
    const refused = bank.refusing.get(path);
    if (refused) return problem(409, refused);
    if (path === '/v1/health') return { status: 200, body: { status: 'ok', database: 'pglite' } };
    if (path === '/v1/policy') {
      const policy = signPolicy({ ...bank.policy, nonce: searchParams.get('nonce') });
      return { status: 200, body: { policy, policyKey: examplePolicyKey } };
    }
    if (path === '/v1/gallery') {
      const protection = searchParams.get('protection') ?? '';
      bank.galleryAsked.push(protection);
      if (bank.destroyed.includes(protection)) return problem(400, 'invalid-request', 'no such matrix', 'protection');
      return { status: 200, body: bank.gallery };
    }
    const body = JSON.parse(text ?? '{}');
    if (path === '/v1/results') return takeResults(body.results);
    const earlier = answers.get(body.idempotencyKey);
    if (earlier) return earlier.body === text ? earlier.answer : problem(409, 'idempotency-key-reused');
    const knows = (resultId: string) =>
      bank.results.some((jws) => Buffer.from(jws.split('.')[1]!, 'base64url').includes(resultId));
    if ('resultId' in body && !knows(body.resultId)) return problem(409, 'result-missing');
    const first: Answer = { status: 200, body: { outcome: 'posted', account: null } };
    answers.set(body.idempotencyKey, { body: text ?? '', answer: first });
    bank.effects.push({ path, body });
    return first;
  };

  const bank: FakeBank = {
    faults: ['none'],
    refusing: new Map(),
    results: [],
    effects: [],
    arrived: [],
    policy: examplePolicy(),
    gallery: { entries: [], next: 0, more: false },
    destroyed: [],
    galleryAsked: [],
    fetch: async (url, { body, signal }) => {
      signal.throwIfAborted();
      const path = new URL(url);
      const fault = bank.faults.length > 1 ? bank.faults.shift() : bank.faults[0];
      if (fault === 'down')
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
      if (fault === 'slow')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      let given = answer(path, body);
      if (fault === 'doubled') given = answer(path, body);
      if (fault === 'answer-lost')
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
      const text = fault === 'garbage' ? '<html>please log in</html>' : JSON.stringify(given.body);
      return new Response(text, { status: fault === 'garbage' ? 200 : given.status });
    },
  };
  return bank;
}
