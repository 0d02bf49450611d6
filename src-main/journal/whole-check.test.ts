import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { money } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { exampleResult, fakeSigner } from './journal.fixture.ts';
import { type Journal, openJournal } from './journal.ts';
import { checkInBackground, wholeProblem } from './whole-check.ts';

let directory: string;
let path: string;
const signer = fakeSigner(systemChance.id());
/** A journal that counts as too large to be read before it is used. */
const openLarge = (): Journal =>
  openJournal({ path, clock: systemClock, chance: systemChance, signer, onAlarm: () => {}, readWholeUpTo: 0 });
const checked = () =>
  new Promise<string | null>((resolve) => {
    const end = checkInBackground(path, (problem) => resolve(problem));
    setTimeout(() => void end().then(() => resolve(null)), 2_000).unref();
  });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-whole-check-'));
  path = join(directory, 'journal.sqlite');
  const journal = openLarge();
  for (let n = 0; n < 300; n++) {
    const transactionId = systemChance.id();
    journal.begin({ transactionId, service: 'withdraw', personId: systemChance.id(), amount: money(10_000) });
    await journal.recordResult(exampleResult({ transactionId }));
  }
  journal.close();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a large journal is used at once and read beside it; a whole one has nothing to say', async () => {
  const journal = openLarge();
  expect(journal.readWhole).toBe(false);
  const db = new Database(path, { readonly: true });
  expect(wholeProblem(db)).toBeNull();
  db.close();
  expect(await checked()).toBeNull();
  journal.close();
});

test('damage in the past of a large journal is found while it is used', async () => {
  const bytes = readFileSync(path);
  // The oldest results: work goes on from the newest.
  const db = new Database(path);
  const first = db.prepare<[], string>('SELECT jws FROM match_results WHERE sequence = 1').pluck().get()!;
  db.close();
  const place = readFileSync(path).toString('latin1').indexOf(first);
  const byte = bytes[place + 200]!;
  bytes[place + 200] = byte === 0x41 ? 0x42 : 0x41;
  writeFileSync(path, bytes);
  const journal = openLarge();
  expect(await checked()).toContain('match result 1 is not the one its hash was taken of');
  journal.close();
});

test('damage where work goes on is found before a large journal is used', async () => {
  const db = new Database(path);
  db.exec(
    `DROP TRIGGER match_results_no_update; UPDATE match_results SET hash = '${'A'.repeat(43)}' WHERE sequence = 300`,
  );
  db.close();
  expect(openLarge).toThrowError(expect.objectContaining({ code: 'DATABASE_CORRUPT' }));
});
