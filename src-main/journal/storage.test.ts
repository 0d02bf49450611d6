/**
 * What a disk does to a journal. A full disk is made with SQLite's own limit of pages (max_page_count) on the journal's connection,
 * which answers SQLITE_FULL where a disk without space does, and needs no file system of its own.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { money, type Uuid } from '../../src-contract/primitives.ts';
import { type Clock, systemChance, systemClock } from '../clock.ts';
import { exampleResult, fakeSigner } from './journal.fixture.ts';
import { type Journal, openJournal } from './journal.ts';
import type { OutboxMessage } from './outbox.ts';
import { type Room, reserveFile, reservePath } from './room.ts';

let directory: string;
let path: string;
let journal: Journal;
const terminalId = systemChance.id();
const id = () => systemChance.id();
const timers: (() => void)[] = [];
const clock: Clock = {
  ...systemClock,
  after: (_, callback) => {
    timers.push(callback);
    return () => void timers.splice(timers.indexOf(callback) >>> 0, 1);
  },
};
const open = (room?: Room, from = terminalId) => {
  journal = openJournal({
    path,
    clock,
    chance: systemChance,
    signer: fakeSigner(from),
    onAlarm: () => {},
    ...(room ? { room } : {}),
  });
  return journal;
};
const RESERVE_PAGES = 40;
/** A disk with so much space, of which some is kept. */
const disk = (freePages: number) => {
  let limit = 0;
  const room = {
    held: false,
    freePages,
    release: (db: Database.Database | null) => {
      room.held = false;
      limit += RESERVE_PAGES;
      db?.pragma(`max_page_count = ${limit}`);
    },
    take: (db: Database.Database) => {
      const used = Number(db.pragma('page_count', { simple: true }));
      if (room.freePages < RESERVE_PAGES) return false;
      limit = used + room.freePages - RESERVE_PAGES;
      room.freePages = 0;
      db.pragma(`max_page_count = ${limit}`);
      room.held = true;
      return true;
    },
  };
  return room;
};
const reversal = (): OutboxMessage => ({
  kind: 'reversal',
  body: { idempotencyKey: id(), authorisationKey: id(), reason: 'x'.repeat(60), proof: null, priorProof: null },
});
const begin = (detail = {}): Uuid => {
  const transactionId = id();
  journal.begin({ transactionId, service: 'withdraw', personId: id(), amount: money(10_000), detail });
  return transactionId;
};
const fill = () => {
  for (;;) {
    try {
      begin({ filling: 'x'.repeat(3_000) });
    } catch (error) {
      return error;
    }
  }
};
const count = (table: string) => {
  const db = new Database(path, { readonly: true });
  const rows = db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  db.close();
  return rows;
};
const full = expect.objectContaining({ code: 'DISK_FULL' });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-storage-'));
  path = join(directory, 'journal.sqlite');
});
afterEach(() => {
  journal.close();
  timers.length = 0;
  rmSync(directory, { recursive: true, force: true });
});

describe('a full disk', () => {
  test('begins nothing new, whatever it is, and leaves no trace of what it refused', async () => {
    open(disk(120));
    begin();
    await journal.recordResult(exampleResult());
    expect(fill()).toEqual(full);
    expect(journal.storage.trouble).toMatchObject({ kind: 'full', message: expect.stringContaining(path) });
    const before = [count('transactions'), count('transaction_events'), count('match_results'), count('outbox')];
    expect(() => begin()).toThrowError(full);
    await expect(journal.recordResult(exampleResult())).rejects.toEqual(full);
    expect(() =>
      journal.recordConsent({ version: 'c', language: 'ja', agreed: true, at: clock.now(), personId: id() }),
    ).toThrowError(full);
    expect([count('transactions'), count('transaction_events'), count('match_results'), count('outbox')]).toEqual(
      before,
    );
  });

  test('lets what has begun end, with its messages, in the space that was kept for it', () => {
    open(disk(120));
    const transactionId = begin();
    fill();
    for (const state of ['authorising', 'authorised', 'dispensing', 'stacked', 'presenting', 'presented']) {
      journal.record(transactionId, { state, detail: { why: 'x'.repeat(1_500) } });
    }
    journal.record(transactionId, { state: 'paid', final: true }, [reversal()]);
    expect(journal.transaction(transactionId)).toMatchObject({ state: 'paid', final: true });
    expect(journal.outboxSize()).toBe(1);
    expect(() => begin()).toThrowError(full);
  });

  test('serves again by itself once the space that was kept is back', () => {
    const room = disk(120);
    open(room);
    const changes: (string | null)[] = [];
    journal.storage.onChange((trouble) => changes.push(trouble?.kind ?? null));
    const transactionId = begin();
    fill();
    journal.record(transactionId, { state: 'dispensing', detail: { why: 'x'.repeat(9_000) } });
    timers.shift()?.();
    expect(journal.storage.trouble?.kind).toBe('full');
    room.freePages = 100;
    timers.shift()?.();
    expect(journal.storage.trouble).toBeNull();
    begin();
    expect(changes).toEqual(['full', null]);
  });

  test('takes no note of what the bank answered, so that it is asked again', () => {
    open(disk(120));
    begin();
    const transactionId = begin();
    journal.record(transactionId, { state: 'reversed', final: true }, [reversal()]);
    fill();
    const message = journal.outbox.messages(1)[0]!;
    const room = new Database(path);
    room.close();
    // In place or not at all: nothing is half settled.
    for (const note of [
      () => journal.outbox.failed([message.id], { error: 'e'.repeat(500), nextAttemptAt: 1 }),
      () => journal.memory.put('signedPolicy', 'x'.repeat(60)),
    ]) {
      try {
        note();
      } catch (error) {
        expect(error).toEqual(full);
      }
    }
    expect(journal.outbox.isWaiting(message.idempotencyKey)).toBe(true);
  });

  test('that not even the kept space helps leaves the transaction open for the restart, and serves nobody before it', () => {
    open(disk(120));
    const transactionId = begin();
    fill();
    const huge = { why: 'x'.repeat(400_000) };
    expect(() => journal.record(transactionId, { state: 'dispensing', detail: huge })).toThrowError(full);
    expect(journal.storage.trouble).toMatchObject({ kind: 'failed', message: expect.stringContaining('restart') });
    expect(timers).toEqual([]);
    expect(() => begin()).toThrowError(expect.objectContaining({ code: 'DISK_FAILED' }));
    journal.close();
    open();
    expect(journal.openTransactions().map((one) => one.transactionId)).toContain(transactionId);
    expect(journal.storage.trouble).toBeNull();
  });

  test('has nothing to keep from the start: the terminal comes up, and serves nobody', () => {
    open(disk(10));
    expect(journal.storage.trouble?.kind).toBe('full');
    expect(() => begin()).toThrowError(full);
  });
});

describe('a disk that turns read-only', () => {
  /** SQLite's own switch (query_only) answers SQLITE_READONLY, as it does on a file system that the kernel made read-only. */
  const readOnly = (room: { db: Database.Database | null }, on: boolean) => room.db!.pragma(`query_only = ${on}`);
  const plugged = () => {
    const room = {
      db: null as Database.Database | null,
      held: true,
      release: () => {},
      take: (db: Database.Database) => {
        room.db = db;
        return true;
      },
    };
    return room;
  };
  const failed = expect.objectContaining({ code: 'DISK_FAILED', message: expect.stringContaining('journal.sqlite') });

  test('begins nothing, and serves again by itself when a write gets through', () => {
    const room = plugged();
    open(room);
    begin();
    readOnly(room, true);
    expect(() => begin()).toThrowError(failed);
    expect(journal.storage.trouble?.kind).toBe('unwritable');
    timers.shift()?.();
    expect(journal.storage.trouble?.kind).toBe('unwritable');
    readOnly(room, false);
    timers.shift()?.();
    expect(journal.storage.trouble).toBeNull();
    begin();
    expect(count('transactions')).toBe(2);
  });

  test('during a transaction leaves it open, and serves nobody before a restart has settled it', () => {
    const room = plugged();
    open(room);
    const transactionId = begin();
    readOnly(room, true);
    expect(() => journal.record(transactionId, { state: 'dispensing' }, [reversal()])).toThrowError(failed);
    readOnly(room, false);
    expect(journal.storage.tryAgain()).toBe(false);
    expect(() => begin()).toThrowError(failed);
    expect(() => journal.record(transactionId, { state: 'stacked' })).toThrowError(failed);
    journal.close();
    open();
    expect(journal.openTransactions()).toMatchObject([{ transactionId, state: 'begun' }]);
    expect(journal.outboxSize()).toBe(0);
  });
});

test('the reserve is real bytes beside the journal, given up and laid by again', () => {
  const room = reserveFile(path, systemChance, 300_000);
  open(room);
  expect(statSync(reservePath(path)).size).toBe(300_000);
  expect(statSync(reservePath(path)).blocks * 512).toBeGreaterThanOrEqual(300_000);
  room.release(null);
  expect([room.held, existsSync(reservePath(path))]).toEqual([false, false]);
  const db = new Database(':memory:');
  expect([room.take(db), room.held]).toEqual([true, true]);
  db.close();
});

describe('a journal that is not what it was', () => {
  const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
  const corrupt = expect.objectContaining({
    code: 'DATABASE_CORRUPT',
    message: expect.stringContaining('journal.sqlite'),
  });
  const files = () => [path, `${path}-wal`].map((file) => (existsSync(file) ? sha(readFileSync(file)) : sha('')));
  /** Refused, twice, with file and log as they were. */
  const refused = (error: unknown = corrupt) => {
    const before = files();
    expect(() => open()).toThrowError(error as Error);
    expect(() => open()).toThrowError(error as Error);
    expect(files()).toEqual(before);
  };
  /** As a power cut leaves it: file and log, nothing folded in. */
  const cut = () => {
    const left = [path, `${path}-wal`].map((file) => readFileSync(file));
    journal.close();
    writeFileSync(path, left[0]!);
    writeFileSync(`${path}-wal`, left[1]!);
    rmSync(`${path}-shm`, { force: true });
  };
  const many = async (rows: number) => {
    for (let n = 0; n < rows; n++) {
      const transactionId = begin({ n });
      await journal.recordResult(exampleResult({ transactionId }));
    }
  };

  test('is gone or empty where one was kept: refused, and no new one is made in its place', async () => {
    open(reserveFile(path, systemChance, 100_000));
    await many(2);
    journal.close();
    truncateSync(path, 0);
    refused();
    rmSync(path);
    expect(() => open()).toThrowError(corrupt);
    expect(existsSync(path)).toBe(false);
    path = join(directory, 'other.sqlite');
    open();
  });

  test.each([0.3, 0.9, 0.999])('is cut short at %f of its length: refused', async (share) => {
    open();
    await many(40);
    journal.close();
    truncateSync(path, Math.floor(statSync(path).size * share));
    refused();
    path = join(directory, 'other.sqlite');
    open();
  });

  test('is cut short while a log says how long it is: refused', async () => {
    open();
    await many(40);
    journal.close();
    open();
    await many(1);
    cut();
    truncateSync(path, statSync(path).size - 25 * 4096);
    refused();
    path = join(directory, 'other.sqlite');
    open();
  });

  test('has a log that a power cut left: everything in it counts', async () => {
    open();
    await many(3);
    cut();
    open();
    expect(journal.openTransactions()).toHaveLength(3);
    expect(journal.head()?.sequence).toBe(3);
  });

  test('has a log that was torn off: what was whole counts, and the chain goes on', async () => {
    open();
    await many(3);
    cut();
    truncateSync(`${path}-wal`, statSync(`${path}-wal`).size - 2_000);
    open();
    const head = journal.head()?.sequence ?? 0;
    expect(head).toBeLessThanOrEqual(3);
    expect((await journal.recordResult(exampleResult())).sequence).toBe(head + 1);
  });

  test('has the log of another database beside it: refused', async () => {
    open();
    await many(60);
    journal.close();
    const own = path;
    path = join(directory, 'stranger.sqlite');
    open(undefined, id());
    await many(5);
    cut();
    writeFileSync(`${own}-wal`, readFileSync(`${path}-wal`));
    path = own;
    refused(expect.objectContaining({ code: expect.stringMatching(/DATABASE_CORRUPT|CONFIG_INVALID/) }));
    path = join(directory, 'other.sqlite');
    open();
  });

  test('has a flipped bit in any page that matters: refused, or it is in nothing that is used', async () => {
    open();
    await many(12);
    journal.close();
    const whole = readFileSync(path);
    const seed = 20_261_128;
    let random = seed;
    const next = (below: number) => {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      return random % below;
    };
    let found = 0;
    for (let run = 0; run < 60; run++) {
      const bytes = Buffer.from(whole);
      const at = next(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << next(8));
      writeFileSync(path, bytes);
      try {
        open();
        // Opened: then the chain is the one that was signed. (What a row says besides is `verify`'s to judge.)
        expect(journal.head()?.sequence, `seed ${seed}, run ${run}, byte ${at}`).toBe(12);
        journal.close();
      } catch (error) {
        expect(error, `seed ${seed}, run ${run}, byte ${at}`).toEqual(
          expect.objectContaining({ name: 'TerminalError' }),
        );
        expect(readFileSync(path).equals(bytes)).toBe(true);
        found += 1;
      }
    }
    expect(found).toBeGreaterThan(5);
    writeFileSync(path, whole);
    open();
  });
});
