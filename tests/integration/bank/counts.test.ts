/** Technicians' counts: what a code of the bank's staff lets them settle, and what nothing lets them. */
import { describe, expect, it } from 'vitest';
import type { AuthoriseAnswer, PostingAnswer } from '../../../src-contract/bank-api.ts';
import { COUNT_TYP } from '../../../src-contract/count.ts';
import { money } from '../../../src-contract/primitives.ts';
import { TestDispenser } from '../../support/test-dispenser.ts';
import { id, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

const PIN = '2749';

onPostgres((opened) => {
  type Account = { ownerId: string | null; kind: string; ledgerMinor: number; availableMinor: number };
  const accountOf = async (ownerId: string, kind = 'customer') => {
    const { body } = await opened().admin.get<{ accounts: Account[] }>('/admin/accounts');
    const { ledgerMinor: ledger = 0, availableMinor: available = 0 } =
      body.accounts.find((one) => one.ownerId === ownerId && one.kind === kind) ?? {};
    return { ledger, available };
  };
  const codeFor = async (terminalId: string, more: object = {}) =>
    (await opened().admin.post<{ code: string }>('/admin/technician-codes', { terminalId, ...more })).body.code;
  const incidents = async (terminal: TestTerminal) => {
    const { body } = await opened().admin.get<{ incidents: { code: string; terminalId: string; detail: string }[] }>(
      '/admin/incidents',
    );
    return body.incidents.filter((one) => one.terminalId === terminal.terminalId).map(({ code }) => code);
  };
  const countsOf = async (terminal: TestTerminal) => {
    type Row = { countId: string; terminalId: string; state: string; code: string; settledMinor: number | null };
    const { body } = await opened().admin.get<{ counts: Row[] }>('/admin/counts');
    return body.counts.filter((one) => one.terminalId === terminal.terminalId);
  };

  /** A withdrawal that the bank holds money for and nobody reported. */
  async function heldWithdrawal({ secured = false, yen = 20_000 } = {}) {
    const terminal = await opened().terminal();
    const keys = new TestDispenser();
    if (secured) await opened().admin.post(`/admin/terminals/${terminal.terminalId}/dispenser-keys`, keys.keysHex);
    const personId = await terminal.enrol(PIN, { yen: 30_000 });
    const request = {
      ...(await terminal.authoriseRequest('withdraw', personId, { yen, pin: PIN })),
      ...(secured ? { commandNonce: keys.nonce() } : {}),
    };
    expect((await terminal.post<AuthoriseAnswer>('/v1/authorisations', request)).body.outcome).toBe('approved');
    const subject = { service: 'withdraw', authorisationKey: request.idempotencyKey, ordered: money(yen) };
    return { terminal, personId, transactionId: request.transactionId, subject };
  }
  /** A deposit that was seen to begin. */
  async function openDeposit() {
    const terminal = await opened().terminal();
    const personId = await terminal.enrol(PIN);
    const transactionId = id();
    const resultId = await terminal.recognise('deposit', personId, { transactionId, yen: null });
    return { terminal, personId, transactionId, subject: { service: 'deposit', personId, resultId } };
  }

  async function countRequest(
    of: { terminal: TestTerminal; transactionId: string; subject: object },
    yen: number,
    { code = null, typ = COUNT_TYP, ...change }: { code?: string | null; typ?: string; [member: string]: unknown } = {},
  ) {
    const { terminal, transactionId, subject } = of;
    const count = {
      version: 1,
      countId: id(),
      terminalId: terminal.terminalId,
      transactionId,
      subject,
      counted: money(yen),
      notes: null,
      staffId: 'tanaka.k',
      note: 'jam in the transport',
      at: opened().clock.now(),
      ...change,
    };
    const jws = await terminal.sign(JSON.stringify(count), typ, terminal.terminalId);
    const amount = money(Math.max(0, (count.counted as { amountMinor: number }).amountMinor));
    return { idempotencyKey: id(), transactionId, amount, count: jws, technicianCode: code };
  }
  const send = (terminal: TestTerminal, request: object) => terminal.post<PostingAnswer>('/v1/counts', request);

  describe.each([
    ['under a token', true],
    ['without tokens', false],
  ])('a count of a withdrawal %s, with a code', (_, secured) => {
    it.each([
      [0, { ledger: 30_000, available: 30_000 }],
      [8_000, { ledger: 22_000, available: 22_000 }],
      [20_000, { ledger: 10_000, available: 10_000 }],
    ])('charges what was paid (%i) and releases the rest', async (yen, after) => {
      const held = await heldWithdrawal({ secured });
      const { terminal, personId } = held;
      const request = await countRequest(held, yen, { code: await codeFor(terminal.terminalId) });
      const answer = await send(terminal, request);
      expect(answer).toMatchObject({ status: 200, body: { outcome: 'posted' } });
      expect(await send(terminal, request)).toEqual(answer);
      expect(await accountOf(personId)).toEqual(after);
      expect(await accountOf(terminal.terminalId, 'cash')).toMatchObject({ ledger: yen - 30_000 });
      expect(await countsOf(terminal)).toMatchObject([{ state: 'settled', code: 'valid', settledMinor: yen }]);
      expect(await incidents(terminal)).toEqual([]);
    });
  });

  it('a count of a deposit, with a code, credits what the machine kept', async () => {
    const open = await openDeposit();
    const code = await codeFor(open.terminal.terminalId);
    const notes = [
      { denominationMinor: 10_000, count: 2 },
      { denominationMinor: 1_000, count: 3 },
    ];
    expect(await send(open.terminal, await countRequest(open, 23_000, { code, notes }))).toMatchObject({
      body: { outcome: 'posted', account: { ledger: money(23_000) } },
    });
    expect(await accountOf(open.personId)).toEqual({ ledger: 23_000, available: 23_000 });
  });

  describe('a count that no code covers', () => {
    it.each<[string, string, (terminal: TestTerminal) => Promise<string | null>]>([
      ['without one', 'missing', async () => null],
      ['with one that nobody made', 'unknown', async () => 'ABCD-EFGH-2345'],
      ["with another terminal's", 'unknown', async () => await codeFor((await opened().terminal()).terminalId)],
      [
        'with one that has expired',
        'expired',
        async ({ terminalId }) => {
          const code = await codeFor(terminalId, { expiresInS: 60 });
          opened().clock.ms += 60_000;
          return code;
        },
      ],
      [
        'with one that was used',
        'used',
        async (terminal) => {
          const transactionId = id();
          const personId = await terminal.enrol(PIN);
          const resultId = await terminal.recognise('deposit', personId, { transactionId, yen: null });
          const other = { terminal, transactionId, subject: { service: 'deposit', personId, resultId } };
          const code = await codeFor(terminal.terminalId);
          expect((await send(terminal, await countRequest(other, 1_000, { code }))).body.outcome).toBe('posted');
          return code;
        },
      ],
    ])('(%s) is kept with an incident, and moves nothing until staff settle it', async (_, state, codeOf) => {
      const held = await heldWithdrawal();
      const { terminal, personId } = held;
      const request = await countRequest(held, 5_000, { code: await codeOf(terminal) });
      expect((await send(terminal, request)).body).toEqual({
        outcome: 'held',
        reason: 'count-unauthorised',
        account: null,
      });
      expect(await accountOf(personId)).toEqual({ ledger: 30_000, available: 10_000 });
      expect(await incidents(terminal)).toEqual(['count-without-code']);
      const kept = (await countsOf(terminal)).at(-1)!;
      expect(kept).toMatchObject({ state: 'held', code: state, settledMinor: null });

      const settlement = (countedMinor: number) =>
        opened().admin.post(`/admin/counts/${kept.countId}/settlement`, { countedMinor });
      expect(await settlement(20_001)).toMatchObject({ status: 400 });
      expect(await settlement(5_000)).toMatchObject({ status: 200 });
      expect(await settlement(5_000)).toMatchObject({ status: 409 });
      expect(await accountOf(personId)).toEqual({ ledger: 25_000, available: 25_000 });
      expect((await countsOf(terminal)).at(-1)).toMatchObject({ state: 'settled', settledMinor: 5_000 });
    });
  });

  describe('a count that cannot be true', () => {
    it.each<[string, string, Record<string, unknown>]>([
      ['above what was held', 'count.counted.amountMinor', { counted: money(20_001) }],
      ['in another currency', 'count.counted.currency', { counted: money(5_000, 'EUR') }],
      ['below nothing', 'count.counted.amountMinor', { counted: { amountMinor: -1, currency: 'JPY' } }],
      ['whose notes are another sum', 'count.notes', { notes: [{ denominationMinor: 1_000, count: 4 }] }],
      ['of nobody', 'count.staffId', { staffId: '' }],
      ["by another terminal's name", 'count.terminalId', { terminalId: id() }],
      ['of another transaction', 'transactionId', { transactionId: id() }],
      ['signed as something else', 'count', { typ: 'kaopass-match+jws' }],
    ])('(%s) is refused with the field named, and uses no code up', async (_, field, change) => {
      const held = await heldWithdrawal();
      const { terminal, personId } = held;
      const code = await codeFor(terminal.terminalId);
      expect(await send(terminal, await countRequest(held, 5_000, { code, ...change }))).toMatchObject({
        status: 400,
        body: { code: 'invalid-request', field },
      });
      expect(await accountOf(personId)).toEqual({ ledger: 30_000, available: 10_000 });
      expect(await countsOf(terminal)).toEqual([]);
      expect(await send(terminal, await countRequest(held, 5_000, { code }))).toMatchObject({ status: 200 });
    });

    it('(a second one) is refused, whatever it says', async () => {
      const held = await heldWithdrawal();
      const { terminal, personId } = held;
      await send(terminal, await countRequest(held, 5_000, { code: await codeFor(terminal.terminalId) }));
      const code = await codeFor(terminal.terminalId);
      for (const yen of [5_000, 0]) {
        expect(await send(terminal, await countRequest(held, yen, { code }))).toMatchObject({
          status: 409,
          body: { code: 'conflict', field: 'transactionId' },
        });
      }
      expect(await accountOf(personId)).toEqual({ ledger: 25_000, available: 25_000 });
    });

    it('(other than what was settled) changes nothing, and is looked at', async () => {
      const held = await heldWithdrawal();
      const { terminal, personId, subject } = held;
      const { authorisationKey } = subject;
      await terminal.post('/v1/captures', { idempotencyKey: id(), authorisationKey, amount: money(20_000) });
      const code = await codeFor(terminal.terminalId);
      expect((await send(terminal, await countRequest(held, 0, { code }))).body).toMatchObject({
        outcome: 'held',
        reason: 'count-contradicts',
      });
      expect(await accountOf(personId)).toEqual({ ledger: 10_000, available: 10_000 });
      expect(await incidents(terminal)).toEqual(['count-contradicted']);
    });
  });

  it('a technician code is made for a terminal that exists, for a day at most', async () => {
    expect(await opened().admin.post('/admin/technician-codes', { terminalId: id() })).toMatchObject({
      status: 404,
      body: { field: 'terminalId' },
    });
    const { terminalId } = await opened().terminal();
    expect(await codeFor(terminalId)).toMatch(/^[A-Z2-9]{4}(-[A-Z2-9]{4}){2}$/);
    expect(await opened().admin.post('/admin/technician-codes', { terminalId, expiresInS: 86_401 })).toMatchObject({
      status: 400,
    });
  });
});
