import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { money, type Uuid } from '../../src-contract/primitives.ts';
import { type Clock, systemChance, systemClock } from '../clock.ts';
import { exampleActivation } from '../identity/activation.fixture.ts';
import { writeActivation } from '../identity/activation.ts';
import { openFileKeyStore } from '../identity/file-key-store.ts';
import { type Identity, openIdentity } from '../identity/identity.ts';
import { EXPORTS } from '../journal/export.ts';
import { exampleResult } from '../journal/journal.fixture.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { dataPlaces } from '../places.ts';
import { runCli } from './cli.ts';

let dir: string;
let identity: Identity;
let journal: Journal;
let nowMs: number;
const id = () => systemChance.id();
const NOON = Date.UTC(2026, 10, 28, 12);

const run = async (...args: string[]) => {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    fetch,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    signal: AbortSignal.timeout(20_000),
  });
  return { code, out, err };
};
const open = () => {
  const clock: Clock = { ...systemClock, now: () => nowMs as ReturnType<Clock['now']> };
  journal = openJournal({
    path: dataPlaces(dir).journal,
    clock,
    chance: systemChance,
    signer: identity,
    onAlarm: () => {},
  });
};
/** A withdrawal as a visit records it; `until` leaves it there. */
const withdraw = async (yen: number, until: 'paid' | 'suspect' | 'authorising' = 'paid'): Promise<Uuid> => {
  const transactionId = id();
  const authorisationKey = id();
  await journal.recordResult(exampleResult({ service: 'withdraw', transactionId, amount: money(yen) }));
  journal.begin({ transactionId, service: 'withdraw', personId: id(), amount: money(yen) });
  journal.record(transactionId, { state: 'authorising', detail: { authorisationKey } });
  if (until === 'suspect') journal.record(transactionId, { state: 'suspect', detail: { why: 'nobody can say' } });
  if (until === 'paid') {
    const body = { idempotencyKey: id(), authorisationKey, amount: money(yen), proof: null, priorProof: null };
    journal.record(transactionId, { state: 'paid', final: true }, [{ kind: 'capture', body }]);
  }
  nowMs += 60_000;
  return transactionId;
};
/** Writes to the file behind the terminal's back, past its own triggers. */
const tamper = (sql: string) => {
  const db = new Database(dataPlaces(dir).journal);
  for (const name of db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all()) {
    db.exec(`DROP TRIGGER ${name}`);
  }
  db.exec('DROP INDEX transaction_ends_once');
  db.pragma('foreign_keys = OFF');
  db.exec(sql);
  db.close();
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-journal-command-'));
  nowMs = NOON;
  const keyStore = await openFileKeyStore(dataPlaces(dir).keys);
  await writeActivation(keyStore, exampleActivation(id()));
  identity = await openIdentity({ keyStore, clock: systemClock, chance: systemChance });
  open();
});
afterEach(() => {
  journal.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('kaopass journal list', () => {
  test('prints the newest first, by time, service, state, open and suspect, while the terminal has the journal open', async () => {
    const first = await withdraw(10_000);
    const suspect = await withdraw(20_000, 'suspect');
    const underWay = await withdraw(30_000, 'authorising');
    const listed = async (...more: string[]) => {
      const { code, out } = await run('journal', 'list', '--data', dir, '--json', ...more);
      expect(code).toBe(0);
      return (JSON.parse(out) as { transactionId: string }[]).map(({ transactionId }) => transactionId);
    };
    expect(await listed()).toEqual([underWay, suspect, first]);
    expect(await listed('--limit', '1')).toEqual([underWay]);
    expect(await listed('--open')).toEqual([underWay, suspect]);
    expect(await listed('--suspect')).toEqual([suspect]);
    expect(await listed('--state', 'paid')).toEqual([first]);
    expect(await listed('--service', 'deposit')).toEqual([]);
    expect(await listed('--since', '2026-11-28T21:01:00+09:00')).toEqual([underWay, suspect]);
    expect(await listed('--until', '2026-11-28T12:01:00Z')).toEqual([first]);
    const { out } = await run('journal', 'list', '--data', dir);
    expect(out.split('\n')[0]).toBe(
      `2026-11-28T12:02:00.000Z  ${underWay}  withdraw     30,000 JPY  authorising (open)`,
    );
  });

  test.each([
    [['list'], '--data is needed'],
    [['list', '--data', 'X', '--since', 'yesterday'], '--since'],
    [['list', '--data', 'X', '--service', 'theft'], '--service must be one of'],
    [['list', '--data', 'X', '--limit', '-1'], '--limit'],
    [['show', '--data', 'X'], 'needs the id'],
    [['forget'], 'there is no command "journal forget"'],
  ])('understands no %j', async (args, sentence) => {
    const { code, err } = await run('journal', ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)]);
  });

  test('names a journal that is not there, and makes none', async () => {
    const { code, err } = await run('journal', 'list', '--journal', join(dir, 'none.sqlite'));
    expect([code, err]).toEqual([1, expect.stringContaining('none.sqlite')]);
    expect(existsSync(join(dir, 'none.sqlite'))).toBe(false);
  });
});

test('kaopass journal show prints every event, the messages and what became of them, and the match results', async () => {
  await withdraw(5_000);
  const transactionId = await withdraw(10_000);
  const [, own] = journal.outbox.messages(2);
  journal.outbox.deadLetter(own!.id, 'conflict');
  const { out } = await run('journal', 'show', transactionId, '--data', dir, '--json');
  const shown = JSON.parse(out);
  expect(shown.events.map(({ number, state, final }: never) => [number, state, final])).toEqual([
    [1, 'begun', false],
    [2, 'authorising', false],
    [3, 'paid', true],
  ]);
  expect(shown.messages).toMatchObject([{ kind: 'capture', state: 'dead', lastError: 'conflict' }]);
  expect(shown.results).toMatchObject([{ sequence: 2, transactionId, service: 'withdraw' }]);
  const words = (await run('journal', 'show', transactionId, '--data', dir)).out;
  expect(words).toContain('capture: set aside');
  expect((await run('journal', 'show', id(), '--data', dir)).err).toContain('TRANSACTION_UNKNOWN');
});

describe('kaopass journal verify', () => {
  const findings = async (...more: string[]) => {
    const { code, out } = await run('journal', 'verify', '--data', dir, '--json', ...more);
    const said = JSON.parse(out) as { whole: boolean; found: number; findings: { where: string; what: string }[] };
    expect(said.whole).toBe(said.found === 0);
    expect(code).toBe(said.whole ? 0 : 1);
    return said.findings.map(({ where, what }) => `${where}: ${what}`);
  };
  beforeEach(async () => {
    await withdraw(10_000);
    await withdraw(20_000, 'suspect');
    await withdraw(30_000);
  });

  test('finds a journal whole, running or closed, with the key of the store or one that is given', async () => {
    expect(await findings()).toEqual([]);
    journal.close();
    expect(await findings()).toEqual([]);
    const key = join(dir, 'key.json');
    writeFileSync(key, JSON.stringify(identity.signingPublicKey));
    const copy = join(dir, 'copy.sqlite');
    writeFileSync(copy, readFileSync(dataPlaces(dir).journal));
    const { code, out } = await run('journal', 'verify', '--journal', copy, '--key', key);
    expect([code, out]).toEqual([0, 'Whole: 3 transactions, 9 events, 3 match results, 2 messages.\n']);
  });

  const jws = (sequence: number) => {
    const db = new Database(dataPlaces(dir).journal, { readonly: true });
    const found = db
      .prepare<[number], string>('SELECT jws FROM match_results WHERE sequence = ?')
      .pluck()
      .get(sequence);
    db.close();
    return found!;
  };
  test.each<[what: string, sql: () => string, ...expected: string[]]>([
    [
      'a match result that is gone',
      () => 'DELETE FROM match_results WHERE sequence = 2',
      'result 3: comes after 1: what should be between is missing',
    ],
    [
      'the first result gone',
      () => 'DELETE FROM match_results WHERE sequence = 1',
      'result 2: comes after 0: what should be between is missing',
    ],
    [
      'one character of a signature',
      () => {
        const old = jws(2);
        const at = old.length - 20;
        const other = old[at] === 'A' ? 'B' : 'A';
        return `UPDATE match_results SET jws = '${old.slice(0, at)}${other}${old.slice(at + 1)}' WHERE sequence = 2`;
      },
      "result 2: has a signature that is not of this terminal's key",
      'result 2: is not the one its hash was taken of',
      'result 2: is another one in the outbox',
    ],
    [
      'a result that the outbox never had',
      () => "DELETE FROM outbox WHERE kind = 'result' AND id = 1",
      'result 1: is not in the outbox: the bank never hears of it',
    ],
    [
      'an event taken out',
      () => "DELETE FROM transaction_events WHERE number = 2 AND state = 'authorising'",
      'comes after number 1',
    ],
    [
      'an end that was undone',
      () => "UPDATE transaction_events SET final = 0 WHERE state = 'paid'",
      'is listed as ended, and has not',
      'has not ended, and is not listed as open',
    ],
    [
      'an end that came too early',
      () => "UPDATE transaction_events SET final = 1 WHERE state = 'authorising'",
      'comes after the final event "authorising"',
    ],
    [
      'a capture that is gone',
      () => "DELETE FROM outbox WHERE kind = 'capture'",
      'ended "paid", and no capture is in the outbox',
    ],
    [
      'a capture of more than was asked',
      () => "UPDATE outbox SET body = json_set(body, '$.amount.amountMinor', 90000) WHERE kind = 'capture'",
      'captures 90000 of a transaction over 10000',
    ],
    ['a message that cannot be read', () => "UPDATE outbox SET body = '{' WHERE kind = 'capture'", 'cannot be read'],
    [
      'a total that nothing explains',
      () => `INSERT INTO stand_ins VALUES ('${id()}', 'purchase', '${id()}', 700, 'spent', 1, 0, NULL)`,
      'stands in for 700, and the messages say nothing',
    ],
    [
      'a reservation that nobody gave back',
      () => `INSERT INTO stand_ins VALUES ('${id()}', 'purchase', '${id()}', 700, 'reserved', 1, 0, NULL)`,
      'is over, and still reserves stand-in limits',
    ],
  ])('says where: %s', async (_, sql, ...expected) => {
    const change = sql();
    journal.close();
    tamper(change);
    const found = await findings();
    for (const finding of expected) expect(found.join('\n')).toContain(finding);
  });

  test('does not believe the results of another terminal’s key', async () => {
    const other = mkdtempSync(join(tmpdir(), 'kaopass-other-'));
    const stranger = await openIdentity({
      keyStore: await openFileKeyStore(dataPlaces(other).keys),
      clock: systemClock,
      chance: systemChance,
    });
    writeFileSync(join(other, 'key.json'), JSON.stringify(stranger.signingPublicKey));
    const found = await findings('--key', join(other, 'key.json'));
    expect(found).toHaveLength(3);
    expect(found[0]).toContain("not of this terminal's key");
    rmSync(other, { recursive: true });
  });

  test('needs a key, and says so', async () => {
    const { code, err } = await run('journal', 'verify', '--journal', dataPlaces(dir).journal);
    expect([code, err]).toEqual([2, expect.stringContaining('--key FILE is needed')]);
  });
});

describe('kaopass journal export', () => {
  test('writes rows with the fields that are promised, as NDJSON or CSV, and overwrites nothing', async () => {
    const transactionId = await withdraw(10_000);
    for (const [what, fields] of Object.entries(EXPORTS)) {
      const { code, out } = await run('journal', 'export', '--data', dir, '--what', what);
      expect(code).toBe(0);
      expect(Object.keys(JSON.parse(out.split('\n')[0]!))).toEqual(fields);
      const csv = (await run('journal', 'export', '--data', dir, '--what', what, '--format', 'csv')).out;
      expect(csv.split('\r\n')[0]).toBe(fields.join(','));
    }
    const file = join(dir, 'out.ndjson');
    expect((await run('journal', 'export', '--data', dir, '--out', file)).code).toBe(0);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      transactionId,
      amountMinor: 10_000,
      begunAt: '2026-11-28T12:00:00.000Z',
      state: 'paid',
      final: true,
    });
    const again = await run('journal', 'export', '--data', dir, '--out', file);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('EEXIST')]);
  });

  test('quotes what CSV would break on', async () => {
    const transactionId = await withdraw(10_000, 'authorising');
    journal.record(transactionId, { state: 'dispense-failed', detail: { error: 'a "jam", they say\nand more' } });
    const { out } = await run('journal', 'export', '--data', dir, '--what', 'events', '--format', 'csv');
    expect(out).toContain('"{""error"":""a \\""jam\\"", they say\\nand more""}"');
  });

  test('lets nothing out that should never have been written down', async () => {
    const transactionId = await withdraw(10_000, 'authorising');
    const detail = {
      pin: '1234',
      holderName: 'Sato',
      inner: [{ accountNumber: '7654321', template: 'AAAA' }],
      stopping: 1,
    };
    journal.record(transactionId, { state: 'strange', detail });
    for (const args of [
      ['export', '--what', 'events'],
      ['show', transactionId],
      ['show', transactionId, '--json'],
    ]) {
      const { out } = await run('journal', ...args, '--data', dir);
      expect(out).toMatch(/stopping/);
      expect(out).not.toMatch(/1234"|Sato|7654321|AAAA"/);
    }
  });

  test('names a row that does not fit, and ends there', async () => {
    await withdraw(10_000);
    journal.close();
    tamper("UPDATE transaction_events SET detail = '{' WHERE number = 2");
    const { code, err } = await run('journal', 'export', '--data', dir, '--what', 'events');
    expect([code, err]).toEqual([1, expect.stringContaining('number 2: detail does not fit')]);
  });
});

test('docs/money.md lists the fields of an export as they are', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/money.md'), 'utf8');
  for (const [what, fields] of Object.entries(EXPORTS)) {
    expect(page).toContain(`| \`${what}\` | ${fields.map((field) => `\`${field}\``).join(', ')} |`);
  }
});
