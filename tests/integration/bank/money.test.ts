import { describe, expect, it } from 'vitest';
import type { AuthoriseAnswer, PostingAnswer } from '../../../src-contract/bank-api.ts';
import { money } from '../../../src-contract/primitives.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase } from './banks.ts';

const PIN = '2749';
const approved = expect.objectContaining({ outcome: 'approved' });

onEachDatabase((opened) => {
  const authorise = (terminal: TestTerminal, request: object) =>
    terminal.post<AuthoriseAnswer>('/v1/authorisations', request);
  const available = async (personId: string) => {
    const { body } = await opened().admin.get<{ accounts: { ownerId: string; availableMinor: number }[] }>(
      '/admin/accounts',
    );
    return body.accounts.find((account) => account.ownerId === personId)?.availableMinor;
  };
  const kindBalance = async (kind: string, ownerId: string | null) => {
    const { body } = await opened().admin.get<{
      accounts: { kind: string; ownerId: string | null; ledgerMinor: number }[];
    }>('/admin/accounts');
    return body.accounts.find((account) => account.kind === kind && account.ownerId === ownerId)?.ledgerMinor ?? 0;
  };
  const incidents = async (code: string, evidence: string) => {
    const { body } = await opened().admin.get<{ incidents: { code: string; evidence: string; occurrences: number }[] }>(
      '/admin/incidents',
    );
    return body.incidents.filter((incident) => incident.code === code && incident.evidence.includes(evidence));
  };

  describe('a deposit', () => {
    it('credits the person and shows the cash in the terminal', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const answer = await terminal.post<PostingAnswer>(
        '/v1/deposits',
        await terminal.depositRequest(personId, 30_000),
      );
      expect(answer.body).toMatchObject({ outcome: 'posted', account: { available: money(30_000) } });
      expect(await kindBalance('cash', terminal.terminalId)).toBe(-30_000);
    });

    it('is posted once, and a repeat gets the first answer', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const request = await terminal.depositRequest(personId, 30_000);
      const first = await terminal.post('/v1/deposits', request);
      expect(await terminal.post('/v1/deposits', request)).toEqual(first);
      expect(await available(personId)).toBe(30_000);
    });

    it('refuses the same key with another amount, and the same transaction under another key', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const request = await terminal.depositRequest(personId, 1_000);
      await terminal.post('/v1/deposits', request);
      const other = await terminal.post('/v1/deposits', { ...request, amount: money(2_000) });
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-key-reused' } });
      const again = await terminal.post('/v1/deposits', { ...request, idempotencyKey: id() });
      expect(again).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await available(personId)).toBe(1_000);
    });

    it("is refused on another person's match result", async () => {
      const terminal = await opened().terminal();
      const [seen, other] = [await terminal.enrol(PIN), await terminal.enrol(PIN)];
      const request = { ...(await terminal.depositRequest(seen, 5_000)), personId: other };
      expect(await terminal.post('/v1/deposits', request)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await available(other)).toBe(0);
      expect(await incidents('conflict', request.transactionId)).toHaveLength(1);
    });

    it('may be counted after the face was seen', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const transactionId = id();
      const resultId = await terminal.recognise('deposit', personId, { transactionId, yen: null });
      const request = { idempotencyKey: id(), transactionId, personId, amount: money(7_000), resultId };
      expect(await terminal.post('/v1/deposits', request)).toMatchObject({ status: 200 });
    });
  });

  describe('a withdrawal', () => {
    it('holds the money, moves it when captured, and the books balance', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 20_000, pin: PIN });
      const held = await authorise(terminal, request);
      expect(held.body).toMatchObject({
        outcome: 'approved',
        account: { available: money(10_000), ledger: money(30_000) },
      });
      const captured = await terminal.post<PostingAnswer>('/v1/captures', {
        idempotencyKey: id(),
        authorisationKey: request.idempotencyKey,
        amount: money(20_000),
      });
      expect(captured.body.account).toMatchObject({ available: money(10_000), ledger: money(10_000) });
      expect(await kindBalance('cash', terminal.terminalId)).toBe(-10_000);
      const { body } = await opened().admin.get('/admin/trial-balance');
      expect(body).toMatchObject({ balanced: true, mismatched: [] });
    });

    it('releases what was held but not dispensed', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 20_000, pin: PIN });
      await authorise(terminal, request);
      await terminal.post('/v1/captures', {
        idempotencyKey: id(),
        authorisationKey: request.idempotencyKey,
        amount: money(5_000),
      });
      expect(await available(personId)).toBe(25_000);
    });

    it('refuses to capture more than was held, twice, or what was reversed', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 10_000, pin: PIN });
      const capture = (yen: number) =>
        terminal.post('/v1/captures', {
          idempotencyKey: id(),
          authorisationKey: request.idempotencyKey,
          amount: money(yen),
        });
      await authorise(terminal, request);
      expect(await capture(10_001)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await capture(10_000)).toMatchObject({ status: 200 });
      expect(await capture(10_000)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      const reversal = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, reason: 'late' };
      expect(await terminal.post('/v1/reversals', reversal)).toMatchObject({ status: 409 });
      expect(await available(personId)).toBe(20_000);
      expect(await incidents('conflict', request.idempotencyKey)).toHaveLength(1);
    });

    it('can still be captured when the hold has expired, because the money has moved', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 10_000, pin: PIN });
      await authorise(terminal, request);
      opened().clock.ms += 8 * 24 * 60 * 60 * 1000;
      expect(await available(personId)).toBe(30_000);
      const capture = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, amount: money(10_000) };
      expect(await terminal.post('/v1/captures', capture)).toMatchObject({ status: 200 });
      expect(await available(personId)).toBe(20_000);
    });

    it('is declined beyond the funds, telling how much there is only to who knows the PIN', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 1_000 });
      const withPin = await terminal.authoriseRequest('withdraw', personId, { yen: 2_000, pin: PIN });
      expect((await authorise(terminal, withPin)).body).toMatchObject({
        reason: 'insufficient-funds',
        available: money(1_000),
      });
      const faceOnly = await terminal.authoriseRequest('purchase', personId, { yen: 2_000, pin: null });
      expect((await authorise(terminal, faceOnly)).body).toMatchObject({
        reason: 'insufficient-funds',
        available: null,
      });
    });

    it('is declined above the limit and without a PIN', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 900_000 });
      const big = await terminal.authoriseRequest('withdraw', personId, { yen: 500_001, pin: PIN });
      expect((await authorise(terminal, big)).body).toMatchObject({ outcome: 'declined', reason: 'over-limit' });
      const bare = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: null });
      expect((await authorise(terminal, bare)).body).toMatchObject({ outcome: 'declined', reason: 'pin-required' });
      expect(await available(personId)).toBe(900_000);
    });
  });

  describe('a match result', () => {
    it('must have arrived', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      expect(await authorise(terminal, { ...request, resultId: id() })).toMatchObject({
        status: 409,
        body: { code: 'result-missing', field: 'resultId' },
      });
      // Nothing was recorded under the key, so it serves once the result is there. The PIN block was not spent either.
      expect((await authorise(terminal, request)).body).toEqual(approved);
    });

    it.each([
      ['of another person', { personId: id() }],
      ['of another transaction', { transactionId: id() }],
      ['of another amount', { amount: money(999) }],
      ['of another service', { service: 'purchase' }],
      ['of an enrolment', { outcome: 'enrolled' }],
      ['of a refusal', { outcome: 'refused', reason: 'nobody', personId: null }],
      ['without a living face', { liveness: { frames: 9, passive: 0.2, cues: ['frozen-feed'], decision: 'attack' } }],
      [
        'less certain than the policy wants',
        { comparison: { score: 0.4, runnerUpScore: null, gallerySize: 1, estimatedFmr: 2e-4 } },
      ],
    ] as const)('%s does not support a withdrawal', async (_case, change) => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const transactionId = id();
      const { resultId, jws } = await terminal.nextResult({
        ...{ service: 'withdraw', personId, transactionId, amount: money(1_000) },
        ...change,
      });
      await terminal.post('/v1/results', { results: [jws] });
      const answer = await authorise(terminal, {
        ...{ idempotencyKey: id(), transactionId, service: 'withdraw', personId, amount: money(1_000), resultId },
        pinBlock: await terminal.pinBlock(PIN, { boundTo: transactionId }),
      });
      expect(answer.body).toMatchObject({ outcome: 'declined', reason: 'result-not-accepted' });
      expect(await available(personId)).toBe(10_000);
    });

    it('of another terminal does not support a withdrawal', async () => {
      const [here, there] = [await opened().terminal(), await opened().terminal()];
      const personId = await here.enrol(PIN, { yen: 10_000 });
      const request = await there.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      expect((await authorise(here, request)).body).toMatchObject({ reason: 'result-not-accepted' });
    });

    it('serves one transaction only', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const resultId = await terminal.recognise('balance', personId, { transactionId: null, yen: null });
      const balance = async (transactionId: string) =>
        await authorise(terminal, {
          ...{ idempotencyKey: id(), transactionId, service: 'balance', personId, amount: null, resultId },
          pinBlock: await terminal.pinBlock(PIN, { boundTo: transactionId }),
        });
      expect((await balance(id())).body).toMatchObject({ outcome: 'approved', account: { available: money(10_000) } });
      expect((await balance(id())).body).toMatchObject({ outcome: 'declined', reason: 'result-not-accepted' });
    });
  });

  describe('the PIN', () => {
    it('is locked after three wrong ones in a row, and the right one then does not help until staff unlock it', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const attempt = async (pin: string) =>
        (await authorise(terminal, await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin }))).body;
      expect(await attempt('1357')).toMatchObject({ reason: 'pin-wrong', attemptsLeft: 2 });
      expect(await attempt('1357')).toMatchObject({ reason: 'pin-wrong', attemptsLeft: 1 });
      expect(await attempt(PIN)).toEqual(approved);
      expect(await attempt('1357')).toMatchObject({ reason: 'pin-wrong', attemptsLeft: 2 });
      expect(await attempt('1357')).toMatchObject({ reason: 'pin-wrong', attemptsLeft: 1 });
      expect(await attempt('1357')).toMatchObject({ reason: 'pin-locked', attemptsLeft: 0 });
      expect(await attempt(PIN)).toMatchObject({ reason: 'pin-locked', attemptsLeft: 0 });
      await opened().admin.post(`/admin/people/${personId}/pin-unlock`);
      expect(await attempt(PIN)).toEqual(approved);
    });

    it('is not counted again when the same request is repeated', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: '1357' });
      const first = await authorise(terminal, request);
      for (let repeat = 0; repeat < 4; repeat += 1) expect(await authorise(terminal, request)).toEqual(first);
      const good = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      expect((await authorise(terminal, good)).body).toEqual(approved);
    });

    it.each([
      ['made for another transaction', { boundTo: id() }],
      ['with another kid', { kid: 'another' }],
      ['of another typ', { typ: 'JWE' }],
      ['with a field that is not format 4', { pinField: '342749FFFFFFFFFF' }],
    ])('block %s is refused by name and costs no attempt', async (_case, options) => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: null });
      const pinBlock = await terminal.pinBlock(PIN, { boundTo: request.transactionId, ...options });
      expect(await authorise(terminal, { ...request, pinBlock })).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', field: 'pinBlock' },
      });
      const right = await terminal.pinBlock(PIN, { boundTo: request.transactionId });
      expect((await authorise(terminal, { ...request, pinBlock: right })).body).toEqual(approved);
    });

    it('block is good once', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: '1357' });
      await authorise(terminal, request);
      const replayed = await authorise(terminal, { ...request, idempotencyKey: id() });
      expect(replayed).toMatchObject({ status: 400, body: { code: 'invalid-request', field: 'pinBlock' } });
      const { body } = await opened().admin.get<{ incidents: { code: string; terminalId: string }[] }>(
        '/admin/incidents',
      );
      expect(body.incidents).toContainEqual(
        expect.objectContaining({ code: 'pin-block-replayed', terminalId: terminal.terminalId }),
      );
    });
  });

  describe('a purchase', () => {
    it('needs the face alone up to ¥3,000, and is owed to the shop', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const small = await terminal.authoriseRequest('purchase', personId, { yen: 3_000, pin: null });
      expect((await authorise(terminal, small)).body).toEqual(approved);
      const capture = { idempotencyKey: id(), authorisationKey: small.idempotencyKey, amount: money(3_000) };
      await terminal.post('/v1/captures', capture);
      expect(await kindBalance('merchant', terminal.terminalId)).toBe(3_000);
      const large = await terminal.authoriseRequest('purchase', personId, { yen: 3_001, pin: null });
      expect((await authorise(terminal, large)).body).toMatchObject({ reason: 'pin-required' });
    });

    it('wants the PIN at any amount from who has a look-alike, on either side', async () => {
      const terminal = await opened().terminal();
      const first = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.enrolRequest(PIN, { lookAlikeOf: first });
      await terminal.post('/v1/enrolments', request);
      for (const personId of [first, request.personId]) {
        const purchase = await terminal.authoriseRequest('purchase', personId, { yen: 100, pin: null });
        expect((await authorise(terminal, purchase)).body).toMatchObject({ reason: 'pin-required' });
      }
    });
  });

  describe('a reversal', () => {
    it('gives the held money back, as often as it is said', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 4_000, pin: PIN });
      await authorise(terminal, request);
      for (let repeat = 0; repeat < 2; repeat += 1) {
        const reversal = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, reason: 'jammed' };
        const answer = await terminal.post<PostingAnswer>('/v1/reversals', reversal);
        expect(answer.body.account?.available).toEqual(money(10_000));
      }
      const capture = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, amount: money(4_000) };
      expect(await terminal.post('/v1/captures', capture)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    });

    it('bars an authorisation that arrives after it', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 4_000, pin: PIN });
      const reversal = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, reason: 'no answer' };
      expect((await terminal.post('/v1/reversals', reversal)).body).toEqual({ outcome: 'posted', account: null });
      expect(await authorise(terminal, request)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await available(personId)).toBe(10_000);
    });

    it('of a declined authorisation changes nothing', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 4_000, pin: PIN });
      await authorise(terminal, request);
      const reversal = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, reason: 'declined' };
      expect((await terminal.post('/v1/reversals', reversal)).body).toEqual({ outcome: 'posted', account: null });
    });
  });

  describe('a stand-in', () => {
    it('is posted even when it overdraws, and the terminal is shown an empty account', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 500 });
      const answer = await terminal.post<PostingAnswer>('/v1/stand-ins', await terminal.standInRequest(personId, 800));
      expect(answer.body.account).toMatchObject({ available: money(0), ledger: money(0) });
      expect(await available(personId)).toBe(-300);
      expect(await kindBalance('merchant', terminal.terminalId)).toBe(800);
    });

    it('is posted to a person who was erased meanwhile', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 1_000 });
      const request = await terminal.standInRequest(personId, 800);
      await opened().admin.delete(`/admin/people/${personId}/template`);
      expect(await terminal.post('/v1/stand-ins', request)).toMatchObject({ status: 200 });
      expect(await available(personId)).toBe(200);
    });

    it('without evidence is paid by suspense, not by the person named, and is looked at', async () => {
      const terminal = await opened().terminal();
      const [seen, named] = [await terminal.enrol(PIN), await terminal.enrol(PIN, { yen: 1_000 })];
      const before = await kindBalance('suspense', null);
      const request = { ...(await terminal.standInRequest(seen, 800)), personId: named };
      expect((await terminal.post('/v1/stand-ins', request)).body).toEqual({ outcome: 'posted', account: null });
      expect(await available(named)).toBe(1_000);
      expect(await kindBalance('suspense', null)).toBe(before - 800);
      expect(await incidents('stand-in-without-evidence', request.transactionId)).toHaveLength(1);
    });

    it('above the limit is posted and looked at', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const request = await terminal.standInRequest(personId, 3_001);
      expect(await terminal.post('/v1/stand-ins', request)).toMatchObject({ status: 200 });
      expect(await incidents('stand-in-over-limit', request.transactionId)).toHaveLength(1);
    });
  });

  it('keeps accounts in yen only, and moves no amount of zero', async () => {
    const terminal = await opened().terminal();
    const personId = await terminal.enrol(PIN);
    const request = await terminal.depositRequest(personId, 1_000);
    const inEuro = await terminal.post('/v1/deposits', { ...request, amount: { amountMinor: 1_000, currency: 'EUR' } });
    expect(inEuro).toMatchObject({ status: 400, body: { code: 'invalid-request', field: 'amount.currency' } });
    const nothing = await terminal.post('/v1/deposits', { ...request, amount: money(0) });
    expect(nothing).toMatchObject({ status: 400, body: { code: 'invalid-request', field: 'amount.amountMinor' } });
  });
});
