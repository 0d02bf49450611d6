/** Withdrawal of consent at the bank: which face charges come after it, who bears them, and who has acknowledged it. */
import { describe, expect, it } from 'vitest';
import { id, TestTerminal } from '../../support/test-terminal.ts';
import { onEachDatabase } from './banks.ts';

const PIN = '2749';

interface Report {
  status: string;
  withdrawals: { terminalId: string | null; toldAt: number; effectiveAt: number; recordedAt: number }[];
  terminals: { terminalId: string; receipt: { cursor: number | null; jws: string } | null }[];
}

onEachDatabase((opened) => {
  /** A terminal whose clock is this far ahead of the bank's, ms. */
  const terminal = (aheadMs = 0) =>
    TestTerminal.activate(opened().send, opened().admin, { now: () => opened().clock.now() + aheadMs });
  /** A time later, not so much that a request gets old. */
  const later = (ms: number) => {
    opened().clock.ms += ms;
  };
  const ledgerOf = async (personId: string) => {
    const { body } = await opened().admin.get<{ accounts: { ownerId: string | null; ledgerMinor: number }[] }>(
      '/admin/accounts',
    );
    return body.accounts.find(({ ownerId }) => ownerId === personId)?.ledgerMinor;
  };
  const incidents = async (transactionId: string) => {
    const { body } = await opened().admin.get<{ incidents: { code: string; evidence: string; occurrences: number }[] }>(
      '/admin/incidents',
    );
    return body.incidents.filter(({ evidence }) => evidence.includes(transactionId));
  };
  const late = async (transactionId: string) => (await incidents(transactionId)).map(({ code }) => code);
  const balanced = async () => (await opened().admin.get<{ balanced: boolean }>('/admin/trial-balance')).body.balanced;
  const report = async (personId: string) =>
    (await opened().admin.get<Report>(`/admin/people/${personId}/erasure`)).body;
  const LATE = ['charge-after-withdrawal'];

  describe('told to a terminal', () => {
    it('ends the registration once, however often it is sent, and keeps the money', async () => {
      const atm = await terminal();
      const personId = await atm.enrol(PIN, { yen: 5_000 });
      const request = await atm.erasureRequest(personId);
      const answers = await Promise.all(Array.from({ length: 5 }, () => atm.post('/v1/erasures', request)));
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 200, body: { outcome: 'erased', erased: 'now' } });
      expect(await report(personId)).toMatchObject({
        status: 'erased',
        withdrawals: [{ terminalId: atm.terminalId, toldAt: request.at }],
      });
      expect(await ledgerOf(personId)).toBe(5_000);
      const purchase = await atm.authoriseRequest('purchase', personId, { yen: 100, pin: null });
      expect((await atm.post('/v1/authorisations', purchase)).body).toMatchObject({ reason: 'unknown-person' });
    });

    it('without the match that shows who said so is refused, kept as an incident, and ends nothing', async () => {
      const atm = await terminal();
      const personId = await atm.enrol(PIN);
      const good = await atm.erasureRequest(personId);
      const other = await atm.enrol(PIN);
      const balance = await atm.recognise('balance', personId, { transactionId: null, yen: null });
      for (const change of [{ personId: other }, { resultId: balance }, { transactionId: id() }]) {
        const request = { ...good, idempotencyKey: id(), ...change };
        expect(await atm.post('/v1/erasures', request)).toMatchObject({ status: 409, body: { field: 'resultId' } });
        expect(await late(request.transactionId)).toContain('conflict');
      }
      const unsent = { ...good, idempotencyKey: id(), resultId: id() };
      expect(await atm.post('/v1/erasures', unsent)).toMatchObject({ status: 409, body: { code: 'result-missing' } });
      expect([(await report(personId)).status, (await report(other)).status]).toEqual(['enrolled', 'enrolled']);
    });
  });

  describe('a stand-in of the terminal that was told', () => {
    it('made before is charged and one made after is not, by the order of its chain, whatever its clock says', async () => {
      const shop = await terminal();
      const personId = await shop.enrol(PIN, { yen: 5_000 });
      const before = await shop.standInRequest(personId, 800);
      const erasure = await shop.erasureRequest(personId);
      const after = await shop.standInRequest(personId, 700);
      later(60_000);
      for (const request of [erasure]) await shop.post('/v1/erasures', request);
      for (const request of [after, before]) {
        expect((await shop.post('/v1/stand-ins', request)).body).toMatchObject({ outcome: 'posted' });
      }
      expect(await ledgerOf(personId)).toBe(4_200);
      expect([await late(before.transactionId), await late(after.transactionId)]).toEqual([[], LATE]);
      expect(await balanced()).toBe(true);
    });
  });

  describe('a stand-in of another terminal', () => {
    /** Buys there `gapMs` before (after, if negative) the person withdraws at the ATM; both deliver a while later. */
    const charged = async (gapMs: number, { shopAheadMs = 0, atmAheadMs = 0 } = {}) => {
      const [atm, shop] = [await terminal(atmAheadMs), await terminal(shopAheadMs)];
      const personId = await atm.enrol(PIN, { yen: 5_000 });
      const transactionId = id();
      const bought = { transactionId, yen: 800 };
      const { resultId, jws } = await shop.nextResult({
        service: 'purchase',
        personId,
        transactionId,
        amount: { amountMinor: bought.yen, currency: 'JPY' },
        mode: 'stand-in',
        at: opened().clock.now() + shopAheadMs,
      });
      const at = opened().clock.now() + gapMs + atmAheadMs;
      const told = { ...(await atm.erasureRequest(personId)), at };
      later(90_000 + Math.max(0, gapMs));
      expect((await atm.post('/v1/erasures', told)).status).toBe(200);
      await shop.post('/v1/results', { results: [jws] });
      const request = {
        ...{ idempotencyKey: id(), transactionId, personId, at: opened().clock.now(), resultId },
        amount: { amountMinor: bought.yen, currency: 'JPY' },
      };
      expect((await shop.post('/v1/stand-ins', request)).status).toBe(200);
      expect(await balanced()).toBe(true);
      const mine = (await ledgerOf(personId)) === 4_200;
      expect(await late(transactionId)).toEqual(mine ? [] : LATE);
      return mine;
    };

    it('made before is charged, and one made after is not', async () => {
      expect(await charged(10_000)).toBe(true);
      expect(await charged(-10_000)).toBe(false);
    });
    it('so close that the clocks cannot tell is not', async () => {
      expect(await charged(1_000)).toBe(false);
    });
    it('is judged by corrected clocks', async () => {
      expect(await charged(10_000, { shopAheadMs: 60_000 })).toBe(true);
      expect(await charged(-10_000, { shopAheadMs: -60_000 })).toBe(false);
      expect(await charged(10_000, { atmAheadMs: -60_000 })).toBe(true);
      expect(await charged(-10_000, { atmAheadMs: 60_000 })).toBe(false);
    });

    it('whose clock was set back, as its chain shows, proves nothing and is not charged', async () => {
      const [atm, shop] = [await terminal(), await terminal()];
      const personId = await atm.enrol(PIN, { yen: 5_000 });
      await shop.recognise('purchase', personId, { transactionId: id(), yen: 100 });
      const transactionId = id();
      const { resultId, jws } = await shop.nextResult({
        ...{ service: 'purchase', personId, transactionId, mode: 'stand-in' },
        amount: { amountMinor: 800, currency: 'JPY' },
        at: opened().clock.now() - 3_600_000,
      });
      later(30_000);
      await atm.post('/v1/erasures', await atm.erasureRequest(personId));
      later(30_000);
      await shop.post('/v1/results', { results: [jws] });
      const request = { idempotencyKey: id(), transactionId, personId, at: opened().clock.now(), resultId };
      await shop.post('/v1/stand-ins', { ...request, amount: { amountMinor: 800, currency: 'JPY' } });
      expect([await ledgerOf(personId), await late(transactionId)]).toEqual([5_000, LATE]);
    });

    it('that reached the bank before the withdrawal was told is charged, whatever its clock says', async () => {
      const [atm, shop] = [await terminal(), await terminal(100_000)];
      const personId = await atm.enrol(PIN, { yen: 5_000 });
      const request = await shop.standInRequest(personId, 800);
      later(10_000);
      await atm.post('/v1/erasures', await atm.erasureRequest(personId));
      await shop.post('/v1/stand-ins', request);
      expect([await ledgerOf(personId), await late(request.transactionId)]).toEqual([4_200, []]);
    });
  });

  describe('what was charged before the bank heard of the withdrawal', () => {
    it('is given back where the match was made after it, once, though withdrawals arrive twice', async () => {
      const [atm, lobby, shop] = [await terminal(), await terminal(), await terminal()];
      const personId = await atm.enrol(PIN, { yen: 10_000 });
      const early = await shop.standInRequest(personId, 100);
      await shop.post('/v1/stand-ins', early);
      later(10_000);
      const first = await atm.erasureRequest(personId);
      later(10_000);
      const second = await lobby.erasureRequest(personId);
      later(10_000);
      const standIn = await shop.standInRequest(personId, 800);
      await shop.post('/v1/stand-ins', standIn);
      const online = await shop.authoriseRequest('purchase', personId, { yen: 300, pin: null });
      expect((await shop.post('/v1/authorisations', online)).body).toMatchObject({ outcome: 'approved' });
      const amount = { amountMinor: 300, currency: 'JPY' };
      const capture = { idempotencyKey: id(), authorisationKey: online.idempotencyKey, amount };
      await shop.post('/v1/captures', capture);
      expect(await ledgerOf(personId)).toBe(8_800);
      await lobby.post('/v1/erasures', second);
      await atm.post('/v1/erasures', first);
      expect(await ledgerOf(personId)).toBe(9_900);
      for (const { transactionId } of [standIn, online]) {
        expect(await incidents(transactionId)).toMatchObject([{ code: LATE[0], occurrences: 1 }]);
      }
      expect(await late(early.transactionId)).toEqual([]);
      expect(await balanced()).toBe(true);
      expect((await report(personId)).withdrawals).toHaveLength(2);
    });
  });

  describe('a hold', () => {
    it('made before the withdrawal is captured from the person', async () => {
      const atm = await terminal();
      const personId = await atm.enrol(PIN, { yen: 5_000 });
      const held = await atm.authoriseRequest('purchase', personId, { yen: 300, pin: null });
      await atm.post('/v1/authorisations', held);
      later(10_000);
      await opened().admin.delete(`/admin/people/${personId}/template`);
      const amount = { amountMinor: 300, currency: 'JPY' };
      const capture = { idempotencyKey: id(), authorisationKey: held.idempotencyKey, amount };
      expect((await atm.post('/v1/captures', capture)).body).toMatchObject({ outcome: 'posted' });
      expect([await ledgerOf(personId), await late(held.transactionId)]).toEqual([4_700, []]);
    });

    it('made after it, before the bank heard, is captured from the bank’s own, unless the PIN was given', async () => {
      const [atm, shop] = [await terminal(), await terminal()];
      const personId = await atm.enrol(PIN, { yen: 20_000 });
      const told = await atm.erasureRequest(personId);
      later(10_000);
      const byFace = await shop.authoriseRequest('purchase', personId, { yen: 300, pin: null });
      const transactionId = id();
      const { resultId, jws } = await shop.nextResult({
        ...{ service: 'purchase', personId, transactionId, secondFactor: 'pin' },
        amount: { amountMinor: 4_000, currency: 'JPY' },
      });
      await shop.post('/v1/results', { results: [jws] });
      const withPin = {
        ...byFace,
        ...{ idempotencyKey: id(), transactionId, resultId, amount: { amountMinor: 4_000, currency: 'JPY' } },
        pinBlock: await shop.pinBlock(PIN, { boundTo: transactionId }),
      };
      for (const request of [byFace, withPin]) {
        expect((await shop.post('/v1/authorisations', request)).body).toMatchObject({ outcome: 'approved' });
      }
      await atm.post('/v1/erasures', told);
      for (const { idempotencyKey: authorisationKey, amount } of [byFace, withPin]) {
        await shop.post('/v1/captures', { idempotencyKey: id(), authorisationKey, amount });
      }
      expect(await ledgerOf(personId)).toBe(16_000);
      expect([await late(byFace.transactionId), await late(transactionId)]).toEqual([LATE, []]);
      expect(await balanced()).toBe(true);
    });
  });

  describe('receipts', () => {
    it('are kept once, and the report says who has signed and who has not', async () => {
      const [atm, shop, slow] = [await terminal(), await terminal(), await terminal()];
      const personId = await atm.enrol(PIN);
      const own = await atm.receiptRequest(personId, { cursor: null });
      // What a terminal has forgotten is true before the bank has heard of it, too.
      expect(await atm.post('/v1/erasure-receipts', own)).toEqual({ status: 200, body: { outcome: 'kept' } });
      await atm.post('/v1/erasures', await atm.erasureRequest(personId));
      const told = await shop.receiptRequest(personId);
      for (let n = 0; n < 2; n += 1) expect((await shop.post('/v1/erasure-receipts', told)).status).toBe(200);
      const { terminals } = await report(personId);
      const of = ({ terminalId }: TestTerminal) => terminals.find((one) => one.terminalId === terminalId)?.receipt;
      expect(of(atm)).toMatchObject({ cursor: null, jws: own.receipt });
      expect(of(shop)).toMatchObject({ cursor: 1, jws: told.receipt });
      expect(of(slow)).toBeNull();
    });

    it('that are another’s, altered, of another kind or a second one are refused, and kept as incidents', async () => {
      const [atm, shop] = [await terminal(), await terminal()];
      const personId = await atm.enrol(PIN);
      const good = await atm.receiptRequest(personId);
      await atm.post('/v1/erasure-receipts', good);
      const refused = async (request: object, status: number) =>
        expect(await atm.post('/v1/erasure-receipts', request)).toMatchObject({ status });
      await refused(await shop.receiptRequest(personId), 400);
      await refused(await atm.receiptRequest(personId, { terminalId: shop.terminalId }), 400);
      await refused(await atm.receiptRequest(personId, { templateGone: false }), 400);
      await refused(await atm.receiptRequest(personId, {}, 'kaopass-match+jws'), 400);
      await refused({ ...good, idempotencyKey: id() }, 400);
      await refused(await atm.receiptRequest(personId), 409);
      await refused(await atm.receiptRequest(id()), 404);
      const { terminals } = await report(personId);
      expect(terminals.filter(({ receipt }) => receipt !== null)).toMatchObject([{ terminalId: atm.terminalId }]);
    });
  });
});
