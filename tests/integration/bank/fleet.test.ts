import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import type { ActivateAnswer } from '../../../src-contract/bank-api.ts';
import { ActivateAnswer as ActivateAnswerSchema } from '../../../src-contract/bank-api.ts';
import { Policy } from '../../../src-contract/policy.ts';
import { activationRequest, id, makeKeys, sha256, TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase } from './banks.ts';

onEachDatabase((opened) => {
  const newCode = async (options: object = {}) =>
    (await opened().admin.post<{ code: string }>('/admin/activation-codes', options)).body.code;
  const activate = (request: object) =>
    opened().send({
      method: 'POST',
      url: '/v1/terminals',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });

  describe('activation', () => {
    it('answers who the terminal is, the policy, the PIN key and the seed for this terminal alone', async () => {
      const keys = await makeKeys();
      const { status, body } = await activate(await activationRequest(keys, await newCode()));
      expect(status).toBe(200);
      const answer = ActivateAnswerSchema.parse(body);
      const terminal = new TestTerminal(opened().send, keys, answer, () => opened().clock.now());
      const another = await opened().terminal();
      expect(await terminal.openSeed()).toHaveLength(32);
      expect(await terminal.openSeed()).toEqual(await another.openSeed());
      expect(answer.protectionVersion).toBe(another.activation.protectionVersion);
      expect(Policy.parse(decodeJwt(answer.policy)).consent.texts.ja.paragraphs.length).toBeGreaterThan(0);
    });

    it('refuses a code used twice, and registers nobody by it', async () => {
      const code = await newCode();
      expect(await activate(await activationRequest(await makeKeys(), code))).toMatchObject({ status: 200 });
      const before = (await opened().admin.get<{ terminals: unknown[] }>('/admin/terminals')).body.terminals.length;
      const second = await activate(await activationRequest(await makeKeys(), code));
      expect(second).toMatchObject({ status: 409, body: { code: 'activation-code-used', field: 'activationCode' } });
      const after = (await opened().admin.get<{ terminals: unknown[] }>('/admin/terminals')).body.terminals.length;
      expect(after).toBe(before);
    });

    it('lets one of twenty through when a code is used by all at once', async () => {
      const code = await newCode();
      const requests = await Promise.all(
        Array.from({ length: 20 }, async () => await activationRequest(await makeKeys(), code)),
      );
      const statuses = (await Promise.all(requests.map(activate))).map((answer) => answer.status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(19);
    });

    it('refuses a code that was never made, has expired, or is for another profile', async () => {
      const unknown = await activate(await activationRequest(await makeKeys(), 'AAAA-BBBB-CCCC'));
      expect(unknown).toMatchObject({ status: 404, body: { code: 'activation-code-unknown' } });
      const short = await newCode({ expiresInS: 60 });
      opened().clock.ms += 60_000;
      const expired = await activate(await activationRequest(await makeKeys(), short));
      expect(expired).toMatchObject({ status: 410, body: { code: 'activation-code-expired' } });
      const forCheckout = await newCode({ profile: 'checkout' });
      const wrong = await activate(await activationRequest(await makeKeys(), forCheckout));
      expect(wrong).toMatchObject({ status: 409, body: { code: 'conflict', field: 'profile' } });
    });

    it("refuses a proof by another key, of another code, and another terminal's key", async () => {
      const code = await newCode();
      const [keys, others] = [await makeKeys(), await makeKeys()];
      const request = await activationRequest(keys, code);
      const { proof } = await activationRequest(others, code);
      expect(await activate({ ...request, proof })).toMatchObject({ status: 400, body: { field: 'proof' } });
      const { proof: ofOther } = await activationRequest(keys, 'AAAA-BBBB-CCCC');
      expect(await activate({ ...request, proof: ofOther })).toMatchObject({ status: 400, body: { field: 'proof' } });
      expect(await activate(request)).toMatchObject({ status: 200 });
      const again = await activate(await activationRequest(keys, await newCode()));
      expect(again).toMatchObject({ status: 409, body: { code: 'conflict', field: 'signingKey' } });
    });

    it('stores no code that could be read', async () => {
      const code = await newCode();
      const { body } = await opened().send({ method: 'GET', url: '/openapi.json', headers: {} });
      expect(JSON.stringify(body)).not.toContain(code);
      const { body: terminals } = await opened().admin.get('/admin/terminals');
      expect(JSON.stringify(terminals)).not.toContain(code);
    });
  });

  describe('a request', () => {
    const ask = (authorization: string | undefined, url = '/v1/policy') =>
      opened().send({ method: 'GET', url, headers: authorization === undefined ? {} : { authorization } });
    const refused = (detail: RegExp) => ({
      status: 401,
      body: expect.objectContaining({ code: 'unauthenticated', detail: expect.stringMatching(detail) }),
    });

    it('with a good assertion is answered, with the query as sent', async () => {
      const terminal = await opened().terminal();
      expect(await terminal.get('/v1/policy')).toMatchObject({ status: 200 });
      expect(await terminal.get('/v1/gallery?after=0&limit=1')).toMatchObject({ status: 200 });
    });

    it('without one is not', async () => {
      expect(await ask(undefined)).toEqual(refused(/Bearer/));
      expect(await ask('Bearer nonsense')).toEqual(refused(/Bearer/));
      expect(await ask('Bearer a.b.c')).toEqual(refused(/header/));
    });

    it.each([
      ['for another path', { htu: '/v1/gallery' }, /htu/],
      ['for another method', { htm: 'POST' as const }, /htm/],
      ['for another body', { bodySha256: sha256('other') }, /bodySha256/],
      ['by another issuer', { iss: id() }, /iss/],
      ['for another audience', { aud: 'another-bank' as 'kaopass-bank' }, /aud/],
      ['with a claim too many', { admin: true } as object, /admin|unrecognized/i],
    ])('with an assertion %s is not', async (_case, change, detail) => {
      const terminal = await opened().terminal();
      expect(await ask(`Bearer ${await terminal.assertion('GET', '/v1/policy', '', change)}`)).toEqual(refused(detail));
    });

    it.each([
      [-121, 401],
      [-120, 200],
      [120, 200],
      [121, 401],
    ])('with an assertion made %i s from now is answered %i', async (offsetS, status) => {
      const terminal = await opened().terminal();
      const iat = Math.floor(opened().clock.ms / 1000) + offsetS;
      const answer = await ask(`Bearer ${await terminal.assertion('GET', '/v1/policy', '', { iat })}`);
      expect(answer.status).toBe(status);
    });

    it('is answered once, and the same jti of another terminal is another jti', async () => {
      const [terminal, another] = [await opened().terminal(), await opened().terminal()];
      const jti = id();
      const overheard = `Bearer ${await terminal.assertion('GET', '/v1/policy', '', { jti })}`;
      expect(await ask(overheard)).toMatchObject({ status: 200 });
      expect(await ask(overheard)).toEqual(refused(/jti/));
      expect(await ask(`Bearer ${await another.assertion('GET', '/v1/policy', '', { jti })}`)).toMatchObject({
        status: 200,
      });
    });

    it('is forgotten once its time alone would refuse it: a day of requests takes no room for ever', async () => {
      const terminal = await opened().terminal();
      const jti = id();
      const once = async () => `Bearer ${await terminal.assertion('GET', '/v1/policy', '', { jti })}`;
      expect(await ask(await once())).toMatchObject({ status: 200 });
      opened().clock.ms += 2 * 60_000;
      expect(await ask(await once()), 'two minutes later').toEqual(refused(/jti/));
      opened().clock.ms += 10 * 60_000;
      expect(await ask(await once()), 'much later').toMatchObject({ status: 200 });
    });

    it("with another key's signature, another typ or an unknown kid is not", async () => {
      const [terminal, another] = [await opened().terminal(), await opened().terminal()];
      const claims = JSON.stringify({ iss: terminal.terminalId });
      const forged = await another.sign(claims, 'kaopass-request+jws', terminal.terminalId);
      expect(await ask(`Bearer ${forged}`)).toEqual(refused(/signature/));
      const mistyped = await terminal.sign(claims, 'JWT', terminal.terminalId);
      expect(await ask(`Bearer ${mistyped}`)).toEqual(refused(/typ/));
      const stranger = await terminal.sign(claims, 'kaopass-request+jws', id());
      expect(await ask(`Bearer ${stranger}`)).toEqual(refused(/kid/));
    });

    it('of the staff wants the admin token, which opens nothing else', async () => {
      const bare = await opened().send({ method: 'GET', url: '/admin/people', headers: {} });
      expect(bare).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      const terminal = await opened().terminal();
      expect(await terminal.get('/admin/people')).toMatchObject({ status: 401 });
      expect(await opened().admin.get('/v1/policy')).toMatchObject({ status: 401 });
    });
  });

  describe('what does not fit', () => {
    it('is refused with the field named, before anything is done', async () => {
      const request = await activationRequest(await makeKeys(), await newCode());
      expect(await activate({ ...request, colour: 'red' })).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', field: 'colour' },
      });
      expect(await activate({ ...request, signingKey: { ...request.signingKey, crv: 'P-256' } })).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', field: 'signingKey.crv' },
      });
      expect(await activate(request)).toMatchObject({ status: 200 });
    });

    it('is a problem of RFC 9457 whatever it was', async () => {
      const { send } = opened();
      const headers = { 'content-type': 'application/json' };
      const url = '/v1/terminals';
      expect(await send({ method: 'POST', url, headers, body: '{' })).toMatchObject({ status: 400 });
      const big = await send({ method: 'POST', url, headers, body: JSON.stringify({ name: 'x'.repeat(1 << 20) }) });
      expect(big).toMatchObject({ status: 413, body: { code: 'invalid-request' } });
      const xml = await send({ method: 'POST', url, headers: { 'content-type': 'text/xml' }, body: '<a/>' });
      expect(xml).toMatchObject({ status: 415, body: { code: 'invalid-request' } });
      const nowhere = await send({ method: 'GET', url: '/v1/nowhere', headers: {} });
      expect(nowhere).toMatchObject({
        status: 404,
        body: { code: 'not-found', type: 'urn:kaopass:problem:not-found' },
      });
      const terminal = await opened().terminal();
      const query = await terminal.get('/v1/gallery?limit=501');
      expect(query).toMatchObject({ status: 400, body: { code: 'invalid-request', field: 'querystring.limit' } });
    });
  });

  it('describes itself as OpenAPI, terminals and staff', async () => {
    const { body } = await opened().send({ method: 'GET', url: '/openapi.json', headers: {} });
    const { openapi, paths } = body as {
      openapi: string;
      paths: Record<string, Record<string, { responses: object }>>;
    };
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths).sort()).toEqual([
      '/admin/accounts',
      '/admin/accounts/{accountId}',
      '/admin/accounts/{accountId}/holder',
      '/admin/accounts/{accountId}/status',
      '/admin/activation-codes',
      '/admin/chains/{terminalId}',
      '/admin/counts',
      '/admin/counts/{countId}/settlement',
      '/admin/day-closes',
      '/admin/dispenses',
      '/admin/dispenses/{authorisationId}/settlement',
      '/admin/embedders',
      '/admin/entries',
      '/admin/holds',
      '/admin/incidents',
      '/admin/people',
      '/admin/people/{personId}/erasure',
      '/admin/people/{personId}/pin-unlock',
      '/admin/people/{personId}/template',
      '/admin/protection',
      '/admin/results',
      '/admin/technician-codes',
      '/admin/terminals',
      '/admin/terminals/{terminalId}/dispenser-keys',
      '/admin/terminals/{terminalId}/pin-keys',
      '/admin/terminals/{terminalId}/revocation',
      '/admin/trial-balance',
      '/v1/authorisations',
      '/v1/captures',
      '/v1/claimed-identities',
      '/v1/counts',
      '/v1/day-closes',
      '/v1/deposits',
      '/v1/enrolments',
      '/v1/erasure-receipts',
      '/v1/erasures',
      '/v1/gallery',
      '/v1/health',
      '/v1/inquiries',
      '/v1/payees',
      '/v1/policy',
      '/v1/protection',
      '/v1/protection-receipts',
      '/v1/renewals',
      '/v1/results',
      '/v1/reversals',
      '/v1/stand-ins',
      '/v1/terminals',
      '/v1/transfers',
    ]);
    for (const operations of Object.values(paths)) {
      for (const operation of Object.values(operations)) expect(Object.keys(operation.responses)).toContain('200');
    }
  });

  it('says on which database it stands', async () => {
    const { body } = await opened().send({ method: 'GET', url: '/v1/health', headers: {} });
    expect(body).toEqual({ status: 'ok', database: opened().place.kind, time: opened().clock.now() });
    const activation: ActivateAnswer = (await opened().terminal()).activation;
    expect(activation.pinKey.kid).toMatch(/^[\w-]{43}$/);
  });
});
