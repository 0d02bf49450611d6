import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import type { AuthoriseAnswer } from '../../../src-contract/bank-api.ts';
import { money } from '../../../src-contract/primitives.ts';
import { id, injectInto, type TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase, openBank } from './banks.ts';

const PIN = '2749';
const AT_ONCE = 20;

onEachDatabase((opened) => {
  // On PostgreSQL a second process of the same bank takes every other request.
  let second: Bank | undefined;
  beforeAll(async () => {
    const { place, settings, clock } = opened();
    if (place.kind === 'postgresql') second = await openBank(settings, clock);
  });
  afterAll(async () => await second?.close());
  const spread = (terminal: TestTerminal): TestTerminal[] => [
    terminal,
    second ? terminal.through(injectInto(second.app)) : terminal,
  ];
  const atOnce = <Answer>(terminal: TestTerminal, ask: (terminal: TestTerminal, index: number) => Promise<Answer>) => {
    const processes = spread(terminal);
    return Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(processes[index % 2] as TestTerminal, index)));
  };
  const account = async (personId: string) => {
    const { body } = await opened().admin.get<{
      accounts: { ownerId: string; availableMinor: number; ledgerMinor: number }[];
    }>('/admin/accounts');
    return body.accounts.find(({ ownerId }) => ownerId === personId);
  };
  const balanced = async () =>
    expect((await opened().admin.get('/admin/trial-balance')).body).toMatchObject({ balanced: true });

  describe('twenty at once', () => {
    it('of one authorisation hold once and get one answer', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      const answers = await atOnce(terminal, (through) => through.post('/v1/authorisations', request));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.body).toMatchObject({ outcome: 'approved' });
      expect(await account(personId)).toMatchObject({ availableMinor: 29_000, ledgerMinor: 30_000 });
    });

    it('of one capture move the money once', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      await terminal.post('/v1/authorisations', request);
      const capture = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, amount: money(1_000) };
      const answers = await atOnce(terminal, (through) => through.post('/v1/captures', capture));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.status).toBe(200);
      expect(await account(personId)).toMatchObject({ availableMinor: 29_000, ledgerMinor: 29_000 });
      await balanced();
    });

    it('of one capture under keys of their own move the money once', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 30_000 });
      const request = await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: PIN });
      await terminal.post('/v1/authorisations', request);
      const answers = await atOnce(terminal, (through) =>
        through.post('/v1/captures', {
          idempotencyKey: id(),
          authorisationKey: request.idempotencyKey,
          amount: money(1_000),
        }),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(AT_ONCE - 1);
      expect(await account(personId)).toMatchObject({ ledgerMinor: 29_000 });
    });

    it('different authorisations approve as many as the account can bear, and no more', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_500 });
      const requests: object[] = [];
      for (let count = 0; count < AT_ONCE; count += 1) {
        requests.push(await terminal.authoriseRequest('purchase', personId, { yen: 1_000, pin: null }));
      }
      const answers = await atOnce(terminal, (through, index) =>
        through.post<AuthoriseAnswer>('/v1/authorisations', requests[index] as object),
      );
      expect(answers.filter(({ body }) => body.outcome === 'approved')).toHaveLength(10);
      expect(await account(personId)).toMatchObject({ availableMinor: 500, ledgerMinor: 10_500 });
    });

    it('deposits, captures and stand-ins of two people all arrive', async () => {
      const terminal = await opened().terminal();
      const people = [await terminal.enrol(PIN, { yen: 50_000 }), await terminal.enrol(PIN, { yen: 50_000 })] as const;
      const work: ['/v1/deposits' | '/v1/captures' | '/v1/stand-ins', object][] = [];
      for (let count = 0; count < AT_ONCE; count += 1) {
        const personId = people[count % 2 === 0 ? 0 : 1];
        if (count % 3 === 0) work.push(['/v1/deposits', await terminal.depositRequest(personId, 100)]);
        else if (count % 3 === 1) work.push(['/v1/stand-ins', await terminal.standInRequest(personId, 100)]);
        else {
          const request = await terminal.authoriseRequest('purchase', personId, { yen: 100, pin: null });
          await terminal.post('/v1/authorisations', request);
          const authorisationKey = request.idempotencyKey;
          work.push(['/v1/captures', { idempotencyKey: id(), authorisationKey, amount: money(100) }]);
        }
      }
      const answers = await atOnce(terminal, (through, index) => {
        const [url, request] = work[index] as (typeof work)[number];
        return through.post(url, request);
      });
      expect(answers.map(({ status }) => status)).toEqual(Array(AT_ONCE).fill(200));
      // 7 deposits, 7 stand-ins, 6 captures of ¥100 each.
      const total = await Promise.all(people.map(async (personId) => (await account(personId))?.ledgerMinor ?? 0));
      expect(total[0]! + total[1]!).toBe(100_000 + 700 - 700 - 600);
      await balanced();
    });

    it('wrong PINs count one by one: three are told so and the rest find it locked', async () => {
      const terminal = await opened().terminal();
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const requests: object[] = [];
      for (let count = 0; count < AT_ONCE; count += 1) {
        requests.push(await terminal.authoriseRequest('withdraw', personId, { yen: 1_000, pin: '1357' }));
      }
      const answers = await atOnce(terminal, (through, index) =>
        through.post<{ reason: string }>('/v1/authorisations', requests[index] as object),
      );
      const count = (reason: string) => answers.filter(({ body }) => body.reason === reason).length;
      expect([count('pin-wrong'), count('pin-locked')]).toEqual([2, AT_ONCE - 2]);
    });
  });

  it('an authorisation and its reversal at once leave nothing held, whichever was first', async () => {
    const terminal = await opened().terminal();
    const personId = await terminal.enrol(PIN, { yen: 10_000 });
    for (let round = 0; round < 10; round += 1) {
      const [one, other] = spread(terminal) as [TestTerminal, TestTerminal];
      const request = await terminal.authoriseRequest('purchase', personId, { yen: 1_000, pin: null });
      const reversal = { idempotencyKey: id(), authorisationKey: request.idempotencyKey, reason: 'no answer' };
      const [authorised, reversed] = await Promise.all([
        one.post('/v1/authorisations', request),
        other.post('/v1/reversals', reversal),
      ]);
      expect([200, 409]).toContain(authorised.status);
      expect(reversed.status).toBe(200);
      expect(await account(personId)).toMatchObject({ availableMinor: 10_000 });
    }
  });

  it('a capture and a reversal at once: one of them, never both', async () => {
    const terminal = await opened().terminal();
    const personId = await terminal.enrol(PIN, { yen: 10_000 });
    let left = 10_000;
    for (let round = 0; round < 10; round += 1) {
      const [one, other] = spread(terminal) as [TestTerminal, TestTerminal];
      const request = await terminal.authoriseRequest('purchase', personId, { yen: 100, pin: null });
      await terminal.post('/v1/authorisations', request);
      const authorisationKey = request.idempotencyKey;
      const [captured, reversed] = await Promise.all([
        one.post('/v1/captures', { idempotencyKey: id(), authorisationKey, amount: money(100) }),
        other.post('/v1/reversals', { idempotencyKey: id(), authorisationKey, reason: 'confused' }),
      ]);
      expect([captured.status, reversed.status].sort()).toEqual([200, 409]);
      if (captured.status === 200) left -= 100;
      expect(await account(personId)).toMatchObject({ availableMinor: left, ledgerMinor: left });
    }
  });

  it('money that is held is not lent twice while the hold turns into an entry', async () => {
    const terminal = await opened().terminal();
    const personId = await terminal.enrol(PIN, { yen: 1_000 });
    for (let round = 0; round < 5; round += 1) {
      const held: { idempotencyKey: string }[] = [];
      const wanted: object[] = [];
      for (let count = 0; count < AT_ONCE / 2; count += 1) {
        held.push(await terminal.authoriseRequest('purchase', personId, { yen: 100, pin: null }));
        wanted.push(await terminal.authoriseRequest('purchase', personId, { yen: 100, pin: null }));
      }
      for (const request of held) await terminal.post('/v1/authorisations', request);
      const answers = await atOnce(terminal, (through, index) => {
        const pair = Math.floor(index / 2);
        if (index % 2 === 1) return through.post<AuthoriseAnswer>('/v1/authorisations', wanted[pair] as object);
        const authorisationKey = held[pair]?.idempotencyKey;
        return through.post<AuthoriseAnswer>('/v1/captures', {
          ...{ idempotencyKey: id(), authorisationKey },
          amount: money(100),
        });
      });
      expect(answers.map(({ body }) => body.outcome).sort()).toEqual([
        ...Array(AT_ONCE / 2).fill('declined'),
        ...Array(AT_ONCE / 2).fill('posted'),
      ]);
      expect(await account(personId)).toMatchObject({ availableMinor: 0, ledgerMinor: 0 });
      await terminal.post('/v1/deposits', await terminal.depositRequest(personId, 1_000));
    }
  });

  it('one request overheard and sent to both processes at once is answered once', async () => {
    const terminal = await opened().terminal();
    const authorization = `Bearer ${await terminal.assertion('GET', '/v1/policy', '')}`;
    const sends = [opened().send, second ? injectInto(second.app) : opened().send];
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        (sends[index % 2] as typeof opened extends () => { send: infer S } ? S : never)({
          method: 'GET',
          url: '/v1/policy',
          headers: { authorization },
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(AT_ONCE - 1);
  });
});
