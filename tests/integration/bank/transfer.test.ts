/** Transfers at the bank: who is told a name, who is paid, and that the books never lose or make a yen on the way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import { createLogger } from '../../../src-bank/logger.ts';
import type { InquiryAnswer } from '../../../src-contract/inquiry.ts';
import { money } from '../../../src-contract/primitives.ts';
import type { PayeeAnswer, TransferAnswer } from '../../../src-contract/transfer.ts';
import { adminOf, id, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, onPostgres, openBank } from './banks.ts';

const PIN = '2749';
const HOUR_MS = 3_600_000;
/** Behind it no account of a test is: a number is one of 10^10, and a test makes a handful. */
const NOBODYS = '0000000000';

interface Account {
  readonly accountId: string;
  readonly accountNumber: string;
}

onPostgres((opened) => {
  const staff = <Body>(path: string, body: object) => opened().admin.post<Body>(`/admin/accounts${path}`, body);
  const listed = async (by: { ownerId: string } | { accountId: string }) => {
    type Row = { accountId: string; ownerId: string; ledgerMinor: number; availableMinor: number };
    let after = '';
    for (;;) {
      const { body } = await opened().admin.get<{ accounts: Row[] }>(`/admin/accounts${after}`);
      const found = body.accounts.find((row) =>
        Object.entries(by).every(([key, value]) => row[key as 'ownerId'] === value),
      );
      if (found) return found;
      if (body.accounts.length === 0) throw new Error('no such account');
      after = `?after=${body.accounts.at(-1)?.accountId}`;
    }
  };
  const numberOf = async (personId: string) => {
    const { accountId } = await listed({ ownerId: personId });
    return (await opened().admin.get<Account>(`/admin/accounts/${accountId}`)).body.accountNumber;
  };
  const balance = async (by: Parameters<typeof listed>[0]) => (await listed(by)).availableMinor;
  const atCounter = async (holderName: string | null = '山田 太郎') => (await staff<Account>('', { holderName })).body;
  const ask = (terminal: TestTerminal, request: object) => terminal.post<PayeeAnswer>('/v1/payees', request);
  const send = (terminal: TestTerminal, request: object) => terminal.post<TransferAnswer>('/v1/transfers', request);
  const incidents = async (evidence: string) => {
    const { body } = await opened().admin.get<{ incidents: { code: string; evidence: string }[] }>('/admin/incidents');
    return body.incidents.filter((incident) => incident.evidence.includes(evidence)).map(({ code }) => code);
  };
  const balanced = async () =>
    expect((await opened().admin.get('/admin/trial-balance')).body).toMatchObject({ balanced: true, mismatched: [] });
  const payer = async (yen = 50_000) => {
    const terminal = await opened().terminal();
    return { terminal, personId: await terminal.enrol(PIN, { yen }) };
  };

  describe('the question whom a number belongs to', () => {
    it('is answered to who proved with face and PIN who they are: masked, with what they have themselves', async () => {
      const { terminal, personId } = await payer();
      const { accountNumber } = await atCounter('Franck Dubois');
      const request = await terminal.payeeRequest(personId, accountNumber, { yen: 8_000, pin: PIN });
      const answer = await ask(terminal, request);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          outcome: 'found',
          accountEnding: accountNumber.slice(-4),
          name: 'F*** D***',
          account: { available: money(50_000) },
        },
      });
      expect(await ask(terminal, request)).toEqual(answer);
      expect(await balance({ ownerId: personId })).toBe(50_000);
    });

    it('has no name where staff told the bank none, and another once they told it', async () => {
      const { terminal, personId } = await payer();
      const { accountId, accountNumber } = await atCounter(null);
      const name = async () => {
        const request = await terminal.payeeRequest(personId, accountNumber, { yen: 100, pin: PIN });
        return ((await ask(terminal, request)).body as Extract<PayeeAnswer, { outcome: 'found' }>).name;
      };
      expect(await name()).toBeNull();
      await staff(`/${accountId}/holder`, { holderName: '山田 花子' });
      expect(await name()).toBe('山＊ 花＊');
      await staff(`/${accountId}/holder`, { holderName: null });
      expect(await name()).toBeNull();
    });

    it('needs the PIN, counts a wrong one, and tells a locked-out person nothing', async () => {
      const { terminal, personId } = await payer();
      const { accountNumber } = await atCounter();
      const asks = async (pin: string | null) =>
        (await ask(terminal, await terminal.payeeRequest(personId, accountNumber, { yen: 100, pin }))).body;
      expect(await asks(null)).toMatchObject({ outcome: 'declined', reason: 'pin-required' });
      expect(await asks('1357')).toMatchObject({ outcome: 'declined', reason: 'pin-wrong', attemptsLeft: 2 });
      expect(await asks(PIN)).toMatchObject({ outcome: 'found' });
      for (const attemptsLeft of [2, 1])
        expect(await asks('1357')).toMatchObject({ reason: 'pin-wrong', attemptsLeft });
      for (const pin of ['1357', PIN, null]) expect(await asks(pin)).toMatchObject({ reason: 'pin-locked' });
    });

    it('needs the PIN once in a transaction, for a corrected number and a corrected amount', async () => {
      const { terminal, personId } = await payer();
      const { accountNumber } = await atCounter();
      const first = await terminal.payeeRequest(personId, NOBODYS, { yen: 100, pin: PIN });
      expect((await ask(terminal, first)).body).toMatchObject({ outcome: 'declined', reason: 'payee-unknown' });
      const corrected = { ...first, idempotencyKey: id(), payeeAccountNumber: accountNumber, pinBlock: null };
      expect((await ask(terminal, corrected)).body).toMatchObject({ outcome: 'found' });
      const { transactionId } = first;
      const again = await terminal.payeeRequest(personId, accountNumber, { yen: 200, pin: null, transactionId });
      expect((await ask(terminal, again)).body).toMatchObject({ outcome: 'found' });
      const other = await terminal.payeeRequest(personId, accountNumber, { yen: 200, pin: null });
      expect((await ask(terminal, other)).body).toMatchObject({ reason: 'pin-required' });
      opened().clock.ms += 10 * 60_000;
      const late = await terminal.payeeRequest(personId, accountNumber, { yen: 200, pin: null, transactionId });
      expect((await ask(terminal, late)).body).toMatchObject({ reason: 'pin-required' });
    });

    it('is not answered on a look that is old, of another terminal, person, amount or service, or refused', async () => {
      const { terminal, personId } = await payer();
      const other = await payer();
      const { accountNumber } = await atCounter();
      const good = async () => await terminal.payeeRequest(personId, accountNumber, { yen: 100, pin: PIN });
      const isRefused = async (request: object, by = terminal) =>
        expect((await ask(by, request)).body).toMatchObject({ outcome: 'declined', reason: 'result-not-accepted' });
      const old = await good();
      opened().clock.ms += 10 * 60_000;
      await isRefused(old);
      await isRefused({ ...(await good()), amount: money(200) });
      await isRefused({
        ...(await good()),
        resultId: await terminal.recognise('withdraw', personId, { transactionId: id(), yen: 100 }),
      });
      const theirs = await other.terminal.payeeRequest(other.personId, accountNumber, { yen: 100, pin: PIN });
      await isRefused({ ...theirs, pinBlock: await terminal.pinBlock(PIN, { boundTo: theirs.transactionId }) });
      const { resultId } = await good();
      await isRefused({ ...theirs, idempotencyKey: id(), resultId, pinBlock: null });
      const { resultId: nobody, jws } = await terminal.nextResult({
        service: 'transfer',
        outcome: 'refused',
        reason: 'nobody',
      });
      await terminal.post('/v1/results', { results: [jws] });
      await isRefused({ ...(await good()), resultId: nobody });
      expect(await ask(terminal, { ...(await good()), resultId: id() })).toMatchObject({
        status: 409,
        body: { code: 'result-missing' },
      });
    });

    it('says of each payee that cannot be paid why not', async () => {
      const { terminal, personId } = await payer();
      const closed = await atCounter();
      await staff(`/${closed.accountId}/status`, { status: 'closed' });
      const asks = async (number: string, yen = 100) =>
        (await ask(terminal, await terminal.payeeRequest(personId, number, { yen, pin: PIN }))).body;
      expect(await asks(NOBODYS)).toMatchObject({ outcome: 'declined', reason: 'payee-unknown' });
      expect(await asks(closed.accountNumber)).toMatchObject({ reason: 'payee-closed' });
      expect(await asks(await numberOf(personId))).toMatchObject({ reason: 'same-account' });
      const { accountNumber } = await atCounter();
      expect(await asks(accountNumber, 50_001)).toMatchObject({
        reason: 'insufficient-funds',
        available: money(50_000),
      });
      expect(await asks(accountNumber, 500_001)).toMatchObject({ reason: 'over-limit' });
      expect(await asks(accountNumber, 50_000)).toMatchObject({ outcome: 'found' });
      await staff(`/${closed.accountId}/status`, { status: 'open' });
      expect(await asks(closed.accountNumber)).toMatchObject({ outcome: 'found' });
    });

    it.each([
      ['nothing', { amount: money(0) }, 'amount.amountMinor'],
      ['another currency', { amount: money(100, 'USD') }, 'amount.currency'],
      ['a number of nine digits', { payeeAccountNumber: '123456789' }, 'payeeAccountNumber'],
    ])('about %s is refused with the field named, and changes nothing', async (_, change, field) => {
      const { terminal, personId } = await payer();
      const { accountNumber } = await atCounter();
      const request = await terminal.payeeRequest(personId, accountNumber, { yen: 100, pin: PIN });
      for (const path of ['/v1/payees', '/v1/transfers']) {
        const { pinBlock, ...without } = request;
        const body = { ...(path === '/v1/payees' ? { ...without, pinBlock } : without), ...change };
        expect(await terminal.post(path, body)).toMatchObject({
          status: 400,
          body: { code: 'invalid-request', field },
        });
      }
      expect((await ask(terminal, request)).body).toMatchObject({ outcome: 'found' });
    });

    it('is not answered to an erased person', async () => {
      const { terminal, personId } = await payer();
      const { accountNumber } = await atCounter();
      await opened().admin.delete(`/admin/people/${personId}/template`);
      const request = await terminal.payeeRequest(personId, accountNumber, { yen: 100, pin: PIN });
      expect((await ask(terminal, request)).body).toMatchObject({ reason: 'unknown-person' });
    });

    /** Asks with one look and one PIN as often as told, each time after another number that is nobody's. */
    const asksOften = async (terminal: TestTerminal, personId: string, times: number) => {
      const first = await terminal.payeeRequest(personId, NOBODYS, { yen: 100, pin: PIN });
      const reasons: string[] = [];
      for (let asked = 0; asked < times; asked += 1) {
        const { body } = await ask(terminal, {
          ...first,
          idempotencyKey: id(),
          payeeAccountNumber: String(asked).padStart(10, '0'),
          pinBlock: asked === 0 ? first.pinBlock : null,
        });
        reasons.push(body.outcome === 'declined' ? body.reason : body.outcome);
      }
      return reasons;
    };

    it('is answered to one person twenty times an hour, and then is an incident', async () => {
      const { terminal, personId } = await payer();
      const reasons = await asksOften(terminal, personId, 22);
      expect(reasons).toEqual([...Array(20).fill('payee-unknown'), 'payee-limit', 'payee-limit']);
      expect(await incidents(personId)).toEqual(['payee-limit']);
      opened().clock.ms += HOUR_MS;
      expect(await asksOften(terminal, personId, 1)).toEqual(['payee-unknown']);
    });

    it('is answered at one terminal a hundred and twenty times an hour, whoever asks', async () => {
      const terminal = await opened().terminal();
      for (let people = 0; people < 6; people += 1) {
        const reasons = await asksOften(terminal, await terminal.enrol(PIN), 20);
        expect(new Set(reasons)).toEqual(new Set(['payee-unknown']));
      }
      expect(await asksOften(terminal, await terminal.enrol(PIN), 1)).toEqual(['payee-limit']);
      expect(await incidents(terminal.terminalId)).toEqual(['payee-limit']);
    });
  });

  describe('a transfer', () => {
    it('moves the amount in one entry, and a repeat gets the first answer', async () => {
      const { terminal, personId } = await payer();
      const { accountId, accountNumber } = await atCounter();
      const request = await terminal.transferRequest(personId, accountNumber, { yen: 8_000, pin: PIN });
      const answer = await send(terminal, request);
      expect(answer).toMatchObject({
        status: 200,
        body: { outcome: 'posted', account: { available: money(42_000), ledger: money(42_000) } },
      });
      for (let times = 0; times < 3; times += 1) expect(await send(terminal, request)).toEqual(answer);
      expect(await balance({ ownerId: personId })).toBe(42_000);
      expect(await balance({ accountId })).toBe(8_000);
      await balanced();
      type Entry = { kind: string; transactionId: string; postings: { creditMinor: number; accountKind: string }[] };
      const { body } = await opened().admin.get<{ entries: Entry[] }>('/admin/entries');
      const posted = body.entries.filter(({ transactionId }) => transactionId === request.transactionId);
      expect(posted).toMatchObject([
        {
          kind: 'transfer',
          postings: [
            { creditMinor: -8_000, accountKind: 'customer' },
            { creditMinor: 8_000, accountKind: 'customer' },
          ],
        },
      ]);
    });

    it('is known to who asks what became of it, and never happens once it was barred', async () => {
      const { terminal, personId } = await payer();
      const { accountId, accountNumber } = await atCounter();
      const inquire = async (about: string) =>
        (await terminal.post<InquiryAnswer>('/v1/inquiries', { idempotencyKey: id(), about, bar: true })).body;
      const done = await terminal.transferRequest(personId, accountNumber, { yen: 1_000, pin: PIN });
      const { body } = await send(terminal, done);
      expect(await inquire(done.idempotencyKey)).toEqual({ outcome: 'done', operation: 'transfer', answer: body });
      const late = await terminal.transferRequest(personId, accountNumber, { yen: 1_000, pin: PIN });
      expect(await inquire(late.idempotencyKey)).toEqual({ outcome: 'barred' });
      expect(await send(terminal, late)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await balance({ accountId })).toBe(1_000);
    });

    it('of one transaction is posted once, whatever its key', async () => {
      const { terminal, personId } = await payer();
      const { accountId, accountNumber } = await atCounter();
      const request = await terminal.transferRequest(personId, accountNumber, { yen: 1_000, pin: PIN });
      await send(terminal, request);
      const again = await send(terminal, { ...request, idempotencyKey: id() });
      expect(again).toMatchObject({ status: 409, body: { code: 'conflict', field: 'transactionId' } });
      const changed = await send(terminal, { ...request, amount: money(2_000) });
      expect(changed).toMatchObject({ status: 409, body: { code: 'idempotency-key-reused' } });
      expect(await balance({ accountId })).toBe(1_000);
      await balanced();
    });

    it('goes to nobody who was not asked about in the same transaction, and does not tell whether they exist', async () => {
      const { terminal, personId } = await payer();
      const [asked, other] = [await atCounter(), await atCounter()];
      const request = await terminal.transferRequest(personId, asked.accountNumber, { yen: 1_000, pin: PIN });
      const answers = [];
      for (const payeeAccountNumber of [other.accountNumber, NOBODYS]) {
        answers.push((await send(terminal, { ...request, idempotencyKey: id(), payeeAccountNumber })).body);
      }
      expect(answers[0]).toMatchObject({ outcome: 'declined', reason: 'payee-not-asked' });
      expect(answers[1]).toEqual(answers[0]);
      const { pinBlock: _, ...fresh } = await terminal.payeeRequest(personId, asked.accountNumber, {
        yen: 1_000,
        pin: null,
      });
      expect((await send(terminal, fresh)).body).toMatchObject({ reason: 'payee-not-asked' });
      opened().clock.ms += 9 * 60_000;
      const { body } = await send(terminal, { ...request, idempotencyKey: id() });
      expect(body).toMatchObject({ outcome: 'posted' });
    });

    it('is declined for what became true after the question, and moves nothing', async () => {
      const { terminal, personId } = await payer();
      const payee = await atCounter();
      const prepare = async (yen: number) =>
        await terminal.transferRequest(personId, payee.accountNumber, { yen, pin: PIN });
      const spent = await prepare(50_000);
      await send(terminal, await prepare(1));
      expect((await send(terminal, spent)).body).toMatchObject({
        reason: 'insufficient-funds',
        available: money(49_999),
      });
      const old = await prepare(10);
      opened().clock.ms += 10 * 60_000;
      expect((await send(terminal, old)).body).toMatchObject({ reason: 'result-not-accepted' });
      const locked = await prepare(10);
      for (let times = 0; times < 3; times += 1) {
        await terminal.post(
          '/v1/authorisations',
          await terminal.authoriseRequest('withdraw', personId, { yen: 1, pin: '1357' }),
        );
      }
      expect((await send(terminal, locked)).body).toMatchObject({ reason: 'pin-locked' });
      await opened().admin.post(`/admin/people/${personId}/pin-unlock`);
      const erased = await prepare(10);
      await opened().admin.delete(`/admin/people/${personId}/template`);
      expect((await send(terminal, erased)).body).toMatchObject({ reason: 'unknown-person' });
      expect(await balance({ accountId: payee.accountId })).toBe(1);
      const other = await payer();
      const empty = await atCounter();
      const closing = await other.terminal.transferRequest(other.personId, empty.accountNumber, { yen: 10, pin: PIN });
      await staff(`/${empty.accountId}/status`, { status: 'closed' });
      expect((await send(other.terminal, closing)).body).toMatchObject({ reason: 'payee-closed' });
      await balanced();
    });

    it('reaches an erased person, whose account stays theirs', async () => {
      const { terminal, personId } = await payer();
      const payee = await terminal.enrol(PIN);
      const number = await numberOf(payee);
      await opened().admin.delete(`/admin/people/${payee}/template`);
      const request = await terminal.transferRequest(personId, number, { yen: 700, pin: PIN });
      expect((await send(terminal, request)).body).toMatchObject({ outcome: 'posted' });
      expect(await balance({ ownerId: payee })).toBe(700);
    });
  });

  describe('staff', () => {
    it('close an account only when nothing is on it', async () => {
      const { terminal, personId } = await payer(1_000);
      const payee = await atCounter();
      await send(terminal, await terminal.transferRequest(personId, payee.accountNumber, { yen: 1_000, pin: PIN }));
      const close = (accountId: string) => staff(`/${accountId}/status`, { status: 'closed' });
      expect(await close(payee.accountId)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(await close((await listed({ ownerId: personId })).accountId)).toMatchObject({ status: 200 });
      expect(await close(id())).toMatchObject({ status: 404 });
      const { body } = await opened().admin.get<{ accounts: { accountId: string; kind: string }[] }>('/admin/accounts');
      const own = body.accounts.find(({ kind }) => kind === 'cash');
      expect(await opened().admin.get(`/admin/accounts/${own?.accountId}`)).toMatchObject({ status: 404 });
    });

    it.each([[''], ['   '], ['x'.repeat(61)], ['a\u0000b'], [7]])('cannot name a holder %j', async (holderName) => {
      expect(await staff('', { holderName })).toMatchObject({ status: 400, body: { field: 'holderName' } });
    });
  });

  it('no name and no account number reaches the log, whatever is asked', async () => {
    const lines: string[] = [];
    const settings = await opened().place.laid();
    const logger = createLogger('trace', { write: (line) => void lines.push(line) });
    const bank = await openBank(settings, opened().clock, { logger });
    try {
      const send2 = injectInto(bank.app);
      const admin = adminOf(send2, ADMIN_TOKEN);
      const terminal = await TestTerminal.activate(send2, admin, { now: () => opened().clock.now() });
      const personId = await terminal.enrol(PIN, { yen: 10_000 });
      const { body: payee } = await admin.post<Account>('/admin/accounts', { holderName: 'Zebulon Quixley' });
      await send(terminal, await terminal.transferRequest(personId, payee.accountNumber, { yen: 10, pin: PIN }));
      await ask(terminal, {
        ...(await terminal.payeeRequest(personId, '1234567890', { yen: 10, pin: PIN })),
        amount: money(0),
      });
      await ask(terminal, { payeeAccountNumber: '123456789' });
      await admin.post('/admin/accounts', { holderName: 'Zebulon\u0000Quixley' });
      expect(lines.length).toBeGreaterThan(8);
      const log = lines.join('');
      for (const secret of ['Zebulon', 'Quixley', 'Z***', payee.accountNumber, '123456789'])
        expect(log).not.toContain(secret);
    } finally {
      await bank.close();
    }
  });

  describe('transfers at once', () => {
    // On PostgreSQL a second process of the same bank takes every other request.
    let second: Bank | undefined;
    beforeAll(async () => {
      const { place, settings, clock } = opened();
      if (place.kind === 'postgresql') second = await openBank(settings, clock);
    });
    afterAll(async () => await second?.close());
    const processes = (terminal: TestTerminal) => [
      terminal,
      second ? terminal.through(injectInto(second.app)) : terminal,
    ];

    it('that cross each other all arrive, and nobody waits for ever', async () => {
      const terminal = await opened().terminal();
      const people = [await terminal.enrol(PIN, { yen: 10_000 }), await terminal.enrol(PIN, { yen: 10_000 })] as const;
      const numbers = [await numberOf(people[0]), await numberOf(people[1])] as const;
      const requests: object[] = [];
      for (let count = 0; count < 14; count += 1) {
        const from = (count % 2) as 0 | 1;
        requests.push(
          await terminal.transferRequest(people[from], numbers[from === 0 ? 1 : 0], { yen: 100 + count, pin: PIN }),
        );
      }
      const through = processes(terminal);
      const answers = await Promise.all(
        requests.map((request, index) => send(through[Math.floor(index / 2) % 2] as TestTerminal, request)),
      );
      expect(answers.map(({ body }) => body.outcome)).toEqual(Array(14).fill('posted'));
      // Seven each way; each of the second person's is one yen more than the one before it.
      expect(await balance({ ownerId: people[0] })).toBe(10_007);
      expect(await balance({ ownerId: people[1] })).toBe(9_993);
      await balanced();
    });

    it('of one request move the money once, and all get the one answer', async () => {
      const { terminal, personId } = await payer();
      const { accountId, accountNumber } = await atCounter();
      const request = await terminal.transferRequest(personId, accountNumber, { yen: 1_000, pin: PIN });
      const through = processes(terminal);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => send(through[index % 2] as TestTerminal, request)),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.body).toMatchObject({ outcome: 'posted' });
      expect(await balance({ accountId })).toBe(1_000);
    });

    it('spend together no more than there is', async () => {
      const { terminal, personId } = await payer(2_500);
      const { accountId, accountNumber } = await atCounter();
      const requests: object[] = [];
      for (let count = 0; count < 8; count += 1) {
        requests.push(await terminal.transferRequest(personId, accountNumber, { yen: 1_000, pin: PIN }));
      }
      const through = processes(terminal);
      const answers = await Promise.all(
        requests.map((request, index) => send(through[index % 2] as TestTerminal, request)),
      );
      expect(answers.filter(({ body }) => body.outcome === 'posted')).toHaveLength(2);
      expect(await balance({ accountId })).toBe(2_000);
      expect(await balance({ ownerId: personId })).toBe(500);
      await balanced();
    });
  });
});
