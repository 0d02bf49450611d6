import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { CloseTransaction, DayClose, DayCloseAnswer } from '../../../src-contract/day-close.ts';
import { id, sha256, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

const TYP = 'kaopass-day-close+jws';

onPostgres((opened) => {
  /** The next close of a terminal, and its delivery. */
  const closing = (terminal: TestTerminal) => {
    let number = 0;
    let previousHash: string | null = null;
    return async (transactions: readonly Partial<CloseTransaction>[], change: Partial<DayClose> = {}) => {
      const whole = transactions.map((one) => ({
        transactionId: id(),
        service: 'deposit',
        amountMinor: 1_000,
        standing: 'posted',
        late: false,
        ...one,
      }));
      const close = {
        version: 1,
        closeId: id(),
        terminalId: terminal.terminalId,
        number: number + 1,
        previousHash,
        businessDate: '2026-11-28',
        timeZone: 'Asia/Tokyo',
        reason: 'demand',
        at: 1_795_305_600_000,
        after: 0,
        upTo: 0,
        currency: 'JPY',
        totals: [],
        cash: null,
        cashProblem: null,
        transactions: whole.length,
        transactionsSha256: createHash('sha256').update(JSON.stringify(whole)).digest('base64url'),
        ...change,
      };
      const jws = await terminal.sign(JSON.stringify(close), TYP, terminal.terminalId);
      const request = { idempotencyKey: close.closeId, close: jws, transactions: whole };
      const answer = await terminal.post<DayCloseAnswer>('/v1/day-closes', request);
      if (answer.status === 200) {
        number = close.number;
        previousHash = sha256(jws);
      }
      return { ...answer, request };
    };
  };
  const deposited = async (terminal: TestTerminal, personId: string, yen: number) => {
    const request = await terminal.depositRequest(personId, yen);
    expect((await terminal.post('/v1/deposits', request)).status).toBe(200);
    return request.transactionId;
  };
  const incidentsOf = async (terminal: TestTerminal) => {
    const { body } = await opened().admin.get<{ incidents: { terminalId: string; code: string }[] }>(
      '/admin/incidents',
    );
    return body.incidents.filter(({ terminalId }) => terminalId === terminal.terminalId).map(({ code }) => code);
  };

  it('match what both sides have, and answer a repeat with the first answer', async () => {
    const terminal = await opened().terminal();
    const person = await terminal.enrol('4271');
    const transactionId = await deposited(terminal, person, 7_000);
    const close = closing(terminal);
    const { body, request } = await close([{ transactionId, amountMinor: 7_000 } as never]);
    const expected = { number: 1, matched: 1, differences: [], inFlight: [], cashDifferenceNotes: null };
    expect(body).toEqual(expected);
    expect((await terminal.post('/v1/day-closes', request)).body).toEqual(expected);
    expect(await incidentsOf(terminal)).toEqual([]);
  });

  it('list each difference as what it is, and what is on its way as that', async () => {
    const terminal = await opened().terminal();
    const person = await terminal.enrol('4271', { yen: 50_000 });
    const other = await deposited(terminal, person, 7_000);
    const held = await terminal.authoriseRequest('withdraw', person, { yen: 10_000, pin: '4271' });
    expect((await terminal.post<{ outcome: string }>('/v1/authorisations', held)).body.outcome).toBe('approved');
    const [missing, queued, suspect] = [id(), id(), id()];
    const { body } = await closing(terminal)([
      { transactionId: other, amountMinor: 8_000 },
      { transactionId: missing, amountMinor: 3_000 },
      { transactionId: held.transactionId, service: 'withdraw', amountMinor: 10_000 },
      { transactionId: queued, standing: 'queued' },
      { transactionId: suspect, standing: 'suspect', amountMinor: null },
    ] as never);
    expect(body).toMatchObject({
      matched: 0,
      differences: [
        { transactionId: other, what: 'amount-differs', terminalMinor: 8_000, bankMinor: 7_000 },
        { transactionId: missing, what: 'not-posted', terminalMinor: 3_000, bankMinor: null },
      ],
      inFlight: [
        { transactionId: held.transactionId, what: 'held' },
        { transactionId: queued, what: 'queued' },
        { transactionId: suspect, what: 'suspect' },
      ],
    });
    expect(await incidentsOf(terminal)).toEqual(['day-close-differs']);
    const { body: listed } = await opened().admin.get<{ closes: { differences: unknown[] }[] }>(
      `/admin/day-closes?terminalId=${terminal.terminalId}&differing=true`,
    );
    expect(listed.closes.map(({ differences }) => differences.length)).toEqual([2]);
  });

  it('find an entry that no close names, once, a close after it was there', async () => {
    const terminal = await opened().terminal();
    const person = await terminal.enrol('4271');
    const close = closing(terminal);
    await close([]);
    const unnamed = await deposited(terminal, person, 4_000);
    // It may belong to a close that is still on its way.
    expect((await close([])).body.differences).toEqual([]);
    expect((await close([])).body.differences).toEqual([
      { transactionId: unnamed, what: 'unknown-to-terminal', terminalMinor: null, bankMinor: 4_000 },
    ]);
    expect((await close([])).body.differences).toEqual([]);
  });

  it('are refused when they are not the terminal’s own word, or contradict one that is recorded', async () => {
    const terminal = await opened().terminal();
    const close = closing(terminal);
    expect(await close([], { terminalId: id() as never })).toMatchObject({
      status: 400,
      body: { code: 'invalid-request' },
    });
    expect(await close([{}], { transactionsSha256: 'A'.repeat(43) })).toMatchObject({ status: 400 });
    expect((await close([])).status).toBe(200);
    expect(await close([], { number: 1 })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const jws = await terminal.sign('{}', 'kaopass-match+jws', terminal.terminalId);
    const other = await terminal.post('/v1/day-closes', { idempotencyKey: id(), close: jws, transactions: [] });
    expect(other).toMatchObject({ status: 400, body: { field: 'close' } });
  });

  it('are recorded with an incident when one before them never came', async () => {
    const terminal = await opened().terminal();
    const close = closing(terminal);
    await close([]);
    expect((await close([], { number: 3 })).body).toMatchObject({ number: 3 });
    expect(await incidentsOf(terminal)).toEqual(['day-close-gap']);
  });
});
