import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import type { AuthoriseAnswer } from '../../../src-contract/bank-api.ts';
import type { InquiryAnswer } from '../../../src-contract/inquiry.ts';
import { id, injectInto, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres, openBank } from './banks.ts';

const PIN = '2749';

onPostgres((opened) => {
  // On PostgreSQL a second process of the same bank takes every other request.
  let second: Bank | undefined;
  beforeAll(async () => {
    const { place, settings, clock } = opened();
    if (place.kind === 'postgresql') second = await openBank(settings, clock);
  });
  afterAll(async () => await second?.close());

  const asks = async (terminal: TestTerminal, about: string, { bar = false, idempotencyKey = id() } = {}) =>
    await terminal.post<InquiryAnswer>('/v1/inquiries', { idempotencyKey, about, bar });
  const withdrawal = async (terminal: TestTerminal, yen = 10_000) => {
    const personId = await terminal.enrol(PIN, { yen: 30_000 });
    return { personId, request: await terminal.authoriseRequest('withdraw', personId, { yen, pin: PIN }) };
  };
  const available = async (personId: string) => {
    type Accounts = { accounts: { ownerId: string; availableMinor: number }[] };
    const { body } = await opened().admin.get<Accounts>('/admin/accounts');
    return body.accounts.find(({ ownerId }) => ownerId === personId)?.availableMinor;
  };

  describe('a question about a request', () => {
    it('is answered with what was answered then, whether money is held or not', async () => {
      const terminal = await opened().terminal();
      const { request } = await withdrawal(terminal);
      const approved = await terminal.post('/v1/authorisations', request);
      expect(await asks(terminal, request.idempotencyKey)).toEqual({
        status: 200,
        body: { outcome: 'done', operation: 'authorise', answer: approved.body },
      });
      const { request: tooMuch } = await withdrawal(terminal, 40_000);
      await terminal.post('/v1/authorisations', tooMuch);
      expect((await asks(terminal, tooMuch.idempotencyKey, { bar: true })).body).toMatchObject({
        outcome: 'done',
        answer: { outcome: 'declined', reason: 'insufficient-funds' },
      });
    });

    it('that never arrived says so, and leaves it its effect when it does', async () => {
      const terminal = await opened().terminal();
      const { request, personId } = await withdrawal(terminal);
      expect((await asks(terminal, request.idempotencyKey)).body).toEqual({ outcome: 'unknown' });
      expect((await terminal.post<AuthoriseAnswer>('/v1/authorisations', request)).body.outcome).toBe('approved');
      expect(await available(personId)).toBe(20_000);
    });

    it('bars one that never arrived, for good', async () => {
      const terminal = await opened().terminal();
      const { request, personId } = await withdrawal(terminal);
      expect((await asks(terminal, request.idempotencyKey, { bar: true })).body).toEqual({ outcome: 'barred' });
      const late = await terminal.post('/v1/authorisations', request);
      expect(late).toMatchObject({ status: 409, body: { code: 'conflict', field: 'idempotencyKey' } });
      expect(await available(personId)).toBe(30_000);
      for (const bar of [true, false]) {
        expect((await asks(terminal, request.idempotencyKey, { bar })).body).toEqual({ outcome: 'barred' });
      }
    });

    it('bars a request of any kind', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN);
      const request = await terminal.depositRequest(personId, 5_000);
      expect((await asks(terminal, request.idempotencyKey, { bar: true })).body).toEqual({ outcome: 'barred' });
      const late = await terminal.post('/v1/deposits', request);
      expect(late).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await available(personId)).toBe(0);
    });

    it('knows what a reversal barred', async () => {
      const terminal = await opened().terminal();
      const { request } = await withdrawal(terminal);
      const authorisationKey = request.idempotencyKey;
      await terminal.post('/v1/reversals', { idempotencyKey: id(), authorisationKey, reason: 'no-answer' });
      expect((await asks(terminal, authorisationKey)).body).toEqual({ outcome: 'barred' });
    });

    it('repeated under its key gets the first answer, and a new key asks anew', async () => {
      const terminal = await opened().terminal();
      const { request } = await withdrawal(terminal);
      const idempotencyKey = id();
      const first = await asks(terminal, request.idempotencyKey, { idempotencyKey });
      await terminal.post('/v1/authorisations', request);
      expect(await asks(terminal, request.idempotencyKey, { idempotencyKey })).toEqual(first);
      expect((await asks(terminal, request.idempotencyKey)).body).toMatchObject({ outcome: 'done' });
      const other = await asks(terminal, request.idempotencyKey, { idempotencyKey, bar: true });
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-key-reused' } });
    });

    it('tells nothing of another terminal, and bars nothing of it', async () => {
      const terminal = await opened().terminal();
      const stranger = await opened().terminal();
      const { request } = await withdrawal(terminal);
      const late = await terminal.authoriseRequest('withdraw', await terminal.enrol(PIN, { yen: 5_000 }), {
        yen: 1_000,
        pin: PIN,
      });
      await terminal.post('/v1/authorisations', request);
      expect((await asks(stranger, request.idempotencyKey)).body).toEqual({ outcome: 'unknown' });
      expect((await asks(stranger, late.idempotencyKey, { bar: true })).body).toEqual({ outcome: 'barred' });
      expect((await terminal.post<AuthoriseAnswer>('/v1/authorisations', late)).body.outcome).toBe('approved');
    });

    it.each([
      ['about itself', (key: string) => ({ idempotencyKey: key, about: key, bar: true }), 'about'],
      ['that does not say whether to bar', (key: string) => ({ idempotencyKey: key, about: id() }), 'bar'],
      ['about no key', (key: string) => ({ idempotencyKey: key, about: 'the last one', bar: true }), 'about'],
    ])('%s is refused with the field named, and leaves nothing', async (_, body, field) => {
      const terminal = await opened().terminal();
      const key = id();
      expect(await terminal.post('/v1/inquiries', body(key))).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', field },
      });
      expect((await asks(terminal, id(), { idempotencyKey: key })).body).toEqual({ outcome: 'unknown' });
    });
  });

  describe('ten questions that bar, and the request, at once', () => {
    it.each([0, 5, 10])('agree on whether it had its effect (request as number %i)', async (place) => {
      const terminal = await opened().terminal();
      const processes = [terminal, second ? terminal.through(injectInto(second.app)) : terminal] as const;
      const { request, personId } = await withdrawal(terminal);
      const questions = Array.from(
        { length: 10 },
        (_, index) => () => asks(processes[index % 2]!, request.idempotencyKey, { bar: true }),
      );
      const send = async () => await processes[1]!.post<AuthoriseAnswer>('/v1/authorisations', request);
      const [before, after] = [questions.slice(0, place), questions.slice(place)];
      const asked = before.map((ask) => ask());
      const sent = send();
      asked.push(...after.map((ask) => ask()));
      const outcomes = new Set((await Promise.all(asked)).map(({ body }) => body.outcome));
      const approved = (await sent).status === 200;
      expect([...outcomes]).toEqual([approved ? 'done' : 'barred']);
      expect(await available(personId)).toBe(approved ? 20_000 : 30_000);
    });
  });
});
