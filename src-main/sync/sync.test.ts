import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GalleryAnswer } from '../../src-contract/bank-api.ts';
import { money, type Uuid, type WallTimeMs } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { exampleActivation, examplePolicy } from '../identity/activation.fixture.ts';
import { exampleResult, fakeSigner } from '../journal/journal.fixture.ts';
import { type Alarm, type Journal, openJournal } from '../journal/journal.ts';
import type { OutboxMessage } from '../journal/outbox.ts';
import { openBankWord } from '../policy/open.ts';
import type { PolicyBook } from '../policy/policy-book.ts';
import type { PolicyStanding } from '../policy/standing.ts';
import { createBankClient } from './bank-client.ts';
import { type FakeBank, type Fault, fakeBank } from './fake-bank.fixture.ts';
import { createSync, type Sync } from './sync.ts';

const signal = new AbortController().signal;
const id = () => systemChance.id();
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const signer = fakeSigner(id());
const keyStore = {
  get: async () => null,
  put: async () => {},
  remove: async () => {},
  create: async () => true,
  list: async () => [],
};

/** A terminal's journal and sync, and a bank at the other end. */
class Terminal {
  readonly directory = mkdtempSync(join(tmpdir(), 'kaopass-sync-'));
  readonly bank: FakeBank = fakeBank();
  readonly alarms: Alarm[] = [];
  readonly warnings: unknown[] = [];
  readonly failures: unknown[] = [];
  /** What the gallery's file throws when a page is written, null while it can be. */
  galleryTrouble: Error | null = null;
  readonly pages: GalleryAnswer[] = [];
  /** Matrices that the gallery has, the newest last; and what asking the bank for another one brings. */
  protections = ['p-1'];
  learns: string | null = null;
  readonly asked: string[] = [];
  /** What was put into the outbox and must have its effect at the bank, once. */
  readonly told: OutboxMessage[] = [];
  skewMs = 0;
  journal!: Journal;
  sync!: Sync;

  policies!: PolicyBook;
  standing!: PolicyStanding;

  static async started(): Promise<Terminal> {
    const terminal = new Terminal();
    await terminal.boot();
    return terminal;
  }

  async boot(): Promise<void> {
    const clock = { ...systemClock, now: () => (systemClock.now() + this.skewMs) as WallTimeMs };
    const onAlarm = (alarm: Alarm) => this.alarms.push(alarm);
    this.journal = openJournal({
      path: join(this.directory, 'journal.sqlite'),
      clock,
      chance: systemChance,
      signer,
      onAlarm,
    });
    const bank = createBankClient({
      bankUrl: 'http://bank.test',
      identity: { assertRequest: async () => 'token' },
      fetch: this.bank.fetch,
      clock,
      callTimeoutMs: 200,
    });
    const { pages } = this;
    const protections = () => this.protections;
    const write = (page: GalleryAnswer) => {
      if (this.galleryTrouble) throw this.galleryTrouble;
      pages.push(page);
    };
    const feed = {
      modelSha256: 'c'.repeat(64),
      size: 0,
      get cursor() {
        return pages.at(-1)?.next ?? 0;
      },
      notComparable: 0,
      get protections() {
        return protections();
      },
      applyFeed: write,
    };
    const gallery = {
      feeds: [feed],
      templateOf: () => null,
      retire: () => undefined,
      erase: () => false,
      isErased: () => false,
      unacknowledged: () => [],
      acknowledged: () => undefined,
      forgetOldFaces: () => undefined,
    };
    const times = { roundMs: 20, probeMs: 10 };
    const word = {
      memory: this.journal.memory,
      activation: exampleActivation(id()),
      keyStore,
      clock,
      log: quiet,
      onAlarm,
    };
    const { policies, time, standing } = await openBankWord(word);
    this.policies = policies;
    this.standing = standing;
    this.sync = createSync({
      journal: this.journal,
      bank,
      gallery,
      protection: {
        learn: async () => {
          this.asked.push(this.protections.at(-1) ?? '');
          if (this.learns !== null) this.protections = [...this.protections, this.learns];
        },
      },
      policies,
      time,
      clock,
      chance: systemChance,
      log: { ...quiet, warn: (fields: unknown) => void this.warnings.push(fields) },
      onAlarm,
      failed: (error) => void this.failures.push(error),
      times,
    });
  }

  /** A result, and money that depends on it. */
  async deposit(): Promise<void> {
    const transactionId = id();
    const { resultId } = await this.journal.recordResult(exampleResult({ transactionId }));
    const message: OutboxMessage = {
      kind: 'deposit',
      body: { idempotencyKey: id(), transactionId, personId: id(), amount: money(10_000), resultId },
    };
    this.journal.begin({ transactionId, service: 'deposit', personId: null, amount: null }, [message]);
    this.told.push(message);
  }

  reversal(): void {
    const message: OutboxMessage = {
      kind: 'reversal',
      body: { idempotencyKey: id(), authorisationKey: id(), reason: 'jam', proof: null, priorProof: null },
    };
    this.journal.begin({ transactionId: id(), service: 'withdraw', personId: null, amount: null }, [message]);
    this.told.push(message);
  }

  async standIn(personId: Uuid, amountMinor: number): Promise<void> {
    const transactionId = id();
    const { resultId } = await this.journal.recordResult(exampleResult({ mode: 'stand-in' }));
    const message: OutboxMessage = {
      kind: 'stand-in',
      body: {
        idempotencyKey: id(),
        transactionId,
        personId,
        amount: money(amountMinor),
        at: systemClock.now(),
        resultId,
      },
    };
    this.journal.begin({ transactionId, service: 'purchase', personId, amount: null }, [message]);
    this.told.push(message);
  }

  async stop(): Promise<void> {
    await this.sync.close();
    this.standing.close();
    this.journal.close();
  }

  expectEverythingOnce(): void {
    const keys = (messages: readonly { body: object }[]) =>
      messages.map(({ body }) => ('idempotencyKey' in body ? body.idempotencyKey : null));
    expect(keys(this.bank.effects)).toEqual(keys(this.told));
    expect(this.bank.results).toHaveLength(this.journal.head()?.sequence ?? 0);
    expect(this.journal.outboxSize()).toBe(0);
    expect(this.alarms).toEqual([]);
  }
}

let terminal: Terminal;
beforeEach(async () => {
  terminal = await Terminal.started();
});
afterEach(async () => {
  await terminal.stop();
  rmSync(terminal.directory, { recursive: true });
});

describe('flush', () => {
  test('brings results first, in batches the bank takes, then money in order', async () => {
    for (let n = 0; n < 205; n++) await terminal.journal.recordResult(exampleResult());
    await terminal.deposit();
    terminal.reversal();
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.bank.arrived).toEqual(['/v1/results', '/v1/results', '/v1/deposits', '/v1/reversals']);
    terminal.expectEverythingOnce();
  });

  test('says offline at the first call that does not reach the bank, and keeps everything', async () => {
    await terminal.deposit();
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.sync.online).toBe(true);
    const changes: boolean[] = [];
    terminal.sync.onOnline((online) => changes.push(online));
    terminal.bank.faults = ['down'];
    await terminal.deposit();
    expect(await terminal.sync.flush(signal)).toBe('offline');
    expect([terminal.sync.online, terminal.journal.outboxSize(), changes]).toEqual([false, 2, [false]]);
  });

  test('repeats under the same key when an answer was lost, and the bank does it once', async () => {
    await terminal.deposit();
    terminal.bank.faults = ['answer-lost', 'none', 'answer-lost', 'doubled'];
    expect(await terminal.sync.flush(signal)).toBe('offline');
    expect(await terminal.sync.flush(signal)).toBe('offline');
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.bank.arrived.filter((path) => path === '/v1/deposits')).toHaveLength(3);
    terminal.expectEverythingOnce();
  });

  test('asked for several times at once sends each message once', async () => {
    await terminal.deposit();
    expect(await Promise.all([1, 2, 3].map(() => terminal.sync.flush(signal)))).toEqual([
      'drained',
      'drained',
      'drained',
    ]);
    expect(terminal.bank.arrived).toEqual(['/v1/results', '/v1/deposits']);
  });

  test('goes as soon as a clock that was ahead is right again', async () => {
    terminal.skewMs = 48 * 3_600_000;
    terminal.reversal();
    terminal.bank.refusing.set('/v1/reversals', 'unauthenticated');
    await terminal.sync.flush(signal);
    terminal.bank.refusing.clear();
    terminal.skewMs = 0;
    expect(await terminal.sync.flush(signal)).toBe('drained');
    terminal.expectEverythingOnce();
  });

  test('ends when the caller no longer waits', async () => {
    await terminal.deposit();
    terminal.bank.faults = ['slow'];
    const gone = new AbortController();
    const flushed = terminal.sync.flush(gone.signal);
    gone.abort(new Error('customer left'));
    await expect(flushed).rejects.toThrow('customer left');
    expect(terminal.journal.outboxSize()).toBe(2);
  });
});

describe('what the bank refuses', () => {
  test('for good is set aside with an alarm, and what is behind it still goes', async () => {
    terminal.reversal();
    await terminal.deposit();
    terminal.bank.refusing.set('/v1/reversals', 'not-found');
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.journal.outbox.deadLetters()).toMatchObject([{ kind: 'reversal', reason: 'not-found: not-found' }]);
    expect(terminal.alarms).toMatchObject([{ kind: 'dead-letter' }]);
    expect(terminal.bank.effects.map(({ path }) => path)).toEqual(['/v1/deposits']);
  });

  test('for now is tried again later, and never set aside at the first refusal', async () => {
    terminal.reversal();
    terminal.bank.refusing.set('/v1/reversals', 'unauthenticated');
    expect(await terminal.sync.flush(signal)).toBe('drained');
    await terminal.sync.flush(signal);
    expect(terminal.bank.arrived).toEqual(['/v1/reversals']);
    terminal.bank.refusing.clear();
    terminal.skewMs = 60_000;
    await terminal.sync.flush(signal);
    terminal.expectEverythingOnce();
  });

  test('for now is set aside after its last attempt', async () => {
    terminal.reversal();
    terminal.bank.refusing.set('/v1/reversals', 'unavailable');
    for (let n = 0; n < 60; n++) {
      terminal.skewMs += 600_000;
      await terminal.sync.flush(signal);
    }
    expect(terminal.bank.arrived).toHaveLength(40);
    expect(terminal.alarms).toMatchObject([{ kind: 'dead-letter' }]);
  });

  test('of the chain stops the results with one alarm, and the money that names them; other money still goes', async () => {
    await terminal.deposit();
    terminal.reversal();
    terminal.bank.refusing.set('/v1/results', 'result-fork');
    expect(await terminal.sync.flush(signal)).toBe('refused');
    expect(await terminal.sync.flush(signal)).toBe('refused');
    expect(terminal.sync.resultsRefused).toContain('result-fork');
    expect(terminal.alarms).toMatchObject([{ kind: 'results-refused' }]);
    expect(terminal.bank.arrived).toEqual(['/v1/results', '/v1/reversals']);
    expect(terminal.journal.outboxSize()).toBe(2);
  });

  test('in words nobody can read leaves the message waiting', async () => {
    terminal.reversal();
    terminal.bank.faults = ['garbage'];
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.journal.outbox.messages(1)[0]?.lastError).toContain('the whole answer');
  });
});

describe('stand-in totals', () => {
  test('begin a new period only when the bank has heard of all of the old', async () => {
    const person = id();
    await terminal.standIn(person, 800);
    terminal.bank.faults = ['none', 'down'];
    expect(await terminal.sync.flush(signal)).toBe('offline');
    expect(terminal.journal.standIn.spent(person)).toBe(800);
    terminal.bank.faults = ['none'];
    expect(await terminal.sync.flush(signal)).toBe('drained');
    expect(terminal.journal.standIn.spent(person)).toBe(0);
  });
});

test('stand-in totals stay while the bank has put off hearing of a stand-in, though everything else went', async () => {
  const person = id();
  await terminal.standIn(person, 800);
  terminal.bank.refusing.set('/v1/stand-ins', 'unauthenticated');
  expect(await terminal.sync.flush(signal)).toBe('drained');
  expect(terminal.journal.standIn.spent(person)).toBe(800);
});

describe('what comes down', () => {
  test('is a newer policy, and never an older one', async () => {
    terminal.bank.policy = { ...examplePolicy('v2'), issuedAt: 2_000_000_000_000 as WallTimeMs };
    await terminal.sync.pull(signal);
    expect(terminal.policies.current()?.version).toBe('v2');
    terminal.bank.policy = examplePolicy('v1');
    await terminal.sync.pull(signal);
    expect(terminal.policies.current()?.version).toBe('v2');
    expect(terminal.alarms).toMatchObject([{ kind: 'policy' }]);
  });

  test('is the gallery from where it was left', async () => {
    terminal.bank.gallery = { entries: [{ kind: 'erase', cursor: 3, personId: id() }], next: 3, more: false };
    await terminal.sync.pull(signal);
    expect(terminal.pages.map(({ next }) => next)).toEqual([3]);
  });

  test('is asked for under another matrix as soon as the feed names it, and not before', async () => {
    const feed = { entries: [], next: 0, more: false };
    for (const gallery of [feed, { ...feed, protectionVersion: 'p-1' }]) {
      terminal.bank.gallery = gallery;
      await terminal.sync.pull(signal);
    }
    expect(terminal.asked).toEqual([]);
    terminal.bank.gallery = { ...feed, protectionVersion: 'p-2' };
    terminal.learns = 'p-2';
    await terminal.sync.pull(signal);
    expect([terminal.asked, terminal.protections]).toEqual([['p-1'], ['p-1', 'p-2']]);
    expect(terminal.bank.galleryAsked.slice(-2)).toEqual(['p-1', 'p-2']);
    await terminal.sync.pull(signal);
    expect(terminal.asked).toHaveLength(1);
  });

  test('is asked for anew when the bank has the matrix no more, and ends the round where there is no other', async () => {
    terminal.bank.destroyed = ['p-1'];
    await expect(terminal.sync.pull(signal)).rejects.toMatchObject({ problem: { field: 'protection' } });
    terminal.learns = 'p-2';
    terminal.bank.gallery = { ...terminal.bank.gallery, protectionVersion: 'p-2' };
    await terminal.sync.pull(signal);
    expect(terminal.bank.galleryAsked).toEqual(['p-1', 'p-1', 'p-2']);
    expect(terminal.asked).toEqual(['p-1', 'p-1']);
  });

  test('is not a feed that never ends', async () => {
    terminal.bank.gallery = { entries: [], next: 0, more: true };
    await expect(terminal.sync.pull(signal)).rejects.toMatchObject({
      code: 'BANK_ANSWER_INVALID',
      message: expect.stringContaining('"next"'),
    });
  });
});

test('once started goes offline when something else answers in the bank’s place', async () => {
  terminal.sync.start();
  await vi.waitFor(() => expect(terminal.sync.online).toBe(true));
  terminal.bank.faults = ['garbage'];
  await vi.waitFor(() => expect(terminal.sync.online).toBe(false));
  terminal.bank.faults = ['none'];
  await vi.waitFor(() => expect(terminal.sync.online).toBe(true));
});

test('once started goes offline and online with the bank, and delivers what was recorded meanwhile', async () => {
  terminal.sync.start();
  await vi.waitFor(() => expect(terminal.sync.online).toBe(true));
  terminal.bank.faults = ['down'];
  await vi.waitFor(() => expect(terminal.sync.online).toBe(false));
  await terminal.deposit();
  terminal.reversal();
  terminal.bank.faults = ['none'];
  await vi.waitFor(() => terminal.expectEverythingOnce());
  expect(terminal.sync.online).toBe(true);
});

test('says once why the bank cannot be reached, however often it asks, and again the next time', async () => {
  terminal.sync.start();
  await vi.waitFor(() => expect(terminal.sync.online).toBe(true));
  for (const times of [1, 2]) {
    terminal.bank.faults = ['down'];
    await vi.waitFor(() => expect(terminal.sync.online).toBe(false));
    await new Promise((resolve) => setTimeout(resolve, 100)); // Some ten rounds.
    const ofHealth = terminal.warnings.filter((one) => JSON.stringify(one).includes('/v1/health'));
    expect(ofHealth).toHaveLength(times);
    expect(ofHealth.at(-1)).toMatchObject({ code: 'BANK_UNREACHABLE' });
    terminal.bank.faults = ['none'];
    await vi.waitFor(() => expect(terminal.sync.online).toBe(true));
  }
});

test('a gallery that cannot be written breaks a round, is told once, and the rounds go on', async () => {
  terminal.bank.gallery = { entries: [{ kind: 'erase', cursor: 3, personId: id() }], next: 3, more: false };
  terminal.galleryTrouble = new Error('database or disk is full');
  terminal.sync.start();
  await vi.waitFor(() => expect(terminal.failures).toEqual([terminal.galleryTrouble]));
  await terminal.deposit();
  await vi.waitFor(() => expect(terminal.journal.outboxSize()).toBe(0));
  expect(terminal.failures).toHaveLength(1);
  terminal.galleryTrouble = null;
  await vi.waitFor(() => expect(terminal.pages.at(0)?.next).toBe(3));
});

test('whatever happens on the line, everything has its effect exactly once, in order, when it holds again', async () => {
  const faults = fc.constantFrom<Fault>('none', 'down', 'answer-lost', 'doubled');
  const step = fc.oneof(
    fc.record({ do: fc.constant('deposit' as const) }),
    fc.record({ do: fc.constant('reversal' as const) }),
    fc.record({ do: fc.constant('stand-in' as const), amount: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ do: fc.constant('flush' as const), faults: fc.array(faults, { minLength: 1, maxLength: 6 }) }),
    fc.record({ do: fc.constant('restart' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const run = await Terminal.started();
      try {
        for (const one of steps) {
          if (one.do === 'deposit') await run.deposit();
          else if (one.do === 'reversal') run.reversal();
          else if (one.do === 'stand-in') await run.standIn(id(), one.amount);
          else if (one.do === 'flush') {
            run.bank.faults = [...one.faults];
            await run.sync.flush(signal);
          } else {
            await run.stop();
            await run.boot();
          }
        }
        run.bank.faults = ['none'];
        expect(await run.sync.flush(signal)).toBe('drained');
        run.expectEverythingOnce();
        expect(run.journal.standIn.spentInAll()).toBe(0);
      } finally {
        await run.stop();
        rmSync(run.directory, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});
