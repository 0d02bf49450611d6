import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MatchResult } from '../../src-contract/match-result.ts';
import { money, type Uuid, type WallTimeMs } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { exampleResult, fakeSigner } from './journal.fixture.ts';
import { type Alarm, type Journal, openJournal } from './journal.ts';
import type { OutboxMessage } from './outbox.ts';
import { resultHash } from './result-chain.ts';

let directory: string;
let path: string;
let journal: Journal;
let alarms: Alarm[];
const signer = fakeSigner(systemChance.id());
const open = (options: Partial<Parameters<typeof openJournal>[0]> = {}) =>
  openJournal({
    path,
    clock: systemClock,
    chance: systemChance,
    signer,
    onAlarm: (alarm) => alarms.push(alarm),
    ...options,
  });
const id = () => systemChance.id();
const begin = (outbox: readonly OutboxMessage[] = []): Uuid => {
  const transactionId = id();
  journal.begin(
    { transactionId, service: 'withdraw', personId: id(), amount: money(20_000), detail: { mix: [2] } },
    outbox,
  );
  return transactionId;
};
const reversal = (): OutboxMessage => ({
  kind: 'reversal',
  body: { idempotencyKey: id(), authorisationKey: id(), reason: 'jam', proof: null, priorProof: null },
});
const standIn = (personId: Uuid, amountMinor: number): OutboxMessage => ({
  kind: 'stand-in',
  body: {
    idempotencyKey: id(),
    transactionId: id(),
    personId,
    amount: money(amountMinor),
    at: 1_700_000_000_000 as WallTimeMs,
    resultId: id(),
  },
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kaopass-journal-'));
  path = join(directory, 'journal.sqlite');
  alarms = [];
  journal = open();
});
afterEach(async () => {
  journal.close();
  await rm(directory, { recursive: true, force: true });
});

describe('the receipt for somebody forgotten', () => {
  test('is signed and queued once a person, however often and however fast it is asked for, over a restart too', async () => {
    const personId = id();
    const erased = { personId, cursor: 3 };
    await Promise.all([journal.recordErasureReceipt(erased), journal.recordErasureReceipt({ personId, cursor: null })]);
    journal.close();
    journal = open();
    await journal.recordErasureReceipt(erased);
    expect(journal.erasedPeople()).toEqual([personId]);
    const queued = journal.outbox.messages(10);
    expect(queued).toMatchObject([{ kind: 'erasure-receipt' }]);
    const [message] = queued;
    if (message?.kind !== 'erasure-receipt') throw new Error('no receipt is queued');
    const receipt = JSON.parse(Buffer.from(message.body.receipt.split('.')[1]!, 'base64url').toString());
    expect(receipt).toMatchObject({ receiptId: message.idempotencyKey, personId, cursor: 3, templateGone: true });
  });
});

describe('a transaction', () => {
  test('is there, with all that happened, after the journal was closed and opened again', () => {
    const transactionId = begin();
    journal.record(transactionId, { state: 'dispensing', detail: { notes: 2 } });
    journal.close();
    journal = open();
    const transaction = journal.transaction(transactionId);
    expect(transaction).toMatchObject({
      amount: money(20_000),
      state: 'dispensing',
      final: false,
      detail: { mix: [2] },
    });
    expect(transaction?.events.map(({ number, state }) => [number, state])).toEqual([
      [1, 'begun'],
      [2, 'dispensing'],
    ]);
    expect(journal.openTransactions().map((open) => open.transactionId)).toEqual([transactionId]);
  });

  test('takes no event after its final one, and the refused event leaves nothing in the outbox', () => {
    const transactionId = begin();
    journal.record(transactionId, { state: 'done', final: true });
    expect(() => journal.record(transactionId, { state: 'again' }, [reversal()])).toThrowError(
      expect.objectContaining({ code: 'TRANSACTION_UNKNOWN' }),
    );
    expect(journal.outboxSize()).toBe(0);
    expect(journal.openTransactions()).toEqual([]);
    expect(journal.transactions({ limit: 5 }).map(({ state }) => state)).toEqual(['done']);
  });

  test('nobody began takes no event', () => {
    expect(() => journal.record(id(), { state: 'dispensing' })).toThrowError(
      expect.objectContaining({ code: 'TRANSACTION_UNKNOWN' }),
    );
  });

  test('and its messages are recorded together or not at all', () => {
    const twice = reversal();
    const transactionId = begin([twice]);
    expect(() => journal.record(transactionId, { state: 'reversed' }, [twice])).toThrow('UNIQUE');
    expect(() =>
      journal.record(transactionId, { state: 'reversed' }, [
        { kind: 'capture', body: { idempotencyKey: id() } } as unknown as OutboxMessage,
      ]),
    ).toThrow();
    expect(journal.transaction(transactionId)?.state).toBe('begun');
    expect(journal.outboxSize()).toBe(1);
  });

  test('is not begun while the outbox is full', () => {
    journal.close();
    journal = open({ outboxLimit: 1 });
    begin([reversal()]);
    expect(() => begin()).toThrowError(expect.objectContaining({ code: 'BANK_UNREACHABLE' }));
  });

  test.each(['transactions', 'transaction_events', 'match_results', 'outbox'])(
    'leaves a row in %s that cannot be deleted',
    async (table) => {
      begin([reversal()]);
      await journal.recordResult(exampleResult());
      const db = new Database(path);
      expect(() => db.exec(`DELETE FROM ${table}`)).toThrow(/append-only|forgets nothing/);
      db.close();
    },
  );
});

describe('match results', () => {
  test('are numbered without gaps and chained, however many are asked for at once', async () => {
    const recorded = await Promise.all(Array.from({ length: 25 }, () => journal.recordResult(exampleResult())));
    expect(recorded.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    const results = recorded.map(({ jws }) => MatchResult.parse(decodeJwt(jws)));
    for (const [index, result] of results.entries()) {
      expect(result.previousHash).toBe(index === 0 ? null : resultHash(recorded[index - 1]!.jws));
    }
    expect(journal.outbox.results(100).map(({ body }) => body.jws)).toEqual(recorded.map(({ jws }) => jws));
  });

  test('go on where they were after a restart', async () => {
    const first = await journal.recordResult(exampleResult());
    journal.close();
    journal = open();
    const second = await journal.recordResult(exampleResult());
    expect(MatchResult.parse(decodeJwt(second.jws))).toMatchObject({
      sequence: 2,
      previousHash: resultHash(first.jws),
    });
    expect(journal.head()).toEqual({ sequence: 2, resultId: second.resultId });
  });

  test('that could not be signed take no number', async () => {
    journal.close();
    let fails = true;
    journal = open({
      signer: {
        ...signer,
        signResult: (result) => (fails ? Promise.reject(new Error('key gone')) : signer.signResult(result)),
      },
    });
    await expect(journal.recordResult(exampleResult())).rejects.toThrow('key gone');
    fails = false;
    expect((await journal.recordResult(exampleResult())).sequence).toBe(1);
    expect(journal.outboxSize()).toBe(1);
  });

  test('are never set aside', async () => {
    await journal.recordResult(exampleResult());
    const [queued] = journal.outbox.results(1);
    expect(() => journal.outbox.deadLetter(queued!.id, 'refused')).toThrow('gap');
    expect(journal.outboxSize()).toBe(1);
  });

  test('of another terminal are not continued', () => {
    expect(() => open({ signer: fakeSigner(id()) })).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('the outbox', () => {
  test('hands out the oldest first, and no more what was delivered', () => {
    const [first, second] = [reversal(), reversal()];
    begin([first, second]);
    expect(journal.outbox.messages(10).map(({ body }) => body)).toEqual([first.body, second.body]);
    journal.outbox.delivered([journal.outbox.messages(1)[0]!.id]);
    expect(journal.outbox.messages(10).map(({ body }) => body)).toEqual([second.body]);
  });

  test('remembers attempts, the error and when to try again across a restart', () => {
    begin([reversal()]);
    journal.outbox.failed([journal.outbox.messages(1)[0]!.id], { error: 'no answer', nextAttemptAt: 99 });
    journal.close();
    journal = open();
    expect(journal.outbox.messages(1)[0]).toMatchObject({ attempts: 1, lastError: 'no answer', nextAttemptAt: 99 });
  });

  test('sets aside what cannot be delivered, keeps it, and raises the alarm', () => {
    const message = reversal();
    begin([message]);
    journal.outbox.deadLetter(journal.outbox.messages(1)[0]!.id, 'not-found');
    expect(journal.outbox.messages(1)).toEqual([]);
    expect(journal.outbox.deadLetters()).toMatchObject([
      { kind: 'reversal', idempotencyKey: message.body.idempotencyKey, reason: 'not-found' },
    ]);
    expect(alarms).toMatchObject([{ kind: 'dead-letter' }]);
  });

  test('sets aside a row that no longer fits its schema, and goes on with the next', () => {
    const second = reversal();
    begin([reversal(), second]);
    const db = new Database(path);
    db.exec(`UPDATE outbox SET body = '{"half":' WHERE id = 1`);
    db.close();
    expect(journal.outbox.messages(10).map(({ body }) => body)).toEqual([second.body]);
    expect(alarms).toHaveLength(1);
  });
});

describe('stand-in totals', () => {
  test('count each stand-in in the commit that queues it, per person and for the terminal', () => {
    const [one, other] = [id(), id()];
    begin([standIn(one, 800)]);
    begin([standIn(one, 200), standIn(other, 500)]);
    journal.close();
    journal = open();
    expect([journal.standIn.spent(one), journal.standIn.spent(other), journal.standIn.spentInAll()]).toEqual([
      1000, 500, 1500,
    ]);
    journal.outbox.delivered(journal.outbox.messages(9).map(({ id }) => id));
    journal.standIn.settle();
    expect(journal.standIn.spentInAll()).toBe(0);
  });

  const HOUR = 3_600_000;
  /** Begins a purchase and the stand-in for it. */
  const reserve = (personId: Uuid, amount: number, runMs = 0): Uuid => {
    const transactionId = id();
    journal.begin({ transactionId, service: 'purchase', personId, amount: money(amount) });
    const amountMinor = money(amount).amountMinor;
    const reservation = { service: 'purchase', personId, amountMinor, runMs } as const;
    journal.record(transactionId, { state: 'standing-in', standIn: reservation });
    return transactionId;
  };
  const conclude = (transactionId: Uuid, personId: Uuid, amount: number) => {
    const message = standIn(personId, amount);
    const body = { ...message.body, transactionId } as Extract<OutboxMessage, { kind: 'stand-in' }>['body'];
    journal.record(transactionId, { state: 'stood-in', final: true }, [{ kind: 'stand-in', body }]);
  };
  const deliver = () => {
    journal.outbox.delivered(journal.outbox.messages(99).map((message) => message.id));
    journal.standIn.settle();
  };

  test('count from the commit that begins a stand-in, so that a power cut renews nothing', () => {
    const person = id();
    reserve(person, 800);
    journal.close();
    journal = open();
    expect(journal.standIn.spent(person)).toBe(800);
    expect(journal.standIn.totals('purchase', person, HOUR)).toMatchObject({
      person: { amountMinor: 800, count: 1 },
      terminal: { amountMinor: 800, count: 1 },
    });
    journal.standIn.settle();
    expect(journal.standIn.spent(person)).toBe(800);
  });

  test('count once what was reserved and then spent, and free what ended without', () => {
    const person = id();
    const [spent, given] = [reserve(person, 800), reserve(person, 500)];
    conclude(spent, person, 800);
    journal.record(given, { state: 'interrupted', final: true });
    const { person: own, recent } = journal.standIn.totals('purchase', person, HOUR / 2);
    expect(own).toEqual({ amountMinor: 800, count: 1 });
    expect(recent('person', HOUR)).toBe(1);
  });

  test('begin a new period when the bank has heard of everything, and the pace goes on over it', () => {
    const person = id();
    conclude(reserve(person, 800, 10 * HOUR), person, 800);
    expect(journal.standIn.periodNumber()).toBe(1);
    deliver();
    expect([journal.standIn.spentInAll(), journal.standIn.periodNumber()]).toEqual([0, 2]);
    const recent = (runMs: number, windowMs: number) =>
      journal.standIn.totals('purchase', person, runMs).recent('person', windowMs);
    expect(recent(10.5 * HOUR, HOUR)).toBe(1);
    expect(recent(11 * HOUR, HOUR)).toBe(0);
    // The power went before the running time was written down: the pace is not renewed by it.
    expect(recent(9 * HOUR, HOUR)).toBe(1);
    journal.close();
    journal = open();
    expect(journal.standIn.periodNumber()).toBe(2);
    conclude(reserve(person, 100, 11 * HOUR), person, 100);
    expect(journal.standIn.periodNumber()).toBe(2);
  });

  test('keep what the bank will never hear of', () => {
    const person = id();
    conclude(reserve(person, 800), person, 800);
    conclude(reserve(person, 300), person, 300);
    const [first, second] = journal.outbox.messages(9);
    journal.outbox.deadLetter(first!.id, 'refused');
    journal.outbox.delivered([second!.id]);
    journal.standIn.settle();
    expect([journal.standIn.spent(person), journal.standIn.periodNumber()]).toEqual([800, 1]);
  });

  test('forget what no limit looks back to any more, and never the number of the period', () => {
    const person = id();
    for (const [amount, runMs] of [
      [1, 0],
      [2, 40 * 24 * HOUR],
      [3, 80 * 24 * HOUR],
    ] as const) {
      conclude(reserve(person, amount, runMs), person, amount);
      deliver();
    }
    const db = new Database(path);
    expect(db.prepare('SELECT amount_minor FROM stand_ins').pluck().all()).toEqual([3]);
    db.close();
    expect(journal.standIn.periodNumber()).toBe(4);
  });

  test('do not count what was not recorded', () => {
    const person = id();
    expect(() => journal.record(id(), { state: 'approved' }, [standIn(person, 800)])).toThrow();
    expect(journal.standIn.spent(person)).toBe(0);
  });
});

test('the newest policy and every answer to a consent are kept', () => {
  expect(journal.memory.get('signedPolicy')).toBeNull();
  journal.memory.put('signedPolicy', 'a.b.c');
  const at = 1_700_000_000_000 as WallTimeMs;
  journal.recordConsent({ version: 'c-1', language: 'ja', agreed: false, at, personId: null });
  expect(journal.memory.get('signedPolicy')).toBe('a.b.c');
  expect(journal.consents({ limit: 5 })).toEqual([
    { version: 'c-1', language: 'ja', agreed: false, at, personId: null },
  ]);
});

describe('a file that is no usable journal', () => {
  const expectRefused = async (code: string) => {
    const before = await readFile(path);
    expect(() => open()).toThrowError(expect.objectContaining({ code, message: expect.stringContaining(path) }));
    expect((await readFile(path)).equals(before)).toBe(true);
    journal = open({ path: join(directory, 'another.sqlite') });
  };

  test('is refused and left as it was when it is no database at all', async () => {
    journal.close();
    await rm(`${path}-wal`, { force: true });
    await writeFile(path, 'this is not a database, and it is longer than a header of one hundred bytes. '.repeat(3));
    await expectRefused('DATABASE_CORRUPT');
  });

  test('is refused and left as it was when its pages are damaged', async () => {
    for (let n = 0; n < 200; n++) begin([reversal()]);
    journal.close();
    const bytes = await readFile(path);
    for (let offset = 4096 * 3; offset < bytes.length; offset += 4096) bytes.fill(0xaa, offset, offset + 64);
    await writeFile(path, bytes);
    await expectRefused('DATABASE_CORRUPT');
  });

  test('is refused when a newer Kaopass wrote it', async () => {
    journal.close();
    const db = new Database(path);
    db.exec("INSERT INTO schema_migrations VALUES (99, 'from the future', 0)");
    db.close();
    await expectRefused('DATABASE_NEWER');
  });

  test('is refused when its chain of results lacks its beginning', async () => {
    await journal.recordResult(exampleResult());
    await journal.recordResult(exampleResult());
    journal.close();
    const db = new Database(path);
    db.exec('DROP TRIGGER match_results_no_delete; DELETE FROM match_results WHERE sequence = 1');
    db.close();
    await expectRefused('DATABASE_CORRUPT');
  });

  test('is refused when it is another kind of database', async () => {
    journal.close();
    const db = new Database(path);
    db.pragma('application_id = 7');
    db.close();
    await expectRefused('DATABASE_CORRUPT');
  });
});
