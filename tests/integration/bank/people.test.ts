import { describe, expect, it } from 'vitest';
import type { EnrolAnswer, GalleryAnswer } from '../../../src-contract/bank-api.ts';
import { GalleryAnswer as GalleryAnswerSchema } from '../../../src-contract/bank-api.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

const PIN = '2749';

onPostgres((opened) => {
  const enrol = (terminal: TestTerminal, request: object) => terminal.post<EnrolAnswer>('/v1/enrolments', request);
  const people = async () =>
    (
      await opened().admin.get<{
        people: {
          personId: string;
          status: string;
          hasTemplate: boolean;
          consents: { version: string; language: string; withdrawnAt: number | null }[];
        }[];
      }>('/admin/people')
    ).body.people;
  const accounts = async () =>
    (await opened().admin.get<{ accounts: unknown[] }>('/admin/accounts')).body.accounts.length;
  const feed = async (terminal: TestTerminal, after: number, limit = 500) => {
    const { body } = await terminal.get<GalleryAnswer>(`/v1/gallery?after=${after}&limit=${limit}`);
    return GalleryAnswerSchema.parse(body);
  };
  const wholeFeed = async (terminal: TestTerminal, limit = 500) => {
    const entries: GalleryAnswer['entries'] = [];
    for (let next = 0, more = true; more; ) {
      const page = await feed(terminal, next, limit);
      expect(page.entries.length).toBeLessThanOrEqual(limit);
      entries.push(...page.entries);
      ({ next, more } = page);
    }
    return entries;
  };

  describe('enrolment', () => {
    it('records consent, opens an empty account and tells the other terminals', async () => {
      const [terminal, another] = [await opened().terminal(), await opened().terminal()];
      const request = await terminal.enrolRequest(PIN);
      const { body } = await enrol(terminal, request);
      expect(body).toMatchObject({ outcome: 'enrolled', personId: request.personId });
      expect((await people()).find(({ personId }) => personId === request.personId)).toMatchObject({
        status: 'enrolled',
        hasTemplate: true,
        consents: [{ version: request.consent.version, language: 'ja', withdrawnAt: null }],
      });
      const entry = (await wholeFeed(another)).find(({ personId }) => personId === request.personId);
      expect(entry).toMatchObject({ kind: 'put', template: request.template, lookAlikeOf: null });
    });

    it('happens once however often it is asked for at once', async () => {
      const terminal = await opened().terminal();
      const request = await terminal.enrolRequest(PIN);
      const before = await accounts();
      const answers = await Promise.all(Array.from({ length: 20 }, () => enrol(terminal, request)));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.status).toBe(200);
      expect(await accounts()).toBe(before + 1);
    });

    it.each([
      ['1111', 'one digit'],
      ['1234', 'a run'],
      ['9876', 'a run down'],
      ['7890', 'a run through zero'],
      ['1212', 'a common one'],
    ])('refuses the PIN %s (%s) and registers nobody; another PIN then serves', async (pin) => {
      const terminal = await opened().terminal();
      const request = await terminal.enrolRequest(pin);
      expect((await enrol(terminal, request)).body).toEqual({ outcome: 'refused', reason: 'pin-too-simple' });
      expect((await people()).map(({ personId }) => personId)).not.toContain(request.personId);
      const { personId } = request;
      const better = [
        await terminal.pinBlock(PIN, { boundTo: personId }),
        await terminal.pinBlock(PIN, { boundTo: personId }),
      ];
      const again = await enrol(terminal, { ...request, idempotencyKey: id(), pinBlocks: better });
      expect(again.body).toMatchObject({ outcome: 'enrolled' });
    });

    it('refuses two PINs that differ, an outdated consent, and a person known already', async () => {
      const terminal = await opened().terminal();
      const personId = id();
      const pinBlocks = [
        await terminal.pinBlock(PIN, { boundTo: personId }),
        await terminal.pinBlock('2750', { boundTo: personId }),
      ];
      const differing = await enrol(terminal, await terminal.enrolRequest(PIN, { personId, pinBlocks }));
      expect(differing.body).toEqual({ outcome: 'refused', reason: 'pin-mismatch' });
      const consent = { version: '2019-1', language: 'ja', agreedAt: opened().clock.now() };
      const outdated = await enrol(terminal, await terminal.enrolRequest(PIN, { consent }));
      expect(outdated.body).toEqual({ outcome: 'refused', reason: 'consent-outdated' });
      const known = await enrol(terminal, await terminal.enrolRequest(PIN, { personId: await terminal.enrol(PIN) }));
      expect(known.body).toEqual({ outcome: 'refused', reason: 'already-enrolled' });
    });

    it('refuses the same PIN block twice', async () => {
      const terminal = await opened().terminal();
      const personId = id();
      const block = await terminal.pinBlock(PIN, { boundTo: personId });
      const answer = await enrol(terminal, await terminal.enrolRequest(PIN, { personId, pinBlocks: [block, block] }));
      expect(answer).toMatchObject({ status: 400, body: { field: 'pinBlocks.1' } });
    });

    it("refuses a result of another person, and another platform's or misshapen templates", async () => {
      const terminal = await opened().terminal();
      const request = await terminal.enrolRequest(PIN);
      const other = await terminal.nextResult({ service: 'enrol', outcome: 'enrolled', personId: id() });
      // The first result was never delivered: the chain has a gap there.
      expect(await enrol(terminal, { ...request, result: other.jws })).toMatchObject({ body: { code: 'result-gap' } });
      await terminal.post('/v1/results', { results: [request.result] });
      expect(await enrol(terminal, { ...request, result: other.jws })).toMatchObject({
        status: 409,
        body: { code: 'conflict' },
      });
      const refuse = async (template: object, field: string) => {
        const answer = await enrol(terminal, { ...request, template: { ...request.template, ...template } });
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request', field } });
      };
      await refuse({ protectionVersion: 'p0' }, 'template.protectionVersion');
      await refuse({ dimensions: 511 }, 'template.values');
      await refuse({ values: Buffer.alloc(2048).toString('base64url') }, 'template.values');
      await refuse({ values: Buffer.alloc(2048, 0xff).toString('base64url') }, 'template.values');
      expect((await enrol(terminal, request)).body).toMatchObject({ outcome: 'enrolled' });
    });

    it('refuses a look-alike who was never enrolled', async () => {
      const terminal = await opened().terminal();
      const answer = await enrol(terminal, await terminal.enrolRequest(PIN, { lookAlikeOf: id() }));
      expect(answer).toMatchObject({ status: 400, body: { field: 'lookAlikeOf' } });
    });
  });

  describe('the gallery feed', () => {
    it('is the same in pages of any size, in order, without gaps in what is new', async () => {
      const terminal = await opened().terminal();
      const before = (await wholeFeed(terminal)).at(-1)?.cursor ?? 0;
      const added = [await terminal.enrol(PIN), await terminal.enrol(PIN), await terminal.enrol(PIN)];
      const news = (await wholeFeed(terminal, 2)).filter(({ cursor }) => cursor > before);
      expect(news.map(({ personId }) => personId)).toEqual(added);
      expect(news.map(({ cursor }) => cursor)).toEqual([before + 1, before + 2, before + 3]);
      expect(await feed(terminal, before + 3)).toMatchObject({ entries: [], next: before + 3, more: false });
    });

    it('shows each of twenty enrolments at once to a reader who keeps reading meanwhile', async () => {
      const terminal = await opened().terminal();
      const start = (await wholeFeed(terminal)).at(-1)?.cursor ?? 0;
      const requests = [];
      for (let person = 0; person < 20; person += 1) requests.push(await terminal.enrolRequest(PIN));
      await terminal.post('/v1/results', { results: requests.map(({ result }) => result) });
      const seen: string[] = [];
      let done = false;
      const reading = (async () => {
        for (let after = start; ; ) {
          // What was asked for before the last was enrolled may not show it.
          const last = done;
          const page = await feed(terminal, after);
          seen.push(...page.entries.map(({ personId }) => personId));
          after = page.next;
          if (last && page.entries.length === 0) return;
        }
      })();
      try {
        const answers = await Promise.all(requests.map((request) => enrol(terminal, request)));
        for (const { body } of answers) expect(body).toMatchObject({ outcome: 'enrolled' });
      } finally {
        done = true;
      }
      await reading;
      expect(seen.sort()).toEqual(requests.map(({ personId }) => personId).sort());
    });
  });

  describe('erasure', () => {
    it('takes the template away everywhere, ends the consent, and keeps the money', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 5_000 });
      const cursor = (await wholeFeed(terminal)).at(-1)?.cursor ?? 0;
      const { body } = await opened().admin.delete(`/admin/people/${personId}/template`);
      expect(body).toEqual({ erased: 'now' });
      expect((await feed(terminal, cursor)).entries).toEqual([{ kind: 'erase', cursor: cursor + 1, personId }]);
      expect((await wholeFeed(terminal)).filter((entry) => entry.personId === personId)).toHaveLength(1);
      const person = (await people()).find((one) => one.personId === personId);
      expect(person).toMatchObject({
        status: 'erased',
        hasTemplate: false,
        consents: [{ withdrawnAt: opened().clock.now() }],
      });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      const declined = await terminal.post('/v1/authorisations', request);
      expect(declined.body).toMatchObject({ outcome: 'declined', reason: 'unknown-person' });
      const again = await opened().admin.delete(`/admin/people/${personId}/template`);
      expect(again.body).toEqual({ erased: 'before' });
    });

    it('of somebody unknown is not found', async () => {
      const answer = await opened().admin.delete(`/admin/people/${id()}/template`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    });
  });
});
