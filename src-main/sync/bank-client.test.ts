import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { systemChance, systemClock } from '../clock.ts';
import type { RequestToAssert } from '../identity/identity.ts';
import { BankRefusal, createBankClient, type FetchPort } from './bank-client.ts';
import { fakeBank } from './fake-bank.fixture.ts';

const NONCE = 'A'.repeat(22);
const signal = new AbortController().signal;
const identity = { assertRequest: async (_: RequestToAssert) => 'token' };
const clientOf = (fetch: FetchPort, options: { bankUrl?: string; callTimeoutMs?: number } = {}) =>
  createBankClient({ bankUrl: 'http://bank.test', identity, fetch, clock: systemClock, ...options });
const answering = (status: number, body: unknown): FetchPort => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return async () => new Response(text, { status });
};
const problem = { type: 'about:blank', title: 'No', status: 404, code: 'not-found', detail: 'no such authorisation' };
const reversal = () => ({
  idempotencyKey: systemChance.id(),
  authorisationKey: systemChance.id(),
  reason: 'jam',
  proof: null,
  priorProof: null,
});

describe('a request', () => {
  test('is asserted exactly as it is sent: method, path with query, and the bytes of the body', async () => {
    const asserted: RequestToAssert[] = [];
    const sent: { url: string; body: string | undefined; headers: Readonly<Record<string, string>> }[] = [];
    const client = createBankClient({
      bankUrl: 'http://bank.test/branch/',
      identity: { assertRequest: async (request) => `token-${asserted.push(request)}` },
      fetch: async (url, { body, headers }) => {
        sent.push({ url, body, headers });
        const answer = url.includes('gallery')
          ? { entries: [], next: 3, more: false }
          : { outcome: 'posted', account: null };
        return Response.json(answer);
      },
      clock: systemClock,
    });
    const embedders = ['ab'.repeat(32), 'cd'.repeat(32)];
    const model = embedders[0]!;
    await client.gallery({ after: 3, limit: 10, protection: 'p2-a_b', model, embedders }, signal);
    const wanted = `?after=3&limit=10&protection=p2-a_b&model=${model}&embedders=${embedders.join()}`;
    await client.reverse(reversal(), signal);
    expect(sent.map(({ url }) => url)).toEqual([
      `http://bank.test/branch/v1/gallery${wanted}`,
      'http://bank.test/branch/v1/reversals',
    ]);
    expect(asserted.map(({ method, pathAndQuery }) => [method, pathAndQuery])).toEqual([
      ['GET', `/branch/v1/gallery${wanted}`],
      ['POST', '/branch/v1/reversals'],
    ]);
    const hash = (body: Uint8Array | string) => createHash('sha256').update(body).digest('hex');
    expect(asserted.map(({ body }) => hash(body))).toEqual(sent.map(({ body }) => hash(body ?? '')));
    expect(sent[1]?.headers).toMatchObject({ authorization: 'Bearer token-2', 'content-type': 'application/json' });
  });

  test('about health carries no assertion', async () => {
    let headers = {};
    const client = clientOf(async (_, init) => {
      headers = init.headers;
      return Response.json({ status: 'ok', database: 'pglite' });
    });
    await client.health(signal);
    expect(headers).not.toHaveProperty('authorization');
  });
});

describe('an answer', () => {
  test.each([
    ['no line', async () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }))],
    ['status 500', answering(500, problem)],
    ['status 503', answering(503, 'down for maintenance')],
    ['status 429', answering(429, '')],
  ] satisfies [string, FetchPort][])('that is %s means the bank is not reached', async (_, fetch) => {
    const reached: boolean[] = [];
    const client = clientOf(fetch);
    client.onReached((is) => reached.push(is));
    await expect(client.policy(NONCE, signal)).rejects.toMatchObject({ code: 'BANK_UNREACHABLE' });
    expect(reached).toEqual([false]);
  });

  test('that does not come in time means the bank is not reached', async () => {
    const bank = fakeBank();
    bank.faults = ['slow'];
    await expect(clientOf(bank.fetch, { callTimeoutMs: 20 }).policy(NONCE, signal)).rejects.toMatchObject({
      code: 'BANK_UNREACHABLE',
      message: expect.stringContaining('no answer within 20 ms'),
    });
  });

  test('that the caller no longer wants is an abort, and says nothing about the bank', async () => {
    const bank = fakeBank();
    bank.faults = ['slow'];
    const client = clientOf(bank.fetch);
    const reached: boolean[] = [];
    client.onReached((is) => reached.push(is));
    const gone = new AbortController();
    const answer = client.policy(NONCE, gone.signal);
    gone.abort(new Error('customer left'));
    await expect(answer).rejects.toThrow('customer left');
    expect(reached).toEqual([]);
  });

  test.each([
    ['no JSON', '<html>', 'the whole answer'],
    ['another shape', { policy: 'a.b.c', policyKey: { kty: 'OKP' } }, '"policyKey.crv"'],
    ['of a refusal with no problem in it', { policy: 1 }, '"policy"'],
  ])('that is %s is named', async (_, body, naming) => {
    await expect(clientOf(answering(200, body)).policy(NONCE, signal)).rejects.toMatchObject({
      code: 'BANK_ANSWER_INVALID',
      message: expect.stringContaining(naming),
    });
  });

  test('that refuses carries the problem, and means that the bank is reached', async () => {
    const client = clientOf(answering(404, problem));
    const reached: boolean[] = [];
    client.onReached((is) => reached.push(is));
    const refusal = await client.reverse(reversal(), signal).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BankRefusal);
    expect(refusal).toMatchObject({ code: 'BANK_REFUSED', problem: { code: 'not-found' } });
    expect(reached).toEqual([true]);
  });

  test('of garbage about health means that somebody else sits on the line', async () => {
    const client = clientOf(answering(200, '<html>'));
    const reached: boolean[] = [];
    client.onReached((is) => reached.push(is));
    await expect(client.health(signal)).rejects.toMatchObject({ code: 'BANK_ANSWER_INVALID' });
    await expect(client.policy(NONCE, signal)).rejects.toMatchObject({ code: 'BANK_ANSWER_INVALID' });
    expect(reached).toEqual([false]);
  });

  test('without end is not read to its end', async () => {
    let chunks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        chunks += 1;
        controller.enqueue(new Uint8Array(1_000_000).fill(0x20));
      },
    });
    const client = clientOf(async () => new Response(body));
    await expect(client.policy(NONCE, signal)).rejects.toMatchObject({ code: 'BANK_ANSWER_INVALID' });
    expect(chunks).toBeLessThan(12);
  });
});
